"""Limits that several processes share: never one question too many, and nothing kept back that nobody uses."""

from __future__ import annotations

import asyncio
import multiprocessing
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from integrator.database import Database
from integrator.errors import ConditionUnknown
from integrator.model import Caller
from integrator.policy.terms import Limits
from integrator.quotas import Quotas, Table, Want, wants
from integrator.quotas.tables import TAKEN
from tests.unit.audit.kit import ENGINES, engine_url

NOON = 1_795_435_200.0  # 2026-11-23 12:00 UTC
DAY = 86_400


class Clock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> float:
        return self.now


@pytest.fixture(params=ENGINES)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    with engine_url(request.param, tmp_path) as place:
        yield place


def process(url: str, clock: Any = lambda: NOON, lease: int = 32) -> Quotas:
    return Quotas(Table(Database(url, "quotas")), clock, lease=lease)


def a_day(limit: int, key: str = "line") -> Want:
    return Want(key, DAY, limit)


async def spend(quotas: Quotas, *wanted: Want, most: int = 10_000) -> int:
    """Questions answered until one is refused."""
    for count in range(most):
        if await quotas.take(wanted) is not None:
            return count
    return most


async def test_the_limit_is_the_limit_and_what_comes_after_waits_for_the_next_day(url):
    quotas = process(url)

    assert 100 == await spend(quotas, a_day(100))
    assert 43_200 == await quotas.take([a_day(100)])
    await quotas.close()


async def test_a_new_window_begins_with_a_whole_limit(url):
    clock = Clock()
    quotas = process(url, clock)
    await spend(quotas, Want("line", 60, 5))
    clock.now += 60

    assert 5 == await spend(quotas, Want("line", 60, 5))
    await quotas.close()


async def test_two_processes_together_answer_exactly_what_the_limit_says(url):
    one, other = process(url), process(url)
    answered = 0
    for turn in range(400):
        answered += await (one if turn % 3 else other).take([a_day(217)]) is None
    await one.close()
    await other.close()

    assert 217 == answered


async def test_what_a_process_did_not_use_is_given_back_when_it_ends(url):
    one, other = process(url), process(url)
    await one.take([a_day(300)])
    await one.close()

    assert 299 == await spend(other, a_day(300))
    await other.close()


async def test_an_idle_lease_goes_back_while_its_process_lives(url):
    one, other = process(url), process(url)
    await one.take([a_day(300)])
    await one.tidy()  # it was used since the last look
    await one.tidy()  # and now it was not

    assert 299 == await spend(other, a_day(300))
    await one.close()
    await other.close()


@pytest.mark.parametrize("meanwhile", [0, DAY], ids=["the same day", "at midnight"])
async def test_a_lease_that_is_being_filled_is_not_thrown_away(url, monkeypatch, meanwhile):
    clock = Clock()
    one, other = process(url, clock), process(url, clock)
    asked, go = threading.Event(), threading.Event()
    real = one._table.lease

    def slow(*what: Any) -> int:
        found = real(*what)
        asked.set()
        go.wait(10)
        return found

    monkeypatch.setattr(one._table, "lease", slow)
    first = asyncio.create_task(one.take([a_day(300)]))
    await asyncio.to_thread(asked.wait, 10)
    clock.now += meanwhile
    await one.tidy()
    await one.tidy()
    clock.now -= meanwhile
    go.set()
    assert await first is None
    await one.close()

    assert 299 == await spend(other, a_day(300))
    await other.close()


async def test_a_process_that_dies_wastes_at_most_one_lease(url):
    dead, other = process(url, lease=16), process(url, lease=16)
    await dead.take([a_day(1000)])  # and is never heard of again
    left = await spend(other, a_day(1000))
    await other.close()
    dead._table.database.close()

    assert 1000 - 16 <= left <= 999


async def test_one_limit_that_is_used_up_takes_nothing_of_the_others(url):
    quotas = process(url)
    await spend(quotas, a_day(1, "agent"))
    for _ in range(50):
        await quotas.take([a_day(60, "application"), a_day(1, "agent")])

    assert 60 == await spend(quotas, a_day(60, "application"))
    await quotas.close()


async def test_a_hundred_questions_at_once_stay_within_the_limit(url):
    quotas = process(url)
    found = await asyncio.gather(*(quotas.take([a_day(64)]) for _ in range(100)))

    assert 64 == found.count(None)
    await quotas.close()


async def test_a_hundred_questions_at_once_ask_the_table_little(url, monkeypatch):
    quotas = process(url)
    leased, at_once = [], [0, 0]
    real = quotas._table.lease

    def lease(*what: Any) -> int:
        at_once[0] += 1
        at_once[1] = max(at_once)
        leased.append(real(*what))
        at_once[0] -= 1
        return leased[-1]

    monkeypatch.setattr(quotas._table, "lease", lease)
    found = await asyncio.gather(*(quotas.take([a_day(6_400)]) for _ in range(100)))

    assert 100 == found.count(None)
    assert ([32, 32, 32, 32], 1) == (leased, at_once[1])  # who waits takes of what the one before him was given
    await quotas.close()


async def test_a_table_that_cannot_be_asked_is_no_yes_and_no_no(url, monkeypatch):
    quotas = process(url)

    def broken(*_: Any) -> int:
        raise OperationalError("lease", {}, Exception("gone"))

    monkeypatch.setattr(quotas._table, "lease", broken)
    with pytest.raises(ConditionUnknown) as raised:
        await quotas.take([a_day(10)])

    assert "QUOTA_UNKNOWN" == raised.value.reason
    await quotas.close()


async def test_no_agent_stands_in_the_table(url):
    quotas = process(url)
    grant: Any = type("Line", (), {"id": "a@2026-1#1", "limits": Limits(10, 100, 5)})
    await quotas.take(quotas.wants([grant], Caller("0207000010", "desk", "tax", "a.7f3")))
    rows = quotas._table.database.now(lambda connection: connection.execute(select(TAKEN.c.key)).scalars().all())

    assert 3 == len(rows)
    assert not [key for key in rows if "a.7f3" in key]
    await quotas.close()


def test_two_agents_have_a_share_each_and_one_application_has_one_limit():
    grant: Any = type("Line", (), {"id": "a@2026-1#1", "limits": Limits(None, 100, 5)})
    one, other = (list(wants([grant], Caller("0207000010", "desk", "tax", agent), str)) for agent in ("a", "b"))

    assert one[0] == other[0]
    assert one[1] != other[1]


async def test_windows_that_are_over_are_forgotten(url):
    clock = Clock()
    quotas = process(url, clock)
    await quotas.take([Want("line", 60, 5)])
    clock.now += 3 * DAY
    await quotas.tidy()
    rows = quotas._table.database.now(lambda connection: connection.execute(select(TAKEN)).all())

    assert [] == rows
    await quotas.close()


def spender(url: str, answered: Any) -> None:
    """What one of two processes does: spend until nothing is left, or be killed after the first question."""

    async def work() -> int:
        quotas = process(url, lease=8)
        count = await spend(quotas, a_day(500), most=400)
        await quotas.close()
        return count

    answered.put(asyncio.run(work()))


def test_two_processes_of_the_machine_stay_within_the_limit(url):
    context = multiprocessing.get_context("spawn")
    answered = context.Queue()
    both = [context.Process(target=spender, args=(url, answered)) for _ in range(2)]
    for one in both:
        one.start()
    counts = [answered.get(timeout=120) for _ in both]
    for one in both:
        one.join(60)

    assert 500 == sum(counts)
