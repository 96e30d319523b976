"""A desk put together: reports over the hub's store, looks written in this year's shard, rules from the hub's own data."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from audit import Draft, KeyRing, Ledger, Record, Store
from audit.reports import Reports
from integrator import clock
from integrator import settings as settings_module
from integrator.consoles.disclosing import shows
from integrator.consoles.grants import granted_fields
from integrator.consoles.looking import Day, Desk, Proof, Reveals
from integrator.policy import ADVICE, Policies
from integrator.services import Service

LATE_REFUSALS = frozenset({*ADVICE, "SOURCE_REFUSED"})  # of an outcome: it was a refusal, not a failure


class Book(Protocol):
    """One shard, open for writing (audit.log.years)."""

    @property
    def ledger(self) -> Ledger: ...
    def end(self) -> None: ...


class Shelf(Protocol):
    """Where this year's book is found."""

    async def begin(self) -> Any: ...


class ThisYear:
    """Looks go to the shard of the year they are made in, as exchanges do."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

    async def append(self, drafts: Sequence[Draft]) -> list[Record]:
        book: Book = await self._shelf.begin()
        try:
            return list(await book.ledger.append(list(drafts)))
        finally:
            book.end()


def open_desk(
    store: Store,
    keyring: KeyRing,
    shelf: Shelf,
    policies: Policies,
    services: Mapping[str, Service],
    now: clock.Now,
    *,
    health: Callable[[], Mapping[str, Any]] = dict,
    proof: Proof | None = None,
    reveals: Reveals | None = None,
    day: Day | None = None,
) -> Desk:
    """The desk of a hub. `desk.reports.close()` when it is over; `desk.reports.follower.follow()` every second, in a thread."""

    def micros() -> int:
        return clock.micros(now())

    numbers = [one["number"] for one in settings_module.organisations()["organisations"].values()]
    return Desk(
        Reports(store, keyring, micros, late_refusals=LATE_REFUSALS),
        ThisYear(shelf),
        granted=granted_fields(policies, services, numbers),
        health=health,
        proof=proof,
        reveals=reveals,
        shows=shows(policies.purposes, micros),
        shows_then=lambda ts: shows(policies.purposes, lambda: ts),
        day=day,
    )
