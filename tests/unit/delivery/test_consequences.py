"""What an answer sets going: accepted with it or not at all, one after the other, and once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from integrator.checks_then import of_message
from integrator.delivery.consequences import consequences
from integrator.delivery.depositing import Message, uid_of
from integrator.delivery.terms import Sent
from integrator.delivery.withdrawing import Withdrawal
from integrator.errors import AnsweredAlready, LedgerUnwritable, MalformedRequest
from integrator.model import Caller, Request, Trace
from integrator.services import compile_service
from tests.unit.delivery.kit import GRANTS, NUMBER, RECEIVER, SENDER, SERVICES, House, house, policies

WORD = {"type": "enum", "values": ["yes", "no"], "required": True}
ASKED = {**SERVICES[1], "delivery": {**SERVICES[1]["delivery"], "answer": {"field": WORD, "proof": {"type": "text"}}, "then": {
    "when": {"field": "yes"}, "writes": [
        {"service": "first", "for": "recipient", "with": {"ssin": "question.ssin", "field": "answer.proof"}},
        {"service": "second", "for": "sender", "with": {"ssin": "question.ssin", "field": "dayBefore"}},
    ]}}}  # fmt: skip


def write(name: str) -> dict[str, Any]:
    kinds = {"field": {"type": "text", "required": True}}
    more = {"to": f"register.{name}", "confirm": "again", "follows": True, "content": kinds}
    return {**SERVICES[2], "service": name, "delivery": {**SERVICES[2]["delivery"], **more}}


DATA = (ASKED, write("first"), write("second"))


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[House]:
    with house("sqlite", tmp_path) as built:
        built.services |= {one["service"]: compile_service(one, {}, sandbox=frozenset()) for one in DATA}
        mine = [{"service": name, "as": ["sender"], "keys": ["ssin"], "fields": ["field"]} for name in ("first", "second")]
        asked = {"service": "person.report", "as": ["sender", "receiver"], "keys": ["ssin", "recipient"], "fields": ["field", "proof"]}
        built.may(policies([asked, *GRANTS[2:], *mine]))
        yield built


async def question(hub: House, key: str = "question-1") -> str:
    told = await hub.accept(key, mode="pull")
    return str(told.body["deliveryId"])


async def answered(hub: House, uid: str, content: dict[str, str], key: str = "answer-1", held: Any = None) -> Any:
    """As the counter does it."""
    held = held or hub.outbox.held(await hub.outbox.find(uid), "")
    caller = Caller(RECEIVER, "app", "school")
    request = Request("person.report", caller, {}, Trace("a" * 32, "b" * 16), frozenset(content), held.dossier, direction="receiver")
    then = consequences(hub.outbox, hub.services, held, Caller(SENDER, "app", "school"), request, content)
    message = Message(
        hub.outbox, uid_of(hub.outbox, request, key), "answer", "pull", "answers", (SENDER, "app", "school"), request, content,
        None, 7, question=uid, then=then, once=True,
    )  # fmt: skip
    return await hub.exchange.accept(request, message)


async def states(hub: House, uid: str) -> list[tuple[str, str]]:
    return [(service, state) for _, service, state, _ in await hub.outbox.after(uid)]


YES = {"field": "yes", "proof": "known"}


async def test_each_is_done_for_its_own_organisation_after_the_one_before_it(hub: House) -> None:
    uid = await question(hub)
    await answered(hub, uid, YES)
    assert [("first", "waiting"), ("second", "waiting")] == await states(hub, uid)

    await hub.carry()
    assert [("first", "delivered"), ("second", "waiting")] == await states(hub, uid)
    await hub.carry()

    sent = [(held.organisation, held.recipient, dict(held.keys), content) for held, content in hub.way.sent]
    assert [
        (RECEIVER, "register.first", {"ssin": NUMBER}, {"field": "known"}),
        (SENDER, "register.second", {"ssin": NUMBER}, {"field": "2026-11-22"}),
    ] == sent


async def test_an_answer_of_other_words_sets_nothing_going(hub: House) -> None:
    uid = await question(hub)
    await answered(hub, uid, {"field": "no"})

    assert [] == await states(hub, uid)


async def test_an_answer_that_could_not_be_recorded_set_nothing_going(
    hub: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    uid = await question(hub)

    async def unwritable(*_: Any, **__: Any) -> Any:
        raise LedgerUnwritable("full")

    with monkeypatch.context() as broken:
        broken.setattr("integrator.recording.Recording.outcomes", unwritable)
        with pytest.raises(LedgerUnwritable):
            await answered(hub, uid, YES)
    assert [] == await states(hub, uid)

    await answered(hub, uid, YES)
    assert 2 == len(await states(hub, uid))


async def test_the_same_answer_again_sets_the_same_going_once(hub: House) -> None:
    uid = await question(hub)
    first = await answered(hub, uid, YES)

    assert first.body == (await answered(hub, uid, YES)).body
    assert 2 == len(await states(hub, uid))


async def test_another_answer_after_the_first_is_refused(hub: House) -> None:
    uid = await question(hub)
    await answered(hub, uid, YES)

    with pytest.raises(AnsweredAlready):
        await answered(hub, uid, {"field": "no"}, "answer-2")


async def test_when_the_first_is_refused_the_next_is_not_done(hub: House) -> None:
    uid = await question(hub)
    await answered(hub, uid, YES)
    hub.way.says = [Sent("never", "NOT_REGISTERED")]
    await hub.carry()
    await hub.carry()

    assert [("first", "dead"), ("second", "dead")] == await states(hub, uid)
    assert ["register.first"] == [held.recipient for held, _ in hub.way.sent]
    assert "EARLIER_NOT_DONE" == (await hub.outbox.after(uid))[1][3]


async def test_while_the_first_waits_so_does_the_next(hub: House) -> None:
    uid = await question(hub)
    await answered(hub, uid, YES)
    hub.way.says = [Sent("again", "SOURCE_UNAVAILABLE"), Sent("delivered")]
    await hub.carry()
    assert [] == await hub.carry()

    hub.clock.now += 3600
    await hub.carry()
    await hub.carry()
    assert [("first", "delivered"), ("second", "delivered")] == await states(hub, uid)


async def test_an_answer_that_lacks_what_a_write_needs_is_refused_by_name(hub: House) -> None:
    uid = await question(hub)
    with pytest.raises(MalformedRequest) as refused:
        await answered(hub, uid, {"field": "yes"})

    assert ["/content/proof"] == [issue.name for issue in refused.value.issues]


def test_what_comes_from_nowhere_is_told_before_it_runs() -> None:
    wrong = {"when": {"field": "perhaps"}, "writes": [
        {"service": "first", "for": "sender", "with": {"ssin": "question.nothing", "other": "day"}},
        {"service": "nobody", "for": "sender", "with": {"ssin": "question.ssin"}},
    ]}  # fmt: skip
    data = {**ASKED, "delivery": {**ASKED["delivery"], "then": wrong}}
    services = {one["service"]: compile_service(one, {}, sandbox=frozenset()) for one in (data, *DATA[1:])}

    assert [
        "no answer says field: perhaps", "ssin: nothing is called question.nothing", "first has no other",
        "first needs field", "no service 'nobody' that `follows`",
    ] == [said for said, _ in of_message(services["person.report"], services)]  # fmt: skip


# --- taken back -------------------------------------------------------------------------------------------------------


async def withdrawn(hub: House, uid: str) -> Any:
    request = Request("person.report", Caller(SENDER, "app", "school"), {}, Trace("e" * 32, "f" * 16), direction="sender")
    return await hub.exchange.accept(request, Withdrawal(hub.outbox, uid))


async def test_what_is_taken_back_is_neither_fetched_nor_kept(hub: House) -> None:
    uid = await question(hub)
    await withdrawn(hub, uid)
    row = await hub.outbox.find(uid)

    assert ("purged", "WITHDRAWN", "expired", None) == (row["state"], row["reason"], row["answer"], row["sealed"])
    assert {"deliveryId": uid, "state": "withdrawn"} == (await withdrawn(hub, uid)).body


async def test_an_answer_to_what_was_taken_back_sets_nothing_going(hub: House) -> None:
    uid = await question(hub)
    held = hub.outbox.held(await hub.outbox.find(uid), "")  # read by the counter just before
    await withdrawn(hub, uid)
    with pytest.raises(AnsweredAlready):
        await answered(hub, uid, YES, held=held)

    assert [] == await states(hub, uid)


async def test_what_was_answered_is_not_taken_back(hub: House) -> None:
    uid = await question(hub)
    await answered(hub, uid, YES)
    with pytest.raises(AnsweredAlready):
        await withdrawn(hub, uid)

    assert 2 == len(await states(hub, uid))
