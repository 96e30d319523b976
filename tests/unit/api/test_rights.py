"""What callers learn about their own rights over the API: all of it, in three languages, and nothing of anybody else's."""

from __future__ import annotations

import base64
from types import SimpleNamespace
from typing import Any

import pytest

from audit.log.receipts import SHARED_LINE, Receipt
from integrator.identity.applications import create_application
from integrator.identity.enrolment.proofs import make_order, make_proof
from integrator.identity.keys import new_key, public
from tests.unit.api import stand_in

MINE, PREVIEW, EXPLAIN = (
    f"/authorisation/v1/{one}" for one in ("grants/mine", "decisions/preview", "decisions/explain")
)
ONE, SEVERAL = "/access/v1/evaluation", "/access/v1/evaluations"
TRACE, OTHERS, NOBODYS = "a" * 32, "b" * 32, "c" * 32
ORG, OTHER_ORG = "0207373429", "0314595348"


def body(data: Any) -> bytes:
    import orjson

    return orjson.dumps(data)


async def ask(call: Any, path: str, data: Any, **headers: str) -> Any:
    return await call("POST", path, body(data), headers=headers)


# --- grants -------------------------------------------------------------------------------------------------------------


async def test_application_reads_all_it_holds_and_that_it_looked_is_recorded(call: Any, hub: Any) -> None:
    reply = await ask(call, MINE, {})
    [purpose] = reply.json()["purposes"]
    line = next(service for service in purpose["services"] if service["service"] == "person.get")["lines"][0]

    assert (200, ["ssin"], "resident_permit@1") == (reply.status, line["searchKeys"], line["authorisation"])
    assert {"gender", "ssin"} <= {item["field"] for item in line["withheld"]}
    assert {"kind": "dossierReference"} in line["conditions"]
    assert "2026-01-01T00:00:00Z" == line["validFrom"]
    assert [("authorisation.grants", "decision")] == [(entry.name, entry.type) for entry in hub.written]


async def test_without_token_nobody_learns_anything(stranger: Any, hub: Any) -> None:
    for path in (MINE, PREVIEW, EXPLAIN, ONE, SEVERAL, "/enrolment/v1/keys/list"):
        assert 401 == (await ask(stranger, path, {})).status

    assert [] == hub.written


async def test_purpose_that_has_gone_is_said_without_services(call: Any, hub: Any) -> None:
    hub.bureau.exchange.policies.purposes.pop("resident_permit")

    assert [{"purpose": "resident_permit", "services": []}] == (await ask(call, MINE, {"allPurposes": True})).json()[
        "purposes"
    ]


async def test_one_application_that_asks_all_the_time_is_slowed_down_alone(make_hub: Any) -> None:
    import asyncio

    from integrator.api.app import build

    hub = make_hub(limits={"perApplication": 2})
    front = build(hub).front
    greedy, other = [stand_in.Caller(front, await hub.token(name)) for name in ("ixelles-parking", "forest-parking")]
    written = asyncio.Event()

    async def slow(drafts: Any) -> None:
        await written.wait()

    hub.bureau._write = slow
    asking = [asyncio.create_task(ask(one, ONE, question())) for one in (*[greedy] * 8, other)]
    while sum(task.done() for task in asking) < 6:
        await asyncio.sleep(0.01)
    written.set()
    statuses = [reply.status for reply in await asyncio.gather(*asking)]

    assert (2, 6, 200) == (statuses[:-1].count(200), statuses[:-1].count(429), statuses[-1])


# --- beforehand ---------------------------------------------------------------------------------------------------------


async def test_preview_says_yes_with_fields_and_until_when(call: Any, hub: Any) -> None:
    told = (await ask(call, PREVIEW, {"service": "person.get", "fields": ["familyName", "gender"]})).json()

    assert ("permit", ["familyName"], [{"field": "gender", "reason": "NOT_GRANTED"}]) == (
        told["decision"],
        told["fields"],
        told["withheld"],
    )
    assert {"nl", "fr", "en"} == set(told["told"])
    assert [] == hub.exchange.asked
    assert "authorisation.preview" == hub.written[-1].name


async def test_preview_says_no_with_the_smallest_change(call: Any) -> None:
    told = (await ask(call, PREVIEW, {"service": "person.get", "fields": ["gender"]})).json()

    assert ("deny", "NOTHING_GRANTED", ["field"]) == (
        told["decision"],
        told["reason"],
        [one["kind"] for one in told["changes"]],
    )


async def test_preview_of_a_composition_looks_inside(call: Any, hub: Any) -> None:
    assert "permit" == (await ask(call, PREVIEW, {"service": "parking.check"})).json()["decision"]


