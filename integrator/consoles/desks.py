"""A desk put together: reports over the hub's store, looks written in this year's shard, rules from the hub's own data."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from audit import KeyRing, Store
from audit.reports import Granted, Reports
from integrator import clock
from integrator import settings as settings_module
from integrator.consoles.disclosing import shows
from integrator.consoles.grants import granted_fields
from integrator.consoles.looking import Day, Desk, Proof, Reveals
from integrator.policy import ADVICE, Policies, Purpose
from integrator.services import Service
from integrator.years import Shelf, ThisYear

LATE_REFUSALS = frozenset({*ADVICE, "SOURCE_REFUSED"})  # of an outcome: it was a refusal, not a failure


class Purposes(Mapping[str, Purpose]):
    """The purposes in force, whenever somebody asks."""

    def __init__(self, now: Callable[[], Mapping[str, Purpose]]) -> None:
        self._now = now

    def __getitem__(self, code: str) -> Purpose:
        return self._now()[code]

    def __iter__(self) -> Iterator[str]:
        return iter(self._now())

    def __len__(self) -> int:
        return len(self._now())


def open_desk(
    store: Store,
    keyring: KeyRing,
    shelf: Shelf,
    policies: Policies | Callable[[], Policies],
    services: Mapping[str, Service],
    now: clock.Now,
    *,
    health: Callable[[], Mapping[str, Any]] = dict,
    proof: Proof | None = None,
    reveals: Reveals | None = None,
    day: Day | None = None,
) -> Desk:
    """The desk of a hub. `policies`: a set, or who knows the one in force. `desk.reports.close()` when it is over.

    `desk.reports.follower.follow()` every second, in a thread.
    """

    def micros() -> int:
        return clock.micros(now())

    def in_force() -> Policies:
        return policies if isinstance(policies, Policies) else policies()

    def granted(org: str | None) -> Sequence[Granted]:
        return granted_fields(in_force(), services, numbers)(org)

    numbers = [one["number"] for one in settings_module.organisations()["organisations"].values()]
    return Desk(
        Reports(store, keyring, micros, late_refusals=LATE_REFUSALS),
        ThisYear(shelf),
        granted=granted,
        health=health,
        proof=proof,
        reveals=reveals,
        shows=lambda row: shows(in_force().purposes, micros)(row),
        shows_then=lambda ts: shows(in_force().purposes, lambda: ts),
        day=day,
    )
