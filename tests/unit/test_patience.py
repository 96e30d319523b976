"""Patience ends as asyncio.timeout does, whoever cancels whom and when."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest

from integrator.patience import Patience

Wait = Callable[[float], AbstractAsyncContextManager[object]]


@asynccontextmanager
async def ours(seconds: float) -> AsyncIterator[None]:
    with Patience(seconds):
        yield


both = pytest.mark.parametrize("wait", [ours, asyncio.timeout], ids=["ours", "asyncio"])
NEVER = 3600.0


@both
async def test_what_ends_in_time_passes_and_leaves_nothing_behind(wait: Wait) -> None:
    async with wait(NEVER):
        await asyncio.sleep(0)

    assert 0 == asyncio.current_task().cancelling()  # type: ignore[union-attr]


@both
@pytest.mark.parametrize("seconds", [0.001, 0, -1], ids=["soon", "none left", "less than none"])
async def test_a_wait_that_takes_too_long_ends_in_a_timeout_and_the_task_lives_on(wait: Wait, seconds: float) -> None:
    with pytest.raises(TimeoutError):
        async with wait(seconds):
            await asyncio.Event().wait()

    await asyncio.sleep(0)  # no cancellation is left over
    assert 0 == asyncio.current_task().cancelling()  # type: ignore[union-attr]


@both
async def test_somebody_elses_cancellation_is_not_taken_for_impatience(wait: Wait) -> None:
    async def waiting() -> None:
        async with wait(NEVER):
            await asyncio.Event().wait()

    task = asyncio.create_task(waiting())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@both
async def test_both_cancellations_at_once_are_a_cancellation(wait: Wait) -> None:
    async def waiting() -> None:
        async with wait(0):
            await asyncio.Event().wait()

    task = asyncio.create_task(waiting())
    await asyncio.sleep(0)  # it waits, and its end is due at the next turn
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@both
async def test_an_error_from_inside_stays_what_it_is(wait: Wait) -> None:
    with pytest.raises(KeyError):
        async with wait(NEVER):
            raise KeyError

    with pytest.raises(KeyError):
        async with wait(0):
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                raise KeyError from None


@both
async def test_two_that_end_together_are_told_apart(wait: Wait) -> None:
    told = []
    try:
        async with wait(0.001):
            try:
                async with wait(0.001):
                    await asyncio.Event().wait()
            except TimeoutError:
                told.append("inner")
            await asyncio.Event().wait()
    except TimeoutError:
        told.append("outer")

    assert "outer" == told[-1]
    assert 0 == asyncio.current_task().cancelling()  # type: ignore[union-attr]


def test_outside_a_task_there_is_nobody_to_be_patient() -> None:
    with pytest.raises(RuntimeError), Patience(1):
        pass