@pytest.mark.parametrize(
    "data",
    [{}, {"service": "spy.all"}, {"service": 1}, {"service": "person.get", "ssin": "85660812341"}, {"service": "person.get", "keys": ["85660812341"]},
     {"service": "person.get", "keys": "ssin"}, {"service": "person.get", "fields": []}, {"service": "person.get", "fields": ["x"] * 201}, {"service": "person.get", "history": 1}],
    ids=["nothing", "unknown_service", "service_a_number", "with_a_value", "value_for_a_name", "keys_a_text", "no_fields", "too_many", "history_a_number"],
)  # fmt: skip
async def test_preview_that_does_not_fit_repeats_nothing(call: Any, hub: Any, data: Any) -> None:
    reply = await ask(call, PREVIEW, data)

    assert (400, False, []) == (reply.status, b"85660812341" in reply.body, hub.written)


# --- afterwards ---------------------------------------------------------------------------------------------------------


def row(trace: str, org: str, index: int, **entry: Any) -> Any:
    clear = {
        "name": "person.get", "ts": 1_795_000_000_000_000, "consumer": {"org": org, "app": "ixelles-parking"}, "reason_code": "NO_AUTHORISATION",
        "policy": {"id": "none", "decision": "deny"}, "dpl.core.processing_activity_id": "https://ropa.integrator.example/resident_permit/v1", **entry,
    }  # fmt: skip
    return SimpleNamespace(trace_id=trace, org=org, shard="hub/test", index=index, kind="denied", entry=clear)


@pytest.fixture
def past(hub: Any) -> Any:
    hub.reports.rows = [row(TRACE, ORG, 7), row(OTHERS, OTHER_ORG, 8)]
    return hub


async def test_own_exchange_is_explained_by_trace_entry_or_receipt_of_either_form(call: Any, past: Any) -> None:
    one, signed = Receipt("hub/test", 7, bytes(32), 1), "\n— hub/test AAAA\n"
    among_others = f"{one.text(SHARED_LINE)}{'A' * 43}=\n\naudit-commit/v1\nhub/test\n6\n2\n{'A' * 43}=\n{signed}"
    alone, shared = (
        base64.urlsafe_b64encode(note.encode()).rstrip(b"=").decode() for note in (one.text() + signed, among_others)
    )
    ways = ({"traceId": TRACE}, {"entries": "hub/test/7,9"}, {"receipt": alone}, {"receipt": shared})
    replies = [await ask(call, EXPLAIN, way) for way in ways]

    assert [(200, TRACE, "deny", "NO_AUTHORISATION")] * 4 == [
        (one.status, one.json()["traceId"], (told := one.json()["decisions"][0])["decision"], told["reason"])
        for one in replies
    ]
    assert all(told["told"][language] for language in ("nl", "fr", "en"))


async def test_somebody_elses_exchange_is_one_that_does_not_exist(call: Any, past: Any) -> None:
    pairs = [
        [await ask(call, EXPLAIN, one) for one in ({"traceId": OTHERS}, {"traceId": NOBODYS})],
        [await ask(call, EXPLAIN, one) for one in ({"entries": "hub/test/8"}, {"entries": "hub/test/99"})],
    ]
    for foreign, missing in pairs:
        stripped = [
            {name: value for name, value in one.json().items() if name != "instance"} for one in (foreign, missing)
        ]

        assert stripped[0] == stripped[1]
        assert 404 == foreign.status == missing.status
    assert [] == past.written


@pytest.mark.parametrize(
    "data",
    [{}, {"traceId": "x"}, {"traceId": 1}, {"traceId": TRACE, "entries": "a/1"}, {"entries": "a"}, {"entries": "../1"}, {"receipt": "!!"}, {"receipt": "AAAA"},
     {"receipt": "é"}, {"traceId": TRACE, "as": "dpo"}],
    ids=["nothing", "no_hex", "a_number", "two_ways", "no_index", "a_path", "no_base64", "no_receipt", "no_ascii", "member_beside"],
)  # fmt: skip
async def test_reference_that_is_none(call: Any, past: Any, data: Any) -> None:
    assert (await ask(call, EXPLAIN, data)).status in (400, 404)


# --- AuthZEN ------------------------------------------------------------------------------------------------------------


def question(**changes: Any) -> dict[str, Any]:
    asked = {
        "subject": {"type": "application", "id": "ixelles-parking"}, "action": {"name": "person.get"}, "resource": {"type": "fields", "id": "familyName"},
    }  # fmt: skip
    return {name: value for name, value in (asked | changes).items() if value is not None}


