"""A write as a service's data names it: which connector is asked to do it, and who is asked whether it happened."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import pytest

from integrator.contract import Question, Reply
from integrator.delivery.effects import Effects
from integrator.delivery.writing import writes
from integrator.errors import (
    ConfigurationError,
    PolicyDenied,
    SourceFault,
    SourceRefused,
    SourceThrottled,
    SourceUnavailable,
    SubjectNotFound,
)
from integrator.model import Answer, Request, Trace
from integrator.services import Service, compile_service
from tests.unit.delivery.kit import NOW, NUMBER, SERVICES, TEXT
from tests.unit.delivery.test_webhooks import held

DECLARE = SERVICES[2] | {"delivery": SERVICES[2]["delivery"] | {
    "to": "register.declare", "confirm": {"service": "person.declared", "keys": ["ssin", "field"]},
}}  # fmt: skip
DECLARED = {
    "service": "person.declared", "route": "POST /d", "title": TEXT, "subject": {"key": "ssin", "type": "nrn"},
    "keys": {"ssin": {"type": "ssin"}, "field": {"type": "text"}}, "source": "register", "operation": "declared", "list": "found",
}  # fmt: skip
CONTENT = {"field": "street"}


def unsent(error: SourceUnavailable) -> SourceUnavailable:
    error.sent = False
    return error


class Register:
    """Connector and answering service in one: does as it is told, remembers what it was asked."""

    def __init__(self) -> None:
        self.fails: Exception | None = None
        self.found: Mapping[str, Any] | Exception = {"found": []}
        self.done: list[Question] = []
        self.asked: list[Request] = []

    async def ask(self, question: Question) -> Reply:
        self.done.append(question)
        if self.fails is not None:
            raise self.fails
        return Reply({})

    async def check(self) -> None:
        """Nothing to check."""

    async def confirm(self, request: Request) -> Answer:
        self.asked.append(request)
        if isinstance(self.found, Exception):
            raise self.found
        return Answer(self.found, b"", Trace("0" * 32, "0" * 16), (1,), "s")


def services(*data: Mapping[str, Any]) -> dict[str, Service]:
    return {one["service"]: compile_service(one, {}, sandbox=frozenset()) for one in data}


@pytest.fixture
def register() -> Register:
    return Register()


@pytest.fixture
def effects(register: Register) -> Effects:
    return Effects(writes(services(DECLARE, DECLARED), {"register": register}, register.confirm, lambda: NOW))


def message(**more: Any) -> Any:
    return held(recipient="register.declare", service="person.declare", mode="effect", keys={"ssin": NUMBER}, **more)


async def test_the_connector_is_asked_once_with_keys_and_what_is_granted(effects: Effects, register: Register) -> None:
    sent = await effects.send(message(), CONTENT)
    [question] = register.done

    assert ("delivered", "declare", {"ssin": NUMBER, "field": "street"}) == (
        sent.verdict, question.operation, question.keys,
    )  # fmt: skip
    assert ("a" * 32, []) == (question.ticket, register.asked)


async def test_a_write_ends_before_its_lease_does(effects: Effects, register: Register) -> None:
    started = time.monotonic()
    for seconds in (10, 600):
        await effects.send(message(leased_until=int((NOW + seconds) * 1000)), CONTENT)
    short, long = (question.deadline - started for question in register.done)

    assert (True, True) == (7 < short < 9, 39 < long < 42)


@pytest.mark.parametrize(("failure", "verdict"), [
    (SourceUnavailable("register"), "unknown"), (unsent(SourceUnavailable("register")), "again"),
    (SourceThrottled("register"), "again"), (SourceFault("register", "SCHEMA"), "unknown"),
    (SourceRefused("register", "REFUSED"), "never"),
], ids=["no_reply", "not_reached", "throttled", "not_to_be_believed", "refused"])  # fmt: skip
async def test_what_may_have_happened_is_unknown_and_nothing_else_is(
    effects: Effects, register: Register, failure: Exception, verdict: str
) -> None:
    register.fails = failure

    assert verdict == (await effects.send(message(), CONTENT)).verdict


@pytest.mark.parametrize(("found", "verdict", "done"), [
    ({"found": [{}]}, "delivered", 0), ({"found": []}, "delivered", 1), (SubjectNotFound("register"), "delivered", 1),
    ({"found": [], "isComplete": False}, "unknown", 0), (SourceUnavailable("register"), "unknown", 0),
    (PolicyDenied("SERVICE_NOT_GRANTED", rule=None, advice=""), "unknown", 0),
], ids=["there", "not_there", "nobody_there", "perhaps_further_on", "down", "may_not_ask"])  # fmt: skip
async def test_what_nobody_knows_is_asked_and_repeated_only_when_it_is_surely_not_there(
    effects: Effects, register: Register, found: Any, verdict: str, done: int
) -> None:
    register.found = found
    sent = await effects.send(message(lost=True), CONTENT)

    assert (verdict, done) == (sent.verdict, len(register.done))


async def test_it_is_asked_for_the_body_that_has_it_written_under_the_same_purpose(
    effects: Effects, register: Register
) -> None:
    one = message(lost=True, dossier="2026/7")
    await effects.send(one, CONTENT)
    [request] = register.asked

    assert ("person.declared", {"ssin": NUMBER, "field": "street"}) == (request.service, request.keys)
    assert (one.organisation, one.application, one.purpose, one.trace, "2026/7") == (
        request.caller.organisation, request.caller.application, request.caller.purpose, request.trace.related, request.dossier,
    )  # fmt: skip


@pytest.mark.parametrize("connectors", [{}, {"another": None}], ids=["none", "another"])
def test_a_write_to_nobody_stops_the_start(register: Register, connectors: Any) -> None:
    with pytest.raises(ConfigurationError):
        writes(services(DECLARE, DECLARED), connectors, register.confirm, lambda: NOW)


def test_a_write_that_nobody_can_confirm_stops_the_start(register: Register) -> None:
    with pytest.raises(ConfigurationError):
        writes(services(DECLARE), {"register": register}, register.confirm, lambda: NOW)
