"""A source that is down is asked ever more seldom, and as often as before once it says; the hub and the package are no source."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from integrator.adapters import posts
from integrator.adapters.intake import Stopped
from integrator.adapters.posts import seldom
from integrator.adapters.ways.failing import WayFailed
from integrator.errors import LedgerUnwritable, SourceFault, SourceUnavailable

PAUSE = 2.0
DOWN = SourceUnavailable("best")
FAULT = SourceFault("best", "HTTP_500")


def stopped_by(cause: Exception) -> Stopped:
    """As the rows of a file are stopped."""
    stopped = Stopped(frozenset(), {})
    stopped.__cause__ = cause
    return stopped


class Over(Exception):
    """The turns are played."""


async def waits(*turns: Exception | None) -> list[float]:
    """Seconds that were waited after each turn, by a clock that waits for nobody; None: it went well."""
    left, waited = list(turns), list[float]()

    async def turn() -> None:
        if said := left.pop(0):
            raise said

    async def sleep(seconds: float) -> None:
        waited.append(seconds)
        if not left:
            raise Over

    with pytest.raises(Over):
        await posts._on_and_on(turn, "declarations", lambda *told, **words: None, PAUSE, sleep)
    return waited


async def test_a_source_that_stays_down_is_asked_half_as_often_each_time_and_every_five_minutes_in_the_end() -> None:
    assert [10, 20, 40, 80, 160, 300, 300] == await waits(*[stopped_by(DOWN)] * 7)


async def test_one_that_is_asked_for_events_and_not_for_rows_is_no_exception() -> None:
    assert [10, 20, 40] == await waits(*[DOWN] * 3)


async def test_one_that_says_nonsense_is_asked_as_seldom() -> None:
    assert [10, 20] == await waits(stopped_by(FAULT), stopped_by(FAULT))


async def test_once_it_says_it_is_asked_as_often_as_before() -> None:
    assert [10, 20, 2, 2, 10] == await waits(stopped_by(DOWN), stopped_by(DOWN), None, None, stopped_by(DOWN))


@pytest.mark.parametrize("error", [stopped_by(LedgerUnwritable()), WayFailed("WAY_CLOSED")], ids=["ledger", "package"])
async def test_what_is_wrong_beside_it_is_looked_at_every_time_and_is_no_word_of_the_source(error: Any) -> None:
    assert [10, 2, 2, 20] == await waits(stopped_by(DOWN), error, error, stopped_by(DOWN))


@pytest.mark.parametrize(("pause", "first", "last"), [(0.2, 1, 300), (2, 10, 300), (100, 300, 300), (900, 900, 900)])
def test_it_is_never_asked_more_often_than_one_looks(pause: float, first: float, last: float) -> None:
    assert (first, last) == (seldom(pause, 1), seldom(pause, 10_000))


async def test_while_it_waits_it_can_be_ended() -> None:
    began = asyncio.Event()

    async def turn() -> None:
        began.set()
        raise DOWN

    watching = asyncio.create_task(posts._on_and_on(turn, "declarations", lambda *told, **words: None, PAUSE))
    await began.wait()
    watching.cancel()

    with pytest.raises(asyncio.CancelledError):
        await watching
