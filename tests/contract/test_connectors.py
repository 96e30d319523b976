"""Every room of connectors/, proven by what lies in it: its manifest, its tables, its cases. A new room needs no line.

A case is played without a network (tests/contract/cases.py). The answers of SOAP sources are also taken through zeep: it
parses them and writes them anew, and the connector must find the same values in what zeep understood. A room of files
plays its cases in tests/unit/connectors.
"""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from lxml import etree

from integrator.contract import Connector, Tools
from integrator.registry import load_room, manifests
from tests.contract import cases as played
from tests.contract import signed
from tests.unit.transport import workshop

ROOMS = manifests(played.ROOT / "connectors")
ASKED = [room for room, manifest in ROOMS.items() if manifest.protocol != "file"]
PLAYED = [(room, path) for room in ASKED for path in played.cases(room)]
READ_BY_ZEEP = [
    (room, path)
    for room, path in PLAYED
    if ROOMS[room].protocol == "soap" and "values" in played.load(path)["expect"] and "zeep" not in played.load(path)
]
BOUGHT = {"json": {"access_token": "kept.in.tests", "token_type": "Bearer", "expires_in": 300}}
DEFAULTS = played.load(played.ROOT / "config" / "defaults.yaml")
TOKEN = {"/oauth/token": BOUGHT, "/oauth/v5/token": BOUGHT}
# Bodies of a source that is several: the ones of the sandbox, each with a package of its own.
BODIES = {room: chosen["bodies"] for room, chosen in DEFAULTS["sources"].items() if "bodies" in chosen}
SECRETS = {
    "token": "kept.in.tests",
    "username": "hub",
    "password": "s3cret",
    "clientId": "hub",
    "clientSecret": "s3cret",
}


def named(rooms_and_paths: list[tuple[str, Path]]) -> list[str]:
    return [f"{room}/{path.stem}" for room, path in rooms_and_paths]


@pytest.fixture(scope="session")
def kit(tmp_path_factory) -> dict[str, str]:
    """Settings that any room can be built with: keys, certificates and passwords of nobody."""
    folder = tmp_path_factory.mktemp("kit")
    (folder / "secrets.json").write_text(json.dumps(SECRETS))
    pem = serialization.Encoding.PEM
    private = workshop.KEY.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "key.pem").write_bytes(private)
    (folder / "certificate.pem").write_bytes(workshop.CERTIFICATE.public_bytes(pem))
    certificate = str(folder / "certificate.pem")
    return {
        "credentials": str(folder / "secrets.json"),
        "signingKey": str(folder / "key.pem"),
        "signingCertificate": certificate,
        "sourceCertificate": certificate,
        "sector": 65,
        "institution": 0,
    }  # type: ignore[dict-item]


async def built(room: str, case: dict[str, Any], kit: dict[str, str], send: played.FakeSend) -> Connector:
    folder = ROOMS[room].room
    settings = {**kit, **case.get("settings", {})}
    bodies = {number: {**one, "credentials": kit["credentials"]} for number, one in BODIES.get(room, {}).items()}
    settings |= {"bodies": bodies} if bodies else {}
    if "file" in settings:
        settings["file"] = str(folder / "cases" / settings["file"])
    connector = load_room(folder).build(
        Tools(room, folder, settings, send, lambda: played.NOW, True, dict.fromkeys(bodies, send))
    )
    return await connector if inspect.isawaitable(connector) else connector


@pytest.mark.parametrize(("room", "path"), PLAYED, ids=named(PLAYED))
async def test_a_case_ends_as_it_says(room, path, kit):
    case = played.load(path)
    send = played.FakeSend.of(case, path.parent, TOKEN)

    told = await played.play(case, await built(room, case, kit, send))

    assert case["expect"] == played.as_expected(case["expect"], told)
    played.check_sent(case, send)


@pytest.mark.parametrize("situation", ["found", "unknown", "down", "wrong_subject"])
@pytest.mark.parametrize("room", ASKED)
def test_a_room_shows_the_situations_that_every_source_knows(room, situation):
    assert [] != [path for path in played.cases(room) if path.stem.startswith(situation)]


@pytest.mark.parametrize("room", ROOMS)
def test_a_case_asks_only_operations_and_keys_of_the_manifest(room):
    operations = ROOMS[room].operations
    asked = [played.load(path)["question"] for path in played.cases(room)]

    assert set() == {question["operation"] for question in asked} - set(operations)
    assert [] == [one for one in asked if set(one.get("keys", {})) - set(operations[one["operation"]]["keys"])]


@pytest.mark.parametrize("room", ROOMS)
def test_every_operation_of_the_manifest_is_played(room):
    played_operations = {played.load(path)["question"]["operation"] for path in played.cases(room)}

    assert set() == set(ROOMS[room].operations) - played_operations


@pytest.mark.parametrize("room", ROOMS)
def test_every_line_of_the_tables_is_played(room):
    told = "\n".join(path.read_text(encoding="utf-8") for path in played.cases(room))
    tables = [
        played.load(path) for path in sorted(ROOMS[room].room.glob("*s.yaml")) if path.stem in ("faults", "answers")
    ]

    assert [] == [str(code) for table in tables for code in table if code != "*" and str(code) not in told]


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_says_what_it_has_proven_and_whose_it_is(room):
    folder = ROOMS[room].room

    assert {"quality.yaml", "README.md", "faults.yaml", "cases"} <= {path.name for path in folder.iterdir()}


@pytest.mark.parametrize("room", ROOMS)
def test_a_quality_rule_is_done_to_do_or_excused_with_a_reason(room):
    rules = played.load(ROOMS[room].room / "quality.yaml")

    assert [] == [name for name, state in rules.items() if state not in ("done", "todo") and not state["exempt"]]


@pytest.mark.parametrize(("room", "path"), READ_BY_ZEEP, ids=named(READ_BY_ZEEP))
async def test_zeep_understands_the_same_values(room, path, kit):
    case = played.load(path)
    again = {**case, "answers": [by_zeep(room, one) for one in case.get("answers") or [case["answer"]]]}
    told = await played.play(again, await built(room, case, kit, played.FakeSend.of(again, path.parent)))

    assert case["expect"]["values"] == told.get("values", told)


def by_zeep(room: str, answer: dict[str, Any]) -> dict[str, Any]:
    """The same answer as zeep understood it: parsed into its own objects, and written from those."""
    if "ssdn" in answer:
        reply = signed.document(answer)  # zeep cannot write a document round another one: only the inner one here
        reply[1][3] = _written_anew(room, reply[1][3])
        return {**answer, "ssdn": etree.tostring(reply).decode()}
    if "soap" in answer:
        return {
            **answer,
            "soap": etree.tostring(_written_anew(room, etree.fromstring(signed.payload(answer)))).decode(),
        }
    root = etree.fromstring(answer["body"].encode())
    body = root.find("{*}Body")
    body[0:1] = [_written_anew(room, body[0])]
    return {**answer, "body": etree.tostring(root).decode()}


def _written_anew(room: str, payload: etree._Element) -> etree._Element:
    """A payload as zeep writes it; one that no contract of the room describes (a fault) stays as it is."""
    namespace = etree.QName(payload).namespace
    contracts = (one for one in played.contracts(ROOMS[room].room) if namespace in one.namespaces)
    contract = next(contracts, None)
    return payload if contract is None else contract.written_anew(payload)


def test_there_are_rooms_to_prove():
    assert {"rijksregister", "ksz"} <= set(ROOMS)
