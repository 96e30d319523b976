"""What a serving hub does beside answering: settle, keep, forget, watch its texts. Each goes on until it is cancelled.

A turn that fails, whatever it fails of, is logged and counted by name, and the next turn comes as if it had not.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from integrator.clerk import keep_a_clerk
from integrator.contract import Connector
from integrator.errors import IntegratorError
from integrator.hub import Hub
from integrator.keeping import until_night
from integrator.logs import log
from integrator.metrics import Metrics
from integrator.offices import tell_news
from integrator.opened.door import Opened
from integrator.opened.figures import Rule, publish


@dataclass(frozen=True, slots=True)
class Chore:
    """Turns with pauses between them. `name` is what operators see."""

    name: str
    turn: Callable[[], Awaitable[Any]]
    pause: Callable[[], float]  # seconds until the next turn, asked when one is over
    at_once: bool = True  # the first turn is at the start; else a pause is


def begin(hub: Hub) -> list[asyncio.Task[Any]]:
    """All of them, as tasks of the running loop."""
    tasks = [asyncio.create_task(take_turn("first_look", partial(_first_look, hub), hub.metrics))]
    return tasks + [asyncio.create_task(go_on(chore, hub.metrics)) for chore in _chores(hub)]


async def end(chores: Sequence[asyncio.Task[Any]]) -> None:
    """Cancel them, and wait until each has let go."""
    for chore in chores:
        chore.cancel()
    await asyncio.gather(*chores, return_exceptions=True)


async def go_on(chore: Chore, metrics: Metrics) -> None:
    """Turn after turn, until cancelled."""
    metrics.chore_failures.labels(chore.name)  # seen as 0: who watches it sees the first failure as a step
    if not chore.at_once:
        await asyncio.sleep(chore.pause())
    while True:
        await take_turn(chore.name, chore.turn, metrics)
        await asyncio.sleep(chore.pause())


async def take_turn(name: str, turn: Callable[[], Awaitable[Any]], metrics: Metrics) -> None:
    """One turn; never raises."""
    try:
        await turn()
    except Exception as error:  # also what nobody thought of: a chore that ended would be missed by nobody
        log.error("chore_failed", kind=name, error=type(error).__name__)
        metrics.chore_failures.labels(name).inc()


def _chores(hub: Hub) -> Iterator[Chore]:
    def seconds(pause: float) -> Callable[[], float]:
        return lambda: pause

    def night() -> float:
        return until_night(hub.clock())

    yield Chore("settling", partial(_settle, hub), seconds(60), at_once=False)
    yield Chore("quotas", hub.quotas.tidy, seconds(5), at_once=False)
    yield Chore("emergencies", partial(_look_after_emergencies, hub), seconds(60), at_once=False)
    # Both approved, and the process that was about to let it in died: done at the start, and every minute.
    yield Chore("enrolments", hub.enrolment.finish, seconds(60))
    # These go on by themselves; should one ever end, it is begun again.
    yield Chore("texts", hub.governing.live.watch, seconds(5))
    yield Chore("agents", hub.agents.acts.keep_recording, seconds(5))
    yield Chore("standing", hub.agents.standing.keep_looking, seconds(1))
    if hub.consoles is not None:
        yield Chore("clerk", partial(keep_a_clerk, hub.settings), seconds(5))
        yield Chore("notices", partial(tell_news, hub.consoles), night)
        yield Chore("forgetting", hub.consoles.extras["casefiles"].forget, night)
    if hub.opened is not None:
        yield Chore("figures", partial(_publish_figures, hub, hub.opened), seconds(3600), at_once=False)
    if hub.keeper is not None:
        yield Chore("keeping", partial(asyncio.to_thread, hub.keeper.daily), night)


async def _settle(hub: Hub) -> None:
    """An intent whose outcome was never recorded becomes `unknown` within five minutes, and is shown as such."""
    if settled := await asyncio.to_thread(hub.publishing.tidy):
        log.warning("intents_settled_as_unknown", entries=settled)


async def _look_after_emergencies(hub: Hub) -> None:
    """They are written, and told when nobody decided in time."""
    await asyncio.to_thread(hub.emergencies.settle, hub.publishing.ledger.append_blocking)
    hub.metrics.emergencies.set(await hub.emergencies.waiting())


async def _publish_figures(hub: Hub, opened: Opened) -> None:
    """Figures of months that are over; several processes may try, the first one's stay."""
    rule = Rule.read(hub.settings.opened.get("statistics") or {})
    if done := await asyncio.to_thread(publish, opened.published, hub.settings.ledger, rule, hub.clock()):
        log.info("figures_published", months=len(done))


async def _first_look(hub: Hub) -> None:
    """Tell the operator which sources answer; files are read now rather than by the first caller. Nothing waits for it."""

    async def look(name: str, connector: Connector) -> None:
        for patience in (0.5, 1, 2, 4, 0):  # sources and hub may be starting side by side
            try:
                await asyncio.wait_for(connector.check(), timeout=10)
                return
            except (IntegratorError, TimeoutError) as error:
                if not patience:
                    log.warning("source_not_ready", source=name, error=type(error).__name__)
            await asyncio.sleep(patience)

    await asyncio.gather(*(look(name, connector) for name, connector in hub.exchange.connectors.items()))
