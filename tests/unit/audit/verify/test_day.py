"""The proof of a day, judged by the stand-alone verifier: whole it is proven, and every lie in it is found."""

from __future__ import annotations

import io
import json
import zipfile
from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from audit import Ledger, Subject, open_entry
from audit.keeping.maps import DayEvidence, make_maps
from audit.keeping.shown import make_shown, prove_shown
from audit.verify import hub_audit_verify as standalone
from audit.verify.bundle import make_bundle, zipped
from audit.verify.day import day_bundle
from tests.unit.audit.verify.test_page import in_node
from tests.unit.audit.verify.worlds import SECOND, World

STRANGER = Subject("nrn", "85610199950")
Change = Callable[[dict[str, Any]], None]


@dataclass
class Proved:
    """Bundles of one person with lines, and of one without."""

    mine: bytes
    nothing: bytes
    lines: int
    erase: Callable[[], bytes]  # the first of these lines; then what is proved to its person


@pytest.fixture
def proved(make_world: Callable[..., World], tmp_path: Path) -> Proved:
    world = make_world()
    world.exchanges(4)
    person, moment = _person(world), datetime.fromtimestamp(world.now / 1e6, UTC)
    world.now += 86_400 * SECOND
    folder = tmp_path / "maps"
    with Ledger(world.store, world.keyring, shard=world.shards[0], clock=world._tick) as ledger:
        assert make_maps(world.store, world.keyring, ledger, folder)
        assert make_shown(world.store, world.keyring, ledger, folder, _all)
    world.publish()

    def bundle(who: Subject) -> tuple[bytes, list[DayEvidence]]:
        proofs = prove_shown(world.store, world.keyring, folder, who, moment.date(), _all)
        place = proofs[0].shard, proofs[0].index
        assert world.authority is not None
        roots = world.authority.root.read_bytes()
        evidence = lambda shard, index: make_bundle(
            world.log, world.store, world.keyring, shard, index, (), tsa_roots=roots
        )
        erasures = [evidence(*order) for one in proofs for _, order in one.erased]
        return day_bundle(evidence(*place), proofs, erasures), proofs

    def erase() -> bytes:
        world.erase([proofs[0].places[0][1]])
        world.publish()
        return bundle(person)[0]

    mine, proofs = bundle(person)
    return Proved(mine, bundle(STRANGER)[0], sum(len(one.places) for one in proofs), erase)


def _all(ts: int) -> Callable[[bytes, str, int], bool]:
    return lambda tag, shard, index: True


def _person(world: World) -> Subject:
    opened = open_entry(world.store, world.keyring, world.shards[0], 0)
    return Subject(opened.subjects[0].type, opened.subjects[0].id)


def judged(data: bytes) -> dict[str, tuple[str, str, str]]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    judge = standalone.Judge(standalone.Words("en"), standalone.Policy.parse(files["policy.txt"]), None)
    return {one.level: (one.state, one.code, one.found) for one in standalone.verify_bundle(files, judge)}


def changed(data: bytes, change: Change) -> bytes:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    told = json.loads(files["day.json"])
    change(told)
    return zipped(files | {"day.json": json.dumps(told).encode()})


def test_a_whole_proof_is_proven_on_every_level(proved: Proved) -> None:
    found = judged(proved.mine)

    assert {"L1", "L2", "L3", "L4", "L5", "DAY"} == found.keys()
    assert {standalone.PROVEN} == {state for state, _, _ in found.values()}
    assert f"{proved.lines} lines" in found["DAY"][2]


def test_a_day_without_lines_is_proven_too(proved: Proved) -> None:
    assert (standalone.PROVEN, "OK") == judged(proved.nothing)["DAY"][:2]


def _line_dropped(told: dict[str, Any]) -> None:
    told["proofs"][0]["lines"].pop()


def _first_line_moved_into_the_salt(told: dict[str, Any]) -> None:
    """The value is a hash over salt and lines in one run of bytes: a longer salt would leave it as it is."""
    one = told["proofs"][0]
    shard, index = one["lines"].pop(0)
    one["salt"] = b64encode(b64decode(one["salt"]) + f"{shard}\n{index}\n".encode()).decode()


