"""How deliveries do, for /metrics and /health: counted in the outbox at most every few seconds, labels without any person."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from typing import Any

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy.exc import SQLAlchemyError

from integrator.delivery.outbox import Outbox
from integrator.delivery.relay import Relay
from integrator.delivery.terms import OPEN
from integrator.delivery.webhooks.pushing import Push
from integrator.logs import log

EVERY = 5.0  # seconds between two counts
LATE = 900_000  # ms that the oldest message may wait before somebody should look


class DeliveryFigures(Collector):
    """`watch` runs beside the relay; collecting reads what it counted last."""

    def __init__(self, outbox: Outbox, relay: Relay | None, push: Push | None) -> None:
        self._outbox, self._relay, self._push = outbox, relay, push
        self._counts: dict[str, tuple[int, int]] = {}
        self._known = False
        self._at = 0.0

    async def watch(self) -> None:
        """Count, for ever."""
        while True:
            await self.count()
            await asyncio.sleep(EVERY)

    async def count(self) -> None:
        try:
            self._counts, self._known, self._at = await self._outbox.counts(), True, time.monotonic()
        except SQLAlchemyError as error:
            self._known = False
            log.warning("deliveries_not_counted", error=type(error).__name__)

    def health(self) -> dict[str, Any]:
        """DEGRADED while nothing goes out, or something waits too long; the hub's other half works on."""
        waiting = self._oldest()
        halted = self._relay is not None and self._relay.failing
        late = waiting is not None and waiting > LATE
        told: dict[str, Any] = {
            "status": "DEGRADED" if halted or late or not self._known else "UP",
            "waiting": sum(self._counts.get(state, (0, 0))[0] for state in OPEN),
            "dead": self._counts.get("dead", (0, 0))[0],
        }
        return told if waiting is None else told | {"oldestSeconds": waiting // 1000}

    def collect(self) -> Iterator[Metric]:
        messages = GaugeMetricFamily(
            "integrator_delivery_messages", "Messages of the outbox, open or dead.", labels=("state",)
        )
        for state in (*OPEN, "dead"):
            messages.add_metric((state,), self._counts.get(state, (0, 0))[0])
        yield messages
        yield GaugeMetricFamily(
            "integrator_delivery_oldest_seconds", "How long the oldest open message has waited.",
            value=(self._oldest() or 0) / 1000,
        )  # fmt: skip
        if self._relay is not None:
            yield GaugeMetricFamily(
                "integrator_delivery_under_way", "Messages being sent now.", value=self._relay.under_way
            )
            yield GaugeMetricFamily(
                "integrator_delivery_halted", "1 while ledger or outbox cannot be used.", value=self._relay.failing
            )
        if self._push is not None:
            circuits = GaugeMetricFamily(
                "integrator_delivery_circuits", "Subscribers by the state of their circuit.", labels=("state",)
            )
            states = list(self._push.circuits().values())
            for state in ("closed", "half_open", "open"):
                circuits.add_metric((state,), states.count(state))
            yield circuits

    def _oldest(self) -> int | None:
        """ms, of those that are open."""
        oldest = [self._counts[state][1] for state in OPEN if state in self._counts]
        return self._outbox.ms() - min(oldest) if oldest else None