async def test_evaluation_says_true_or_false_with_reasons_for_people(call: Any, hub: Any) -> None:
    yes = (await ask(call, ONE, question())).json()
    no = (await ask(call, ONE, question(resource={"type": "fields", "id": "gender"}))).json()

    assert (True, False) == (yes["decision"], no["decision"])
    assert {"nl", "fr", "en"} == set(no["context"]["reason_user"])
    assert ["authorisation.evaluate"] * 2 == [entry.name for entry in hub.written]


async def test_partly_is_not_yes(call: Any) -> None:
    told = (await ask(call, ONE, question(resource={"type": "fields", "id": "familyName, gender"}))).json()

    assert (False, "PARTLY_GRANTED", ["gender"]) == (
        told["decision"],
        told["context"]["id"],
        [one["field"] for one in told["context"]["withheld"]],
    )


async def test_star_is_all_that_is_granted(call: Any) -> None:
    assert (await ask(call, ONE, question(resource={"type": "fields", "id": "*"}))).json()["decision"]


async def test_agents_and_the_organisation_itself_are_subjects_too(call: Any) -> None:
    for subject in ({"type": "agent", "id": "a.7f3", "properties": {"application": "forest-parking", "roles": ["clerk"], "assurance": "high"}}, {"type": "organisation", "id": ORG}):  # fmt: skip
        assert (await ask(call, ONE, question(subject=subject))).json()["decision"]


async def test_other_organisations_subjects_are_unknown_ones(call: Any, hub: Any) -> None:
    create_application(
        hub.codes.parent / "applications", "their-desk", organisation=OTHER_ORG, purposes=["resident_permit"], world="sandbox", now=hub.clock(), jwk=public(new_key("sandbox")),
    )  # fmt: skip
    told = [
        (await ask(call, ONE, question(subject=one))).json()
        for one in (
            {"type": "application", "id": "their-desk"}, {"type": "application", "id": "no-such-desk"}, {"type": "organisation", "id": OTHER_ORG},
            {"type": "agent", "id": "a.1", "properties": {"application": "their-desk"}}, {"type": "robot", "id": "r2"},
        )
    ]  # fmt: skip

    assert [told[0]] * 5 == told
    assert "UNKNOWN_SUBJECT" == told[0]["context"]["id"]


async def test_purposes_of_others_are_not_evaluated(call: Any) -> None:
    told = (await ask(call, ONE, question(context={"purpose": "tax_inspection"}))).json()

    assert (False, "PURPOSE_NOT_ENROLLED") == (told["decision"], told["context"]["id"])


@pytest.mark.parametrize("missing", ["subject", "action", "resource"])
async def test_evaluation_without_one_of_the_three_is_a_bad_request(call: Any, missing: str) -> None:
    assert 400 == (await ask(call, ONE, question(**{missing: None}))).status


async def test_request_id_comes_back_and_is_no_place_for_a_number(call: Any) -> None:
    named = await ask(call, ONE, question(), **{"X-Request-ID": "bfe9eb29-ab87-4ca3-be83-a1d5d8305716"})
    number = await ask(call, ONE, question(), **{"X-Request-ID": "85660812341"})

    assert ("bfe9eb29-ab87-4ca3-be83-a1d5d8305716", 400) == (named.headers["x-request-id"], number.status)


async def test_evaluations_share_defaults_and_keep_their_order(call: Any, hub: Any) -> None:
    data = {
        **question(resource=None),
        "evaluations": [{"resource": {"type": "fields", "id": one}} for one in ("familyName", "gender", "*")],
    }
    told = (await ask(call, SEVERAL, data)).json()

    assert [True, False, True] == [one["decision"] for one in told["evaluations"]]
    assert [{"records": 3}] == [entry.clear["counts"] for entry in hub.written]


@pytest.mark.parametrize(
    ("semantic", "expected"),
    [("execute_all", [True, False, True]), ("deny_on_first_deny", [True, False]), ("permit_on_first_permit", [True])],
)
async def test_semantics_of_the_specification(call: Any, semantic: str, expected: list[bool]) -> None:
    data = {
        **question(resource=None), "options": {"evaluations_semantic": semantic},
        "evaluations": [{"resource": {"type": "fields", "id": one}} for one in ("familyName", "gender", "*")],
    }  # fmt: skip

    assert expected == [one["decision"] for one in (await ask(call, SEVERAL, data)).json()["evaluations"]]


async def test_one_that_cannot_be_read_is_false_with_an_error_and_stops_no_other(call: Any) -> None:
    told = (
        await ask(
            call, SEVERAL, {**question(), "evaluations": [{}, {"subject": 7}, "x", {"action": {"name": "spy.all"}}]}
        )
    ).json()["evaluations"]

    assert [True, False, False, False] == [one["decision"] for one in told]
    assert [None, 400, 400, None] == [one["context"].get("error", {}).get("status") for one in told]


