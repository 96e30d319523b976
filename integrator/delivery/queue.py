"""What is due next: from the outbox itself, or told by a broker. The outbox stays the truth: a broker carries names only.

OutboxQueue    leases what is due
BrokerQueue    (broker.py) a pump tells NATS JetStream what is due, any relay hears of it and leases it by name
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Protocol

from integrator.delivery.outbox import Outbox
from integrator.delivery.terms import Held

LEASE = 60.0  # seconds: longer than an attempt may take, with its two commits

Closed = Callable[[], Collection[str]]  # recipients that are left alone for a while


class Queue(Protocol):
    """Contract: every open message that is due is given to somebody within seconds, to one at a time, the first of its lane
    only; what is not settled by the end of its lease is given out again, as `lost`."""

    async def next(self, count: int) -> list[Held]:
        """At most so many, at once; [] when nothing is due now."""

    async def close(self) -> None: ...


class OutboxQueue:
    """Implements Queue over the database alone."""

    def __init__(self, outbox: Outbox, closed: Closed = lambda: (), *, lease: float = LEASE) -> None:
        self._outbox, self._closed, self._lease = outbox, closed, lease

    async def next(self, count: int) -> list[Held]:
        return await self._outbox.lease(count, self._lease, self._closed())

    async def close(self) -> None:
        """Nothing to close."""
