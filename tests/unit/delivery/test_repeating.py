"""An answer says again what it is about: one to other figures is refused and recorded, and the message still awaits its answer."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.client import Problem
from integrator.checks_then import of_message
from integrator.commands.adapter_run import _refusal as refusal_over_http
from integrator.errors import AnsweredAlready, NotAsAsked, PolicyDenied
from integrator.services import compile_service
from integrator.taking_part import _refusal as refusal_in_hub
from tests.unit.delivery.kit import GRANTS, SERVICES, House, entries, policies
from tests.unit.delivery.test_answering import GOT, MINE, SENT, THEIRS, Doors

WORD = {"type": "text", "required": True}
SERVICE: dict[str, Any] = SERVICES[1]
ASKED: dict[str, Any] = {**SERVICE, "delivery": {
    **SERVICE["delivery"], "answer": {"field": {**WORD, "description": "again"}, "decision": WORD}, "repeats": ["field"],
}}  # fmt: skip
RIGHT, WRONG = {"decision": "approved", "field": "street"}, {"decision": "approved", "field": "other-street"}


def grants(receiver: list[str]) -> list[dict[str, Any]]:
    mine = {"service": "person.report", "keys": ["ssin", "recipient"]}
    fields = ["field", "decision"]
    return [GRANTS[0], {**mine, "as": ["sender"], "fields": fields}, {**mine, "as": ["receiver"], "fields": receiver}]


def allow(doors: Doors, receiver: list[str]) -> None:
    doors.hub.may(policies(grants(receiver), purposes=[MINE, THEIRS]))
    doors.counter._hub.exchange = doors.hub.exchange  # type: ignore[misc]


@pytest.fixture
async def asked(small: House) -> tuple[Doors, str]:
    """Doors of deliveries, and a message that was fetched and awaits its answer."""
    small.services["person.report"] = compile_service(ASKED, {}, sandbox=frozenset())
    doors = Doors(small)
    allow(doors, ["field", "decision"])
    subscription = await doors.follow(THEIRS)
    sent = await doors.send()
    await doors.counter.fetch(GOT, subscription, None, 10)
    return doors, sent


async def answer(doors: Doors, sent: str, content: dict[str, str], key: str = "answer-1") -> Any:
    return await doors.counter.answer(GOT, sent, key, content, doors.trace())


async def test_an_answer_to_another_figure_is_refused_by_name_and_never_by_value(asked: tuple[Doors, str]) -> None:
    with pytest.raises(NotAsAsked) as refused:
        await answer(*asked, WRONG)

    assert [("equalExpected", "/content/field")] == [(one.kind, one.name) for one in refused.value.issues]
    assert "street" not in f"{refused.value} {refused.value.issues}"


async def test_the_refusal_is_recorded_and_the_message_still_awaits_its_answer(asked: tuple[Doors, str]) -> None:
    doors, sent = asked
    with pytest.raises(NotAsAsked) as refused:
        await answer(doors, sent, WRONG)
    last = entries(doors.hub.ledger)[-1]

    assert ("outcome", "NOT_AS_ASKED") == (last["type"], last["reason_code"])
    assert refused.value.recorded
    assert "awaiting" == (await doors.counter.look(SENT, sent, None))["answer"]


async def test_mended_under_the_same_key_it_is_the_answer(asked: tuple[Doors, str]) -> None:
    """As a row of quarantine is: it keeps its key."""
    doors, sent = asked
    with pytest.raises(NotAsAsked):
        await answer(doors, sent, WRONG)
    await answer(doors, sent, RIGHT)
    told = await doors.counter.look(SENT, sent, None)

    assert [RIGHT] == [one["data"]["content"] for one in told["answers"]["items"]]


async def test_an_answer_that_got_lost_is_sent_again_and_another_one_comes_too_late(asked: tuple[Doors, str]) -> None:
    """What the message said is gone by then: nothing could be compared with it."""
    doors, sent = asked
    first = await answer(doors, sent, RIGHT)

    assert first.body == (await answer(doors, sent, RIGHT)).body
    for number, content in enumerate((RIGHT, WRONG), start=2):
        with pytest.raises(AnsweredAlready):
            await answer(doors, sent, content, f"answer-{number}")


async def test_who_may_not_read_a_figure_cannot_guess_it(asked: tuple[Doors, str]) -> None:
    doors, sent = asked
    allow(doors, ["decision"])
    for number, content in enumerate((RIGHT, WRONG)):
        with pytest.raises(PolicyDenied):
            await answer(doors, sent, content, f"answer-{number}")


def test_a_row_that_answers_another_figure_waits_with_its_own_reason_on_both_ways() -> None:
    over_http = Problem(400, {"type": "urn:problem-type:belgif:badRequest", "code": "NOT_AS_ASKED"}, None, None)

    assert ("NOT_AS_ASKED", "NOT_AS_ASKED") == (refusal_in_hub(NotAsAsked()), refusal_over_http(over_http))


@pytest.mark.parametrize(("change", "said"), [
    ({}, []),
    ({"repeats": ["nothing"]}, ["nothing: message and answer both need it"]),
    ({"repeats": ["secret"]}, ["secret: message and answer both need it"]),
    ({"answer": {"field": {"type": "text"}, "decision": WORD}}, ["field: message and answer both need it"]),
    ({"answer": {"field": {"type": "date", "required": True}}}, ["field: message and answer write it otherwise"]),
    ({"answerDays": None}, ["an answer repeats it, and none is awaited"]),
], ids=["fits", "of_nothing", "of_what_may_be_left_out", "answer_may_leave_it_out", "another_form", "no_answer"])  # fmt: skip
def test_what_an_answer_cannot_repeat_is_told_before_it_runs(change: dict[str, Any], said: list[str]) -> None:
    service = compile_service({**ASKED, "delivery": {**ASKED["delivery"], **change}}, {}, sandbox=frozenset())

    assert said == [what for what, _ in of_message(service, {"person.report": service})]


def test_a_message_whose_answer_repeats_nothing_is_answered_as_often_as_wished() -> None:
    service = compile_service(SERVICE, {}, sandbox=frozenset())
    repeating = compile_service(ASKED, {}, sandbox=frozenset())

    assert (False, True) == tuple(one.later is not None and one.later.once for one in (service, repeating))
