"""A hub that was put together: everything a façade may use, its health, and its end. Built by `integrator.app`."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import aiohttp

from audit import Ledger
from integrator import clock
from integrator.agents.office import Agents
from integrator.api.soap.opening import Soap
from integrator.consoles.web import Consoles
from integrator.directory import Directory
from integrator.dispatch import Dispatch
from integrator.emergency import Emergencies
from integrator.exchange import Exchange
from integrator.governing.live import InForce
from integrator.governing.opening import Governing
from integrator.identity.enrolment import Office
from integrator.identity.grants import Bureau
from integrator.identity.service import Identity
from integrator.keeping import Keeper
from integrator.metrics import Metrics
from integrator.offices import close_offices
from integrator.opened.door import Opened
from integrator.policy import Purpose
from integrator.publishing import Published, Publishing
from integrator.quotas import Quotas
from integrator.services import Service
from integrator.settings import Settings
from integrator.transport.channel import Channel, Lines
from integrator.watching.opening import Watching

_CIRCUIT = {"closed": 0, "half_open": 1, "open": 2}


@dataclass(slots=True)
class Hub:
    """Everything a façade may use; built once at start, closed once at the end."""

    settings: Settings
    services: Mapping[str, Service]
    governing: Governing
    exchange: Exchange  # replaced whole when the texts change: what is under way ends under the set it began with
    identity: Identity
    metrics: Metrics
    publishing: Publishing
    channels: Mapping[str, Channel]
    session: aiohttp.ClientSession
    lines: Lines  # to the sources
    clock: clock.Now
    codes: Path
    keeper: Keeper | None  # of what is kept how long; None where nothing is published
    consoles: Consoles | None  # pages of officers and citizens; likewise
    directory: Directory  # of references: who keeps a file about whom
    enrolment: Office  # how applications are let in
    bureau: Bureau  # where they ask about their own rights
    watching: Watching | None  # what alerts must know; None where nothing is published
    agents: Agents  # the people who work for organisations
    quotas: Quotas
    emergencies: Emergencies
    soap: Soap | None  # the façade for packages that speak nothing else; None where answers could not be signed
    opened: Opened | None = None  # the open door's hands; None: it is closed
    dispatch: Dispatch | None = None  # deliveries; None where nothing is published
    ready: bool = field(default=True)

    @property
    def purposes(self) -> Mapping[str, Purpose]:
        """Of the texts in force."""
        return self.exchange.policies.purposes

    def swap(self, new: InForce) -> None:
        """From the next exchange on, other texts decide; permits and plans of the old ones go with them."""
        self.exchange = replace(self.exchange, policies=new.policies)
        self.bureau.exchange = self.exchange
        if self.opened is not None:
            self.opened.swap(new.policies)

    @property
    def ledger(self) -> Ledger:
        """This year's."""
        return self.publishing.ledger

    @property
    def published(self) -> Published | None:
        """The logs, for the API; `.auditor` is set by who knows the people."""
        return self.publishing.published

    def health(self) -> dict[str, Any]:
        """belgif health: DOWN when nothing may be answered, DEGRADED while a source is left alone."""
        sources = {
            name: "UP" if channel.breaker.state == "closed" else "DOWN" for name, channel in self.channels.items()
        }
        for name, channel in self.channels.items():
            self.metrics.circuit.labels(name).set(_CIRCUIT[channel.breaker.state])
        down = not (self.ready and self.publishing.healthy)
        texts = self.governing.live.health()
        degraded = "DOWN" in sources.values() or self.publishing.late or texts["status"] != "UP"
        delivery = {"delivery": self.dispatch.figures.health()} if self.dispatch is not None else {}
        degraded = degraded or any(part["status"] != "UP" for part in delivery.values())
        status = "DOWN" if down else "DEGRADED" if degraded else "UP"
        return {"status": status, "sources": sources, "policies": texts, **_audit(self), **delivery}

    async def close(self) -> None:
        """After the last answer: the ledger writes what it was given, then everything else goes."""
        if self.dispatch is not None:
            await self.dispatch.close()
        await self.quotas.close()
        self.emergencies.close()
        if self.opened is not None:
            self.opened.published.database.close()
        if self.consoles is not None:
            await close_offices(self.consoles)
        if self.watching is not None:
            self.watching.close()
        await asyncio.to_thread(self.enrolment.pile.close)
        await asyncio.to_thread(self.publishing.close)
        self.agents.close()
        self.identity.close()
        self.directory.close()
        await asyncio.to_thread(self.governing.close)
        await self.session.close()
        await self.lines.close()


def _audit(hub: Hub) -> dict[str, Any]:
    """How the published ledger does: seconds since its newest checkpoint, what is not signed yet, what failed."""
    publisher = hub.publishing.publisher
    if publisher is None:
        return {}
    status, now = publisher.status(), hub.clock()
    logs = [one for one in (*status.shards, status.anchor) if one is not None]
    return {
        "audit": {
            "status": "DOWN" if status.final else "DEGRADED" if hub.publishing.late else "UP",
            "logs": {
                one.origin: {
                    "checkpointAge": None if one.signed_at is None else round(max(0.0, now - one.signed_at / 1e6), 1),
                    "signed": one.signed,
                    "unsigned": one.size - one.signed,
                    **({"failure": one.failure} if one.failure else {}),
                }
                for one in logs
            },
            "failures": status.failures,
            **(hub.publishing.attesting.health() if hub.publishing.attesting else {}),
        }
    }
