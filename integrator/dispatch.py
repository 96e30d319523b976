"""Deliveries put together for a running hub: outbox, ways out, relay, chores. Knows every room; `app` opens and closes it.

ledger's database ─► outbox ─► queue (database or broker) ─► relay ─► carrying ─► webhooks · effects
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import aiohttp

from integrator.carrying import Carrying
from integrator.database import Database
from integrator.delivery.announcing import Announcer, Changed, Directory
from integrator.delivery.backoff import Backoff
from integrator.delivery.effects import Effect, Effects
from integrator.delivery.feed import Feed
from integrator.delivery.figures import DeliveryFigures
from integrator.delivery.outbox import Outbox
from integrator.delivery.queue import OutboxQueue, Queue
from integrator.delivery.relay import Relay
from integrator.delivery.relaying import Relaying
from integrator.delivery.sealing import Sealing
from integrator.delivery.subscriptions import Subscriptions
from integrator.delivery.webhooks.guard import open_way
from integrator.delivery.webhooks.pushing import Push
from integrator.delivery.webhooks.signing import Signer, load_keys
from integrator.delivery.writing import writes
from integrator.exchange import Exchange
from integrator.logs import log
from integrator.publishing import Logbook
from integrator.services import Service
from integrator.settings import Settings

_LEASE = 60.0  # seconds


class Nobody:
    """A directory of references in which nobody keeps a file: where none is connected, nobody is told anything."""

    async def recipients(self, subject: str, day: date) -> list[tuple[str, str, str]]:
        del subject, day
        return []


@dataclass(slots=True)
class Dispatch:
    """Everything the façades of deliveries use."""

    outbox: Outbox
    subscriptions: Subscriptions
    feed: Feed
    carrying: Carrying
    push: Push
    relay: Relay | None  # None: another process carries
    figures: DeliveryFigures
    announcers: Mapping[str, Announcer]  # by service of events
    keys: tuple[str, ...]  # public, newest first
    session: aiohttp.ClientSession
    keep_days: float
    _tasks: list[asyncio.Task[Any]] = field(default_factory=list)

    def start(self) -> None:
        """Carry, count and tidy in the background."""
        self._tasks.append(asyncio.create_task(self.figures.watch()))
        self._tasks.append(asyncio.create_task(self._tidy()))
        if self.relay is not None:
            self._tasks.append(asyncio.create_task(self.relay.run()))

    def wake(self) -> None:
        if self.relay is not None:
            self.relay.wake()

    async def close(self) -> None:
        """What is under way is brought to its end and recorded; the ledger MUST still be open."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.session.close()
        self.outbox.database.close()

    async def _tidy(self) -> None:
        """Once a minute: what nobody came for expires, recorded; what ended long ago is dropped."""
        while True:
            try:
                while held := await self.outbox.overdue(100, _LEASE):
                    await self.carrying.carry(held)
                await self.outbox.forget(self.outbox.ms() - int(self.keep_days * 86_400_000))
            except Exception as error:  # a chore that died silently would be an outage nobody sees
                log.warning("outbox_not_tidied", error=type(error).__name__)
            await asyncio.sleep(60)


async def open_dispatch(
    settings: Settings,
    book: Logbook,
    current: Callable[[], Exchange],
    *,
    directory: Directory | None = None,
    changed: Changed | None = None,
    keepers: Collection[str] = (),
) -> Dispatch:
    """Nothing runs yet: see `start`. `current`: the exchange, which is another one when the texts change. `keepers`: the
    organisations whose announcements are facts; `changed` hears of those.

    Raises `ConfigurationError`.
    """
    exchange = current()
    chosen = settings.delivery
    database = Database(settings.ledger, "delivery")
    session = open_way(sandbox=settings.sandbox)
    try:
        sealing = Sealing(book.keyring)
        outbox, subscriptions = Outbox(database, sealing, exchange.now), Subscriptions(database, sealing, exchange.now)
        signer = Signer(load_keys(settings.state / "keys", settings.mode))
        services = {name: one for name, one in exchange.services.items() if one.later is not None}
        effects = writes(
            exchange.services, exchange.connectors, lambda request: current().confirm(request), exchange.now
        )
        effects |= _relays(services, outbox, subscriptions, current)
        types = {name: one.later.type for name, one in services.items() if one.later is not None}
        push = Push(
            session,
            signer,
            subscriptions.target,
            types,
            issuer=settings.issuer,
            sandbox=settings.sandbox,
            now=exchange.now,
        )
        carrying = Carrying(
            services, lambda service, request: current().deciding.again(service, request), exchange.recorder, exchange.metrics, exchange.now, outbox,
            {"push": push, "effect": Effects(effects)},
            Backoff(float(chosen.get("firstRetrySeconds", 5)), float(chosen.get("longestRetrySeconds", 3600))),
            exchange.pseudonyms,
        )  # fmt: skip
        relay = None
        if chosen.get("relay", True):
            lease = float(chosen.get("leaseSeconds", _LEASE))
            relay = Relay(await _queue(outbox, push, str(chosen.get("broker") or ""), lease), carrying.carry)
        known = directory or Nobody()
        announcers = {
            name: Announcer(
                one,
                known,
                subscriptions,
                outbox,
                lambda request, deposit: current().tell(request, deposit),
                changed,
                keepers,
            )
            for name, one in services.items()
            if one.later is not None and one.later.kind == "event"
        }
    except BaseException:
        await session.close()
        database.close()
        raise
    figures = DeliveryFigures(outbox, relay, push)
    exchange.metrics.registry.register(figures)
    log.info("deliveries_opened", relay=relay is not None, broker=bool(chosen.get("broker")))
    return Dispatch(
        outbox, subscriptions, Feed(outbox, carrying.hand_out), carrying, push, relay, figures, announcers,
        tuple(key.public for key in signer.keys), session, float(chosen.get("keepDays", 30)),
    )  # fmt: skip


def _relays(
    services: Mapping[str, Service], outbox: Outbox, subscriptions: Subscriptions, current: Callable[[], Exchange]
) -> dict[str, Effect]:
    """The effect of every relay, by the name of its service."""
    return {
        name: Relaying(
            one.later.find,
            services[one.later.to],
            outbox,
            subscriptions,
            lambda request: current().confirm(request),
            lambda request, letter: current().tell(request, letter),
        )
        for name, one in services.items()
        if one.later is not None and one.later.find is not None and one.later.to is not None
    }


async def _queue(outbox: Outbox, push: Push, url: str, lease: float) -> Queue:
    if not url:
        return OutboxQueue(outbox, push.closed, lease=lease)
    from integrator.delivery.broker import open_broker  # late: nats-py only where it is used

    return await open_broker(outbox, url, push.closed, lease=lease)