def _two_lines_told_as_one(told: dict[str, Any]) -> None:
    one = told["proofs"][0]
    (shard, index), (other, last), *rest = one["lines"]
    one["lines"] = [[f"{shard}\n{index}\n{other}", last], *rest]


def _line_added(told: dict[str, Any]) -> None:
    told["proofs"][0]["lines"].append(["elsewhere", 1])


def _all_denied(told: dict[str, Any]) -> None:
    told["proofs"][0]["lines"] = []


def _leaf_dropped(told: dict[str, Any]) -> None:
    told["proofs"][0]["leaves"] = []


def _path_cut(told: dict[str, Any]) -> None:
    told["proofs"][0]["leaves"][0]["path"] = told["proofs"][0]["leaves"][0]["path"][1:]


def _no_proof(told: dict[str, Any]) -> None:
    told["proofs"] = []


def _other_day(told: dict[str, Any]) -> None:
    told["day"] = "2020-01-01"


def _no_shape(told: dict[str, Any]) -> None:
    told["proofs"] = "all fine"


WOUNDS = [_line_dropped, _first_line_moved_into_the_salt, _two_lines_told_as_one, _line_added, _all_denied, _leaf_dropped, _path_cut, _no_proof, _other_day, _no_shape]  # fmt: skip


@pytest.mark.parametrize("wound", WOUNDS, ids=lambda one: one.__name__.strip("_"))
def test_every_lie_is_found(proved: Proved, wound: Change) -> None:
    assert standalone.WRONG == judged(changed(proved.mine, wound))["DAY"][0]


def test_a_line_smuggled_into_an_empty_day_is_found(proved: Proved) -> None:
    assert standalone.WRONG == judged(changed(proved.nothing, _line_added))["DAY"][0]


def test_a_line_that_was_erased_since_is_named_as_erased(proved: Proved) -> None:
    found = judged(proved.erase())

    assert {standalone.PROVEN} == {state for state, _, _ in found.values()}
    assert f"{proved.lines} lines, as the table of contents says; 1 of them were erased since" in found["DAY"][2]


def _called_erased(told: dict[str, Any]) -> None:
    """Though nobody ordered that."""
    told["proofs"][0]["erased"] = told["proofs"][0]["lines"][-1:]


def _erased_and_not_listed(told: dict[str, Any]) -> None:
    told["proofs"][0]["lines"].remove(told["proofs"][0]["erased"][0])


def _erased_line_kept_back(told: dict[str, Any]) -> None:
    _erased_and_not_listed(told)
    told["proofs"][0]["erased"] = []


GONE = [_called_erased, _erased_and_not_listed, _erased_line_kept_back]


@pytest.mark.parametrize("wound", GONE, ids=lambda one: one.__name__.strip("_"))
def test_no_line_goes_under_the_name_of_an_erasure(proved: Proved, wound: Change) -> None:
    assert standalone.WRONG == judged(changed(proved.erase(), wound))["DAY"][0]


def test_the_page_of_a_citizen_finds_the_same(proved: Proved, tmp_path: Path) -> None:
    wounded = {wound.__name__: changed(proved.mine, wound) for wound in WOUNDS}
    told = in_node(tmp_path, {"mine": proved.mine, "nothing": proved.nothing, **wounded})
    found = {name: [one["state"] for one in said["results"] if one["level"] == "DAY"] for name, said in told.items()}

    assert {"mine": ["proven"], "nothing": ["proven"], **{name: ["wrong"] for name in wounded}} == found
    assert [f"{proved.lines} lines, as the table of contents says"] == [
        one["found"] for one in told["mine"]["results"] if one["level"] == "DAY"
    ]


def test_the_page_of_a_citizen_names_what_was_erased_and_finds_the_same_lies(proved: Proved, tmp_path: Path) -> None:
    erased = proved.erase()
    told = in_node(tmp_path, {"erased": erased, **{wound.__name__: changed(erased, wound) for wound in GONE}})
    found = {name: [one["state"] for one in said["results"] if one["level"] == "DAY"] for name, said in told.items()}

    assert {"erased": ["proven"], **{wound.__name__: ["wrong"] for wound in GONE}} == found
    assert {"proven"} == {one["state"] for one in told["erased"]["results"]}
    [said] = [one["found"] for one in told["erased"]["results"] if one["level"] == "DAY"]
    assert "1 of them were erased since, and the order is on record" in said
