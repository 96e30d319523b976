"""NATS JetStream between outbox and relays: it spreads work over machines. It holds names of messages, never a value.

    pump: what is due ─► publish its name (Nats-Msg-Id = name and attempt: told twice is told once)
    next: durable consumer ─► lease by name in the outbox ─► acknowledge

Whatever the broker loses is told again, for it is still due in the outbox; a broker that is down is done without.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from integrator.delivery.outbox import Outbox
from integrator.delivery.queue import LEASE, Closed, OutboxQueue
from integrator.delivery.terms import Held
from integrator.errors import ConfigurationError
from integrator.logs import log

WINDOW = 10.0  # seconds in which a name is told once; then again, if it is still due
STREAM = "integrator-delivery"
_START = 5.0  # seconds
_PATIENCE = 2.0  # seconds for one turn: a broker may hold the line and say nothing
_REST = 10.0  # seconds that a broker which failed is left alone
_FETCH = 0.05  # seconds to wait for names that are on their way


class BrokerQueue:
    """Implements Queue. `connect` gives a nats-py client; see `open_broker`."""

    def __init__(
        self,
        outbox: Outbox,
        client: Any,
        stream: Any,
        consumer: Any,
        subject: str,
        closed: Closed = lambda: (),
        *,
        lease: float = LEASE,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._outbox, self._client, self._stream, self._consumer, self._subject = (
            outbox,
            client,
            stream,
            consumer,
            subject,
        )
        self._closed, self._lease, self._monotonic = closed, lease, monotonic
        self._told: dict[str, float] = {}  # message id -> when
        self._without = OutboxQueue(outbox, closed, lease=lease)
        self._down = False
        self._rests = 0.0  # until when (monotonic)

    async def next(self, count: int) -> list[Held]:
        if self._monotonic() < self._rests:
            return await self._without.next(count)
        try:
            async with asyncio.timeout(_PATIENCE):
                await self._pump(count)
                names = await self._fetch(count)
        except Exception as error:  # families of nats-py's own, OSError, TimeoutError: none may stop deliveries
            if not self._down:
                log.warning("broker_down", error=type(error).__name__)
            self._down, self._rests = True, self._monotonic() + _REST
            return await self._without.next(count)
        self._down = False
        return await self._outbox.take(names, self._lease) if names else []

    async def close(self) -> None:
        await _closed(self._client)

    async def _pump(self, count: int) -> None:
        now = self._monotonic()
        self._told = {name: at for name, at in self._told.items() if now - at < WINDOW}
        acks = []
        for uid, attempts in await self._outbox.due(2 * count, self._closed()):
            name = f"{uid}.{attempts}"
            if name not in self._told:
                acks.append(
                    await self._stream.publish_async(self._subject, uid.encode(), headers={"Nats-Msg-Id": name})
                )
                self._told[name] = now
        for ack in acks:
            await ack

    async def _fetch(self, count: int) -> list[str]:
        try:
            messages = await self._consumer.fetch(count, timeout=_FETCH)
        except TimeoutError:
            return []
        for message in messages:  # a name that is lost here is told again: what is due is due
            await message.ack()
        return [message.data.decode() for message in messages]


async def open_broker(
    outbox: Outbox, url: str, closed: Closed = lambda: (), *, lease: float = LEASE, stream: str = STREAM
) -> BrokerQueue:
    """Connect, make stream and durable consumer when absent. Raises `ConfigurationError` when it cannot be reached at start."""
    from nats.aio.client import Client  # late: only where a broker is configured
    from nats.js.api import AckPolicy, ConsumerConfig, RetentionPolicy, StreamConfig

    client = Client()
    try:
        async with asyncio.timeout(_START):  # told to reconnect for ever, the client tries the first time for ever too
            await client.connect(url, connect_timeout=2, max_reconnect_attempts=-1, error_cb=_quiet)
            jetstream = client.jetstream()
            subject = f"{stream}.due"
            await jetstream.add_stream(
                StreamConfig(
                    name=stream, subjects=[subject], retention=RetentionPolicy.WORK_QUEUE, duplicate_window=WINDOW,
                    max_age=3_600.0,
                )
            )  # fmt: skip
            consumer = await jetstream.pull_subscribe(
                subject, durable="relay", config=ConsumerConfig(ack_policy=AckPolicy.EXPLICIT, ack_wait=lease)
            )
    except Exception as error:
        await _closed(client)
        raise ConfigurationError(
            f"the broker cannot be used: {type(error).__name__}",
            advice="Look at the setting delivery.broker: NATS with JetStream must answer there. Left out, the database does.",
        ) from error
    return BrokerQueue(outbox, client, jetstream, consumer, subject, closed, lease=lease)


async def _closed(client: Any) -> None:
    with suppress(TimeoutError):  # what it still holds are names: they are told again
        async with asyncio.timeout(_PATIENCE):
            await client.close()


async def _quiet(error: Exception) -> None:
    log.warning("broker_error", error=type(error).__name__)
