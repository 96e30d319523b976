"""The way through the door, without sockets: what reaches the exchange, and what never does."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable
from typing import Any

import pytest

from integrator.api.app import build
from integrator.errors import (
    ConfigurationError,
    HubBusy,
    LedgerUnwritable,
    PolicyDenied,
    SourceFault,
    SourceRefused,
    SourceThrottled,
    SourceUnavailable,
    SubjectNotFound,
    SubjectReplaced,
    WrongSubject,
)

PERSON = "/person/v1/persons/get"
NUMBER = "85660812341"
GOOD = b'{"ssin":"85660812341","dossierReference":"IX-1"}'


async def test_question_reaches_the_exchange_with_caller_keys_and_case(call: Any, hub: Any) -> None:
    await call("POST", PERSON, GOOD, headers={"Accept-Language": "nl-BE", "BelGov-Trace-Id": "abc-1"})
    asked = hub.exchange.asked[0]

    assert ("person.get", {"ssin": NUMBER}, "IX-1", "nl") == (asked.service, asked.keys, asked.dossier, asked.language)
    assert ("0207373429", "ixelles-parking", "resident_permit") == (
        asked.caller.organisation, asked.caller.application, asked.caller.purpose,
    )  # fmt: skip
    assert "abc-1" == asked.trace.related


async def test_answer_carries_our_trace_theirs_and_the_entries(call: Any, hub: Any) -> None:
    answer = await call("POST", PERSON, GOOD, headers={"BelGov-Trace-Id": "abc-1"})

    assert (hub.exchange.asked[0].trace.trace_id, "abc-1", "hub/test/7,8") == tuple(
        answer.headers[name] for name in ("belgov-trace-id", "belgov-related-trace-id", "integrator-ledger-entries")
    )


async def test_trace_is_ours_and_new_every_time(call: Any) -> None:
    traces = {
        (await call("POST", PERSON, GOOD, headers={"BelGov-Trace-Id": "a" * 32})).headers["belgov-trace-id"]
        for _ in range(3)
    }

    assert 3 == len(traces)
    assert all(re.fullmatch(r"[0-9a-f]{12}4[0-9a-f]{3}[89ab][0-9a-f]{15}", trace) for trace in traces)


@pytest.mark.parametrize("theirs", ["x y", "a" * 65, "<script>", NUMBER, "85.66.08-123.41", "é"])
async def test_trace_of_theirs_that_is_none_is_not_repeated(call: Any, theirs: str) -> None:
    assert (
        "belgov-related-trace-id" not in (await call("POST", PERSON, GOOD, headers={"BelGov-Trace-Id": theirs})).headers
    )


async def test_answer_is_not_stored_and_not_framed(call: Any) -> None:
    headers = (await call("POST", PERSON, GOOD)).headers

    assert ("no-store", "nosniff", "DENY") == tuple(
        headers[name] for name in ("cache-control", "x-content-type-options", "x-frame-options")
    )


async def test_answer_with_unknown_parts_says_when_to_ask_again(call: Any, hub: Any) -> None:
    hub.exchange.retry_after = 30

    assert "30" == (await call("POST", PERSON, GOOD)).headers["retry-after"]


# --- who asks -------------------------------------------------------------------------------------------------------


async def test_nobody_asks_nothing(stranger: Any, hub: Any) -> None:
    answer = await stranger("POST", PERSON, GOOD)

    assert (401, "urn:problem-type:belgif:noAccessToken", 'Bearer realm="integrator"', []) == (
        answer.status, answer.json()["type"], answer.headers["www-authenticate"], hub.exchange.asked,
    )  # fmt: skip


@pytest.mark.parametrize("value", ["Basic YTpi", "Bearer", "Bearer ", "Bearer x.y.z", "Token abc", "bearer é"])
async def test_token_that_is_none_asks_nothing(stranger: Any, hub: Any, value: str) -> None:
    answer = await stranger("POST", PERSON, GOOD, headers={"Authorization": value})

    assert (401, []) == (answer.status, hub.exchange.asked)


async def test_expired_token_says_so(make_hub: Callable[..., Any], caller: Any) -> None:
    clock = [1_790_000_000.0]
    hub = make_hub(now=lambda: clock[0])
    call = caller(build(hub).front, await hub.token())
    clock[0] += 301
    answer = await call("POST", PERSON, GOOD)

    assert (401, "urn:problem-type:belgif:expiredAccessToken") == (answer.status, answer.json()["type"])
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]


async def test_two_tokens_are_refused(api: Any, hub: Any, caller: Any) -> None:
    token = (await hub.token()).encode()
    headers = [
        (b"host", b"hub.example"),
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % len(GOOD)),
    ]
    answer = await caller(api.front).raw(
        "POST", PERSON, GOOD, [*headers, *[(b"authorization", b"Bearer " + token)] * 2]
    )

    assert (400, []) == (answer.status, hub.exchange.asked)


async def test_token_bound_to_a_case_brings_the_case(api: Any, hub: Any, caller: Any) -> None:
    details = '[{"type":"purpose","purpose":"resident_permit","dossier":"IX-77"}]'
    call = caller(api.front, await hub.token(purpose="", authorization_details=details))
    await call("POST", PERSON, b'{"ssin":"85660812341"}')

    assert "IX-77" == hub.exchange.asked[0].dossier


async def test_token_bound_to_a_case_is_for_no_other(api: Any, hub: Any, caller: Any) -> None:
    details = '[{"type":"purpose","purpose":"resident_permit","dossier":"IX-77"}]'
    call = caller(api.front, await hub.token(purpose="", authorization_details=details))
    answer = await call("POST", PERSON, GOOD)

    assert (400, "urn:problem-type:belgif-ext:input-validation:equalExpected", []) == (
        answer.status, answer.json()["issues"][0]["type"], hub.exchange.asked,
    )  # fmt: skip


# --- where it is asked ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["evil.example", "hub.example.evil", "", "127.0.0.1", "hub.example:1"])
async def test_other_host_is_misdirected(call: Any, hub: Any, host: str) -> None:
    assert (421, []) == ((await call("POST", PERSON, GOOD, headers={"Host": host})).status, hub.exchange.asked)


async def test_host_is_known_in_any_case(call: Any) -> None:
    assert 200 == (await call("POST", PERSON, GOOD, headers={"Host": "HUB.Example"})).status


async def test_probes_ask_by_any_host(stranger: Any) -> None:
    assert 200 == (await stranger("GET", "/livez", headers={"Host": "10.0.0.7"})).status


NUMBERS_IN_ADDRESSES = [
    "/person/v1/persons/85660812341", "/person/v1/persons/get?ssin=85660812341", "/enterprise/v1/enterprises/85660812341",
    "/enterprise/v1/enterprises/0314595348?x=85.66.08-123.41", "/85660812341", "/docs?lang=nl&q=85660812341", "/person/%38%35660812341",
    "/person/%2538%2535660812341", "/x?q=85%2E66%2E08-123%2E41", "/x?q=85+66+08+123+41", "/docs/85660812341",
    "/refData/codes/85660812341", "/person/v1/persons/get/85660812342",
]  # fmt: skip


@pytest.mark.parametrize("address", range(len(NUMBERS_IN_ADDRESSES)))
async def test_national_number_in_an_address_is_refused_and_not_repeated(call: Any, hub: Any, address: int) -> None:
    answer = await call("GET", NUMBERS_IN_ADDRESSES[address])
    flat = re.sub(r"\D", "", answer.body.decode().replace(answer.json()["instance"], ""))

    assert (400, []) == (answer.status, hub.exchange.asked)
    assert "body" in answer.json()["detail"]
    assert NUMBER not in flat


async def test_unknown_address_is_404_and_not_repeated(call: Any) -> None:
    answer = await call("GET", "/vrolijke-eekhoorn")

    assert (404, "urn:problem-type:belgif:resourceNotFound", False) == (
        answer.status,
        answer.json()["type"],
        b"eekhoorn" in answer.body,
    )


@pytest.mark.parametrize(
    "path",
    [
        PERSON + "/",
        "/person//v1/persons/get",
        "/person/v1/persons/ge%74",
        "/person%2Fv1/persons/get",
        "//person/v1/persons/get",
    ],
)
async def test_address_written_otherwise_is_no_service(call: Any, hub: Any, path: str) -> None:
    answer = await call("POST", path, GOOD)

    assert (404, []) == (answer.status, hub.exchange.asked)
    assert "location" not in answer.headers


async def test_other_method_is_405_and_names_the_right_one(call: Any) -> None:
    answer = await call("GET", PERSON)

    assert (405, "POST") == (answer.status, answer.headers["allow"])


async def test_query_on_a_service_that_reads_bodies_is_refused(call: Any, hub: Any) -> None:
    assert (400, []) == ((await call("POST", PERSON + "?fields=familyName", GOOD)).status, hub.exchange.asked)


async def test_get_reads_path_and_query_with_their_types(call: Any, hub: Any) -> None:
    await call(
        "GET", "/enterprise/v1/enterprises/0314595348?page=2&fields=count,plateNumber&history=true&dossierReference=A-1"
    )
    asked = hub.exchange.asked[0]

    assert {"enterpriseNumber": "0314595348", "page": 2} == asked.keys
    assert (frozenset({"count", "plateNumber"}), True, "A-1") == (asked.fields, asked.history, asked.dossier)


@pytest.mark.parametrize(
    ("target", "place"),
    [("0314595349", ("path", "enterpriseNumber")), ("0314595348?page=x", ("query", "page")), ("0314595348?pag=1", ("query", "pag")),
     ("0314595348?page=1&page=2", ("query", "query")), ("0314595348?page", ("query", "query")), ("abc", ("path", "enterpriseNumber"))],
)  # fmt: skip
async def test_wrong_input_of_a_get_names_its_place(call: Any, hub: Any, target: str, place: tuple[str, str]) -> None:
    answer = await call("GET", f"/enterprise/v1/enterprises/{target}")
    issue = answer.json()["issues"][0]

    assert (400, place, []) == (answer.status, (issue["in"], issue["name"]), hub.exchange.asked)


# --- what is asked --------------------------------------------------------------------------------------------------


async def test_wrong_input_names_every_place_and_repeats_no_value(call: Any, hub: Any) -> None:
    answer = await call("POST", PERSON, b'{"ssin":"85660812349","fields":["nobody"],"colour":"mauve"}')
    body = answer.json()

    assert {"/ssin", "/dossierReference", "/fields/0", "/colour"} == {issue["name"] for issue in body["issues"]}
    assert not [word for word in ("85660812349", "nobody", "mauve") if word.encode() in answer.body]
    assert [] == hub.exchange.asked


async def test_malformed_json_over_http_is_a_belgif_problem(call: Any) -> None:
    answer = await call("POST", PERSON, b'{"ssin":"85660812341","ssin":"92671504761"}')
    body = answer.json()

    assert ("application/problem+json", "urn:problem-type:belgif:badRequest", 400) == (
        answer.headers["content-type"], body["type"], body["status"],
    )  # fmt: skip
    assert "urn:problem-type:belgif:input-validation:schemaViolation" == body["issues"][0]["type"]


async def test_too_large_a_body_is_413_with_its_limit(call: Any) -> None:
    answer = await call("POST", PERSON, b" " * 70_000)

    assert (413, "urn:problem-type:belgif:payloadTooLarge", 65_536) == (
        answer.status,
        answer.json()["type"],
        answer.json()["limit"],
    )


@pytest.mark.parametrize("value", ["no spaces", "a" * 65, "é"])
async def test_scenario_that_is_none_is_refused(call: Any, hub: Any, value: str) -> None:
    assert (400, []) == (
        (await call("POST", PERSON, GOOD, headers={"Integrator-Test-Scenario": value})).status,
        hub.exchange.asked,
    )


async def test_scenario_is_passed_on_in_the_sandbox(call: Any, hub: Any) -> None:
    await call("POST", PERSON, GOOD, headers={"Integrator-Test-Scenario": "div.reset"})

    assert "div.reset" == hub.exchange.asked[0].scenario


async def test_scenario_does_not_exist_in_production(make_hub: Callable[..., Any], caller: Any) -> None:
    hub = make_hub(sandbox=False)
    answer = await caller(build(hub).front, await hub.token())(
        "POST", PERSON, GOOD, headers={"Integrator-Test-Scenario": "div.reset"}
    )

    assert (400, []) == (answer.status, hub.exchange.asked)


# --- errors ---------------------------------------------------------------------------------------------------------

ERRORS = [
    (
        PolicyDenied("EXPIRED", rule="permit@2026-1", advice="Renew it."),
        403,
        "missingPermission",
        {"reason": "EXPIRED", "rule": "permit@2026-1"},
    ),
    (SourceUnavailable("div"), 503, "serviceUnavailable", {"source": "div", "retryAfterSec": 30}),
    (SourceThrottled("div"), 503, "serviceUnavailable", {"source": "div", "retryAfterSec": 30}),
    (SourceRefused("ksz", "NOT_INTEGRATED"), 403, "missingPermission", {"reason": "NOT_INTEGRATED", "source": "ksz"}),
    (SourceFault("kbo", "SIGNATURE"), 502, "badGateway", {"reason": "SIGNATURE", "source": "kbo"}),
    (WrongSubject("kbo"), 502, "badGateway", {"reason": "WRONG_SUBJECT", "source": "kbo"}),
    (SubjectNotFound("kbo"), 404, "resourceNotFound", {"source": "kbo"}),
    (LedgerUnwritable(), 503, "serviceUnavailable", {"retryAfterSec": 5}),
    (HubBusy(), 503, "serviceUnavailable", {"retryAfterSec": 1}),
]


@pytest.mark.parametrize(("error", "status", "kind", "shown"), ERRORS, ids=[type(row[0]).__name__ for row in ERRORS])
async def test_error_becomes_its_problem(
    call: Any, hub: Any, error: Exception, status: int, kind: str, shown: dict[str, Any]
) -> None:
    hub.exchange.error = error
    answer = await call("POST", PERSON, GOOD)
    body = answer.json()

    assert (status, f"urn:problem-type:belgif:{kind}") == (answer.status, body["type"])
    assert shown == {name: body[name] for name in shown}
    assert body["detail"]
    assert str(shown.get("retryAfterSec", "-")) == answer.headers.get("retry-after", "-")


async def test_replaced_number_is_an_issue_with_the_new_one(call: Any, hub: Any) -> None:
    hub.exchange.error = SubjectReplaced("92671504761")
    answer = await call("POST", PERSON, GOOD)

    assert ("urn:problem-type:cbss:input-validation:replacedSsin", "92671504761") == tuple(
        answer.json()["issues"][0][name] for name in ("type", "replacedBy")
    )


async def test_replaced_number_without_leave_to_know_the_new_one_has_none(call: Any, hub: Any) -> None:
    hub.exchange.error = SubjectReplaced()

    assert "replacedBy" not in (await call("POST", PERSON, GOOD)).json()["issues"][0]


@pytest.mark.parametrize(
    "error", [ValueError(f"about {NUMBER} Eekhoorn"), ConfigurationError(f"{NUMBER} Eekhoorn"), KeyError("Eekhoorn")]
)
async def test_surprise_is_a_500_without_content_and_a_log_line_without_words(
    call: Any, hub: Any, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    caplog.set_level(logging.DEBUG)
    hub.exchange.error = error
    answer = await call("POST", PERSON, GOOD)
    written = answer.body.decode() + "".join(capsys.readouterr()) + caplog.text

    assert (500, "urn:problem-type:belgif:internalServerError") == (answer.status, answer.json()["type"])
    assert type(error).__name__ in written
    assert not [word for word in (NUMBER, "Eekhoorn", "Traceback") if word in written]


async def test_surprise_behind_the_front_is_a_500_without_content(
    stranger: Any, hub: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "health", lambda: 1 / 0)
    answer = await stranger("GET", "/health")

    assert (500, "urn:problem-type:belgif:internalServerError") == (answer.status, answer.json()["type"])
    assert "ZeroDivisionError" in capsys.readouterr().err


async def test_problem_names_its_own_trace(call: Any, hub: Any) -> None:
    hub.exchange.error = SubjectNotFound("kbo")
    answer = await call("POST", PERSON, GOOD)

    assert "urn:uuid:" == answer.json()["instance"][:9]
    assert answer.headers["belgov-trace-id"] == answer.json()["instance"][9:].replace("-", "")


# --- how many at once -----------------------------------------------------------------------------------------------


async def test_one_application_too_many_does_not_touch_the_other(make_hub: Callable[..., Any], caller: Any) -> None:
    hub = make_hub(limits={"perApplication": 2})
    hub.exchange.hold = asyncio.Event()
    front = build(hub).front
    one, other = caller(front, await hub.token()), caller(front, await hub.token("forest-parking"))
    waiting = [asyncio.create_task(one("POST", PERSON, GOOD)) for _ in range(2)]
    while len(hub.exchange.asked) < 2:
        await asyncio.sleep(0)
    refused = await one("POST", PERSON, GOOD)
    theirs = asyncio.create_task(other("POST", PERSON, GOOD))
    while len(hub.exchange.asked) < 3:
        await asyncio.sleep(0)
    hub.exchange.hold.set()

    assert (429, "urn:problem-type:belgif:tooManyRequests", 2, "1") == (
        refused.status, refused.json()["type"], refused.json()["limit"], refused.headers["retry-after"],
    )  # fmt: skip
    assert [200, 200, 200] == [answer.status for answer in await asyncio.gather(*waiting, theirs)]


async def test_full_hub_says_so_before_it_works(make_hub: Callable[..., Any], caller: Any) -> None:
    hub = make_hub(limits={"inFlight": 1})
    hub.exchange.hold = asyncio.Event()
    front = build(hub).front
    one, other = caller(front, await hub.token()), caller(front, await hub.token("forest-parking"))
    waiting = asyncio.create_task(one("POST", PERSON, GOOD))
    while not hub.exchange.asked:
        await asyncio.sleep(0)
    refused = await other("POST", PERSON, GOOD)
    hub.exchange.hold.set()
    await waiting

    assert (503, "1", 1) == (refused.status, refused.headers["retry-after"], len(hub.exchange.asked))


@pytest.mark.parametrize(
    "error", [None, SubjectNotFound("kbo"), ValueError("x")], ids=["answered", "refused", "surprised"]
)
async def test_place_is_given_back_whatever_happens(
    make_hub: Callable[..., Any], caller: Any, error: Exception | None
) -> None:
    hub = make_hub(limits={"inFlight": 1, "perApplication": 1})
    hub.exchange.error = error
    front = build(hub).front
    call = caller(front, await hub.token())
    first, second = (await call("POST", PERSON, GOOD)).status, (await call("POST", PERSON, b"{")).status
    hub.exchange.error = None

    assert second == 400
    assert first in (200, 404, 500)
    assert 200 == (await call("POST", PERSON, GOOD)).status
    assert 0 == front.in_flight


async def test_refusals_are_counted_by_kind(call: Any, stranger: Any, hub: Any) -> None:
    await stranger("POST", PERSON, GOOD)
    await call("GET", PERSON)

    assert (1.0, 1.0) == tuple(
        hub.metrics.registry.get_sample_value("integrator_edge_refusals_total", {"kind": kind})
        for kind in ("noAccessToken", "methodNotAllowed")
    )
