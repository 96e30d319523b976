"""What a serving hub does beside answering: settle, keep, forget, watch its texts. Each goes on until it is cancelled."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from audit import LedgerError
from integrator.clerk import keep_a_clerk
from integrator.contract import Connector
from integrator.errors import IntegratorError
from integrator.hub import Hub
from integrator.keeping import Keeper, until_night
from integrator.logs import log
from integrator.offices import forget_every_night
from integrator.opened.door import Opened
from integrator.opened.figures import Rule, publish


def begin(hub: Hub) -> list[asyncio.Task[Any]]:
    """All of them, as tasks of the running loop."""
    chores = [_first_look(hub), _settle_every_minute(hub), _look_after_conditions(hub)]
    chores += [hub.governing.live.watch(), hub.agents.acts.keep_recording()]
    if hub.consoles is not None:
        chores += [keep_a_clerk(hub.settings), forget_every_night(hub.consoles)]
    if hub.opened is not None:
        chores.append(_publish_every_hour(hub, hub.opened))
    if hub.keeper is not None:
        chores.append(_keep_every_day(hub.keeper))
    return [asyncio.create_task(chore) for chore in chores]


async def end(chores: Sequence[asyncio.Task[Any]]) -> None:
    """Cancel them, and wait until each has let go."""
    for chore in chores:
        chore.cancel()
    await asyncio.gather(*chores, return_exceptions=True)


async def _settle_every_minute(hub: Hub) -> None:
    """An intent whose outcome was never recorded becomes `unknown` within five minutes, and is shown as such."""
    while True:
        await asyncio.sleep(60)
        try:
            settled = await asyncio.to_thread(hub.publishing.tidy)
        except LedgerError as error:
            log.warning("settling_failed", error=type(error).__name__)
            continue
        if settled:
            log.warning("intents_settled_as_unknown", entries=settled)


async def _look_after_conditions(hub: Hub) -> None:
    """Idle leases go back every few seconds; emergencies are written and told every minute."""
    turn = 0
    while True:
        await asyncio.sleep(5)
        turn += 1
        try:
            await hub.quotas.tidy()
            if turn % 12 == 0:
                await asyncio.to_thread(hub.emergencies.settle, hub.publishing.ledger.append_blocking)
                hub.metrics.emergencies.set(await hub.emergencies.waiting())
        except (SQLAlchemyError, LedgerError, IntegratorError) as error:  # tried again at the next turn
            log.warning("conditions_not_looked_after", error=type(error).__name__)


async def _keep_every_day(keeper: Keeper) -> None:
    """What is no longer to be kept is erased, and yesterday's map is made, in a thread; after a start, then every night."""
    while True:
        await asyncio.to_thread(keeper.daily)
        await asyncio.sleep(until_night(keeper.now()))


async def _publish_every_hour(hub: Hub, opened: Opened) -> None:
    """Figures of months that are over; several processes may try, the first one's stay."""
    rule = Rule.read(hub.settings.open_data.get("statistics") or {})
    while True:
        await asyncio.sleep(3600)
        try:
            done = await asyncio.to_thread(publish, opened.published, hub.settings.ledger, rule, hub.clock())
        except (SQLAlchemyError, LedgerError) as error:  # tried again in an hour
            log.warning("figures_not_published", error=type(error).__name__)
            continue
        if done:
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
