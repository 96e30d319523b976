"""Chores: a turn that fails is logged and counted, and the next one comes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from audit.errors import StoreFailed
from integrator.chores import Chore, end, go_on
from integrator.consoles.vault import SealBroken
from integrator.metrics import Metrics


def failures(metrics: Metrics) -> float | None:
    return metrics.registry.get_sample_value("integrator_chore_failures_total", {"chore": "keeping"})


async def turns(metrics: Metrics, turn: Callable[[int], None], enough: int = 3) -> int:
    """The chore's turns until there were enough, or it ended."""
    taken = 0
    done = asyncio.Event()

    async def work() -> None:
        nonlocal taken
        taken += 1
        if taken == enough:
            done.set()
        turn(taken)

    task = asyncio.create_task(go_on(Chore("keeping", work, lambda: 0.0), metrics))
    waiting = asyncio.create_task(done.wait())
    await asyncio.wait({task, waiting}, return_when=asyncio.FIRST_COMPLETED, timeout=5)
    await asyncio.sleep(0)
    await end([task, waiting])
    return taken


@pytest.mark.parametrize("error", [SealBroken("sealed for somebody"), StoreFailed("gone"), ZeroDivisionError()], ids=["seal", "store", "unforeseen"])  # fmt: skip
async def test_a_turn_that_fails_is_followed_by_another(error: Exception, capsys: pytest.CaptureFixture[str]) -> None:
    metrics = Metrics()

    def once(number: int) -> None:
        if number == 1:
            raise error

    assert 3 <= await turns(metrics, once)
    assert 1.0 == failures(metrics)
    said = capsys.readouterr().err
    assert '"event": "chore_failed"' in said
    assert type(error).__name__ in said
    assert "sealed for somebody" not in said


async def test_a_chore_that_never_failed_is_seen_as_zero() -> None:
    metrics = Metrics()
    await turns(metrics, lambda number: None)

    assert 0.0 == failures(metrics)


async def test_a_chore_may_begin_with_its_pause() -> None:
    taken: list[int] = []

    async def work() -> None:
        taken.append(1)

    task = asyncio.create_task(go_on(Chore("keeping", work, lambda: 3600.0, at_once=False), Metrics()))
    await asyncio.sleep(0.01)
    await end([task])

    assert [] == taken
