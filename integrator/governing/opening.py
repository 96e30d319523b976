"""Governing put together for a hub, or for a command beside one. The composition root calls this.

settings ─► database, archive ─► store ─► live (the set in force) ─► office, suspending
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from integrator import clock, places
from integrator.database import Database
from integrator.governing.apart import apart
from integrator.governing.archive import open_archive
from integrator.governing.diet import DAYS, Use
from integrator.governing.entries import Scribe
from integrator.governing.latest import Latest
from integrator.governing.live import Live
from integrator.governing.looking_back import DAY, diet_and_narrower_of, diet_of, replay_of, tried_out
from integrator.governing.office import Office
from integrator.governing.proving import Proof
from integrator.governing.register import Names, Register, make_register
from integrator.governing.replaying import Replay
from integrator.governing.store import ROOM, Store
from integrator.governing.suspending import Suspending
from integrator.governing.texts import Texts, read_texts
from integrator.services import Service
from integrator.settings import Settings
from integrator.years import ThisYear


@dataclass(frozen=True, slots=True)
class Governing:
    """Everything pages, programs and commands need. `ledger` None: nothing was recorded here (benchmarks)."""

    live: Live
    office: Office
    suspending: Suspending
    services: Mapping[str, Service]
    organisations: Mapping[str, Any]
    ledger: str | None  # as in the settings
    now: clock.Now
    database: Database
    made: Latest[Register] = field(default_factory=Latest)

    def close(self) -> None:
        self.database.close()

    async def replay(self, changed: Texts, days: int, at: float | None = None, org: str | None = None) -> Replay | None:
        """What was asked in the last days, by one organisation or by all, with `changed` in the place of the texts in force; None without a ledger."""
        now, current = self.now(), self.live.current
        if self.ledger is None:
            return None
        moment = now if at is None else at
        return await apart(
            replay_of,
            self.ledger,
            dict(current.texts),
            dict(changed),
            current.suspended,
            now - days * DAY,
            now,
            moment,
            org,
        )

    async def diet(self, org: str | None = None, days: int = DAYS) -> list[Use]:
        """How granted fields were used."""
        now = self.now()
        if self.ledger is None:
            return []
        return await apart(diet_of, self.ledger, dict(self.live.current.texts), now - days * DAY, now, org)

    async def diet_and_narrower(self, org: str | None = None, days: int = DAYS) -> tuple[list[Use], dict[str, bytes]]:
        """The same, and texts without what nobody used, by purpose."""
        now = self.now()
        if self.ledger is None:
            return [], {}
        return await apart(diet_and_narrower_of, self.ledger, dict(self.live.current.texts), now - days * DAY, now, org)

    async def register(self, names: Names) -> Register:
        """Art. 30, of the texts in force, today: anybody may ask, so it is made once for each set and day, in a thread."""
        current, day = self.live.current, clock.today(self.now())
        return await self.made.of(
            (current.digest, day), lambda: make_register(current.texts, self.services, self.organisations, names, day)
        )


def open_governing(
    settings: Settings,
    services: Mapping[str, Service],
    organisations: Mapping[str, Any],
    shelf: Any,
    ledger: str | None,
    now: clock.Now,
    *,
    activates: bool = True,
) -> Governing:
    """`shelf`: where this year's book of the ledger is found; `activates`: whether this process brings texts into force.

    Raises `ConfigurationError`.
    """
    database = Database(str(settings.governing["database"]), ROOM)
    try:
        archive, store, scribe = open_archive(settings), Store(database), Scribe(ThisYear(shelf))
        base = read_texts(places.folder("policies"))
        live = Live(store, base, organisations, archive, now, scribe if activates else None)
    except BaseException:
        database.close()
        raise

    async def prove(changed: Texts, at: float) -> Proof:
        suspended = live.current.suspended
        newest = dict(await asyncio.to_thread(office.newest))  # with what was approved and is still to come
        return await apart(tried_out, ledger, newest, dict(changed), suspended, now(), at)

    office = Office(store, scribe, archive, lambda: live.current, organisations, prove, now)
    return Governing(live, office, Suspending(office), services, organisations, ledger, now, database)
