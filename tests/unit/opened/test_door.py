"""One question of many people is asked once; what waits at the sources is bounded; other texts end old copies."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from integrator.errors import HubBusy, SourceUnavailable
from integrator.model import Answer, Caller, Trace
from integrator.opened.copies import Copies
from integrator.opened.door import Opened

TRACE = Trace("0" * 32, "0" * 16)


@dataclass
class Service:
    name: str


@dataclass
class Exchange:
    """Answers when it is let, and remembers what it was asked."""

    now: Any
    asked: list[Any] = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    error: Exception | None = None
    policies: Any = None

    async def answer(self, request):
        self.asked.append(request)
        await self.gate.wait()
        if self.error is not None:
            raise self.error
        return Answer({"n": 1}, b'{"n":1}', request.trace, (1, 2), "s")


@pytest.fixture
def clock():
    return [1000.0]


@pytest.fixture
def door(clock):
    exchange = Exchange(lambda: clock[0])
    return Opened(exchange, Caller("1970001407", "open-door", "p"), Copies(300, exchange.now), None, None, 60, 2)  # type: ignore[arg-type]


async def test_many_who_ask_the_same_cost_one_question(door):
    asking = [asyncio.create_task(door.ask(Service("a"), {"k": 1}, None, "fr", TRACE)) for _ in range(50)]
    await asyncio.sleep(0)
    door.exchange.gate.set()
    found = await asyncio.gather(*asking)

    assert 1 == len(door.exchange.asked)
    assert 1 == len({id(one) for one in found})


async def test_who_hangs_up_takes_the_answer_from_nobody(door):
    first = asyncio.create_task(door.ask(Service("a"), {}, None, "fr", TRACE))
    second = asyncio.create_task(door.ask(Service("a"), {}, None, "fr", TRACE))
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.sleep(0)
    door.exchange.gate.set()

    assert {"n": 1} == (await second).answer.body


async def test_no_more_questions_than_let_through_are_at_the_sources(door):
    waiting = [asyncio.create_task(door.ask(Service("a"), {"k": n}, None, "fr", TRACE)) for n in range(2)]
    await asyncio.sleep(0)
    with pytest.raises(HubBusy):
        await door.ask(Service("a"), {"k": 3}, None, "fr", TRACE)
    door.exchange.gate.set()
    await asyncio.gather(*waiting)

    assert 2 == len(door.exchange.asked)


@pytest.mark.parametrize("other", [({"k": 2}, None, "fr"), ({"k": 1}, frozenset({"f"}), "fr"), ({"k": 1}, None, "nl")])
async def test_another_question_field_or_language_is_asked_anew(door, other):
    door.exchange.gate.set()
    await door.ask(Service("a"), {"k": 1}, None, "fr", TRACE)
    await door.ask(Service("a"), *other, TRACE)

    assert 2 == len(door.exchange.asked)


async def test_a_failure_is_kept_for_nobody(door):
    door.exchange.gate.set()
    door.exchange.error = SourceUnavailable("best", "down")
    for _ in range(2):
        with pytest.raises(SourceUnavailable):
            await door.ask(Service("a"), {}, None, "fr", TRACE)

    assert 2 == len(door.exchange.asked)


async def test_a_copy_grows_old_and_says_since_when_it_says_the_same(door, clock):
    door.exchange.gate.set()
    first = await door.ask(Service("a"), {}, None, "fr", TRACE)
    clock[0] += 301
    second = await door.ask(Service("a"), {}, None, "fr", TRACE)

    assert (2, 1000.0, 1301.0) == (len(door.exchange.asked), second.changed, second.fetched)
    assert first.digest == second.digest


async def test_other_texts_end_what_was_fetched_under_the_old_ones(door):
    door.exchange.gate.set()
    await door.ask(Service("a"), {}, None, "fr", TRACE)
    door.exchange = replace(door.exchange, asked=[])
    door.swap("others")
    door.exchange.gate.set()
    await door.ask(Service("a"), {}, None, "fr", TRACE)

    assert ("others", 1) == (door.exchange.policies, len(door.exchange.asked))


def test_memory_for_copies_is_bounded():
    copies = Copies(300, lambda: 0.0, most=2)
    answer = Answer({}, b"{}", TRACE, (1,), "s")
    for question in (b"1", b"2", b"3"):
        copies.keep(question, answer)

    assert [False, True, True] == [copies.fresh(question) is not None for question in (b"1", b"2", b"3")]