async def test_without_evaluations_it_is_a_single_one(call: Any) -> None:
    assert True is (await ask(call, SEVERAL, question())).json()["decision"]


@pytest.mark.parametrize("data", [{"evaluations": "all"}, {"evaluations": [{}] * 101}, {"evaluations": [{}], "options": {"evaluations_semantic": "best"}}, {"evaluations": [{}], "options": []}])  # fmt: skip
async def test_evaluations_that_do_not_fit(call: Any, data: Any) -> None:
    assert 400 == (await ask(call, SEVERAL, {**question(), **data})).status


async def test_configuration_names_both_endpoints(stranger: Any) -> None:
    told = (await stranger("GET", "/.well-known/authzen-configuration")).json()

    assert (stand_in.BASE, f"{stand_in.BASE}{ONE}", f"{stand_in.BASE}{SEVERAL}") == tuple(
        told[name] for name in ("policy_decision_point", "access_evaluation_endpoint", "access_evaluations_endpoint")
    )


# --- the page -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("language", "word"), [("nl", "Zoeken op"), ("fr", "Recherche par"), ("en", "Search by")])
async def test_page_of_rights_opens_once_in_the_readers_language(
    stranger: Any, hub: Any, language: str, word: str
) -> None:
    code = await hub.enrolment.pile.give_code("ixelles-parking", hub.clock())
    door = await stranger("GET", f"/docs/rights?lang={language}")
    form = f"code={code}".encode()
    first, second = [
        await stranger("POST", f"/docs/rights?lang={language}", form, kind="application/x-www-form-urlencoded")
        for _ in range(2)
    ]

    assert (200, 200, 403) == (door.status, first.status, second.status)
    assert word in first.body.decode()
    assert "form-action 'self'" in door.headers["content-security-policy"]
    assert "no-store" == first.headers["cache-control"]
    assert code.encode() not in first.body + second.body


@pytest.mark.parametrize(
    "form", [b"", b"code=", b"code=" + b"x" * 5000, b"\xff", b"code=%FF", b"a=1&b=2&c=3&d=4&e=5&f=6"]
)
async def test_page_of_rights_for_nobody(stranger: Any, form: bytes) -> None:
    reply = await stranger(
        "POST",
        "/docs/rights",
        form,
        kind="application/x-www-form-urlencoded",
        headers={"content-type": "application/x-www-form-urlencoded"},
    )

    assert reply.status in (400, 403)


# --- enrolment over HTTP ------------------------------------------------------------------------------------------------


async def test_application_comes_in_over_the_api_and_changes_its_key(stranger: Any, hub: Any, api: Any) -> None:
    jwk, now, issuer = new_key("sandbox"), hub.clock(), hub.identity.issuer
    asked = await ask(stranger, "/enrolment/v1/requests", {
        "application": "new-desk", "title": "New desk", "organisation": ORG, "purposes": ["resident_permit"], "key": public(jwk),
        "proof": make_proof(jwk, "new-desk", issuer, now), "contact": "ict@vendor.example",
    })  # fmt: skip
    told = asked.json()
    for role in ("operator", "dpo"):
        await hub.enrolment.approve(told["requestId"], role, f"{role}-1")
    status = await ask(
        stranger, "/enrolment/v1/requests/status", {"requestId": told["requestId"], "secret": told["secret"]}
    )
    new = new_key("sandbox")
    rotated = await ask(stranger, "/enrolment/v1/keys/rotate", {
        "order": make_order(jwk, "new-desk", issuer, now, act="rotate", jwk=public(new)), "proof": make_proof(new, "new-desk", issuer, now),
    })  # fmt: skip
    revoked = await ask(
        stranger,
        "/enrolment/v1/keys/revoke",
        {"order": make_order(new, "new-desk", issuer, now, act="revoke", kid=jwk["kid"])},
    )

    assert (201, 200, 200, 200) == (asked.status, status.status, rotated.status, revoked.status)
    assert ("approved", "new-desk") == (status.json()["state"], status.json()["clientId"])
    assert [jwk["kid"]] == [one["kid"] for one in revoked.json()["keys"] if "revoked" in one]
    assert asked.headers["belgov-trace-id"] == hub.written[0].trace_id


async def test_keys_are_listed_for_the_applications_own_token(call: Any, hub: Any) -> None:
    assert {"clientId": "ixelles-parking", "keys": [{"kid": hub.key["kid"]}]} == (
        await ask(call, "/enrolment/v1/keys/list", {})
    ).json()
