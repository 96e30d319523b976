"""Whatever a caller sends to the routes about callers, it is never our failure, and nothing of it comes back."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from integrator.api.app import build
from tests.unit.api import stand_in

WORDS = (
    "application", "title", "organisation", "purposes", "key", "proof", "contact", "certificateBound", "requestId", "secret", "order", "allPurposes", "service",
    "keys", "fields", "history", "dossier", "traceId", "entries", "receipt", "subject", "action", "resource", "context", "evaluations", "options", "type", "id",
    "name", "properties", "kid", "alg", "kty", "crv", "x", "y", "roles", "assurance", "purpose", "evaluations_semantic",
)  # fmt: skip
VALUES = (
    "person.get", "resident_permit", "0207373429", "*", "familyName", "ES256", "EC", "P-256", "application", "ixelles-parking", "a" * 32, "hub/test/1",
    "sandbox.x", "a.b.c", "e30.e30.e30", "eyJhbGciOiJub25lIn0.e30.AAAA", "deny_on_first_deny",
)  # fmt: skip
SECRET = "zq7-85660812341-zq7"
texts = st.one_of(st.sampled_from(VALUES), st.text(max_size=30), st.just(SECRET))
anything = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**53), 2**53), st.floats(allow_nan=False, allow_infinity=False), texts),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.one_of(st.sampled_from(WORDS), texts), inner, max_size=5)),
    max_leaves=25,
)  # fmt: skip
bodies = st.one_of(
    st.dictionaries(st.sampled_from(WORDS), anything, max_size=9), st.dictionaries(texts, anything, max_size=3)
)
PATHS = (
    "/enrolment/v1/requests", "/enrolment/v1/requests/status", "/enrolment/v1/keys/rotate", "/enrolment/v1/keys/revoke", "/enrolment/v1/keys/list",
    "/authorisation/v1/grants/mine", "/authorisation/v1/decisions/preview", "/authorisation/v1/decisions/explain", "/access/v1/evaluation", "/access/v1/evaluations",
)  # fmt: skip


@pytest.fixture(scope="module")
def caller(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[asyncio.AbstractEventLoop, Any]]:
    hub = stand_in.StandIn(tmp_path_factory.mktemp("hub"), time.time)
    loop = asyncio.new_event_loop()
    yield loop, stand_in.Caller(build(hub).front, loop.run_until_complete(hub.token()))
    loop.close()
    hub.enrolment.pile.close()
    hub.identity.close()


def sent(caller: Any, path: str, body: bytes, kind: str = "application/json") -> Any:
    loop, call = caller
    return loop.run_until_complete(call("POST", path, body, kind=kind))


@pytest.mark.parametrize("path", PATHS)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=bodies)
def test_any_json_at_all(caller: Any, path: str, body: dict[str, Any]) -> None:
    reply = sent(caller, path, orjson.dumps(body, option=orjson.OPT_NON_STR_KEYS))

    assert reply.status < 500
    assert SECRET.encode() not in reply.body


@pytest.mark.parametrize("path", PATHS)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.binary(max_size=200))
def test_any_bytes_at_all(caller: Any, path: str, body: bytes) -> None:
    assert sent(caller, path, body).status < 500


@pytest.mark.parametrize("path", [*PATHS, "/docs/rights"])
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.binary(max_size=60), kind=st.sampled_from(["text/plain", "application/x-www-form-urlencoded", "application/json; charset=utf-16", ""]))
def test_any_kind_of_body(caller: Any, path: str, body: bytes, kind: str) -> None:
    assert sent(caller, path, body, kind).status < 500


SUBJECT = {"type": "application", "id": "ixelles-parking"}
evaluation = st.fixed_dictionaries(
    {
        "subject": st.one_of(st.just(SUBJECT), st.fixed_dictionaries({"type": texts, "id": texts, "properties": anything})),
        "action": st.fixed_dictionaries({"name": texts}, optional={"properties": anything}),
        "resource": st.fixed_dictionaries({"type": texts, "id": texts}, optional={"properties": anything}),
    },
    optional={"context": anything, "evaluations": st.lists(anything, max_size=3), "options": anything},
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=evaluation)
def test_any_evaluation_is_a_decision_or_a_bad_request(caller: Any, body: dict[str, Any]) -> None:
    reply = sent(caller, "/access/v1/evaluations", orjson.dumps(body, option=orjson.OPT_NON_STR_KEYS))

    assert reply.status in (200, 400)
    if reply.status == 200:
        told = reply.json()
        assert all(isinstance(one["decision"], bool) for one in told.get("evaluations", [told]))
