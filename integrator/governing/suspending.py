"""Emergency: one data protection officer takes an authorisation away at once. Giving it back takes two people.

    suspend ─► standing ─ask_back─► lifting ─give_back─► lifted

It only takes away: a suspended line applies to nothing, and no other line gives more because of it.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace

from integrator.governing.entries import Scribe
from integrator.governing.office import Office
from integrator.governing.rights import Person, reason_of, role_of
from integrator.governing.store import Store
from integrator.governing.tables import Suspension
from integrator.governing.words import GoverningRefused, NotThere
from integrator.ids import new_id


class Suspending:
    """Over the office: the same store, the same record."""

    def __init__(self, office: Office) -> None:
        self._office = office

    @property
    def _store(self) -> Store:
        return self._office.store

    @property
    def _scribe(self) -> Scribe:
        return self._office.scribe

    async def suspend(self, person: Person, authorisation: str, org: str | None, reason: str) -> Suspension:
        """At once: every node within seconds. Raises `GoverningRefused`, `MalformedRequest`, `LedgerUnwritable`."""
        role = self._reach(person, org)
        reason = reason_of(reason)
        self._known(authorisation, org)
        one = Suspension(new_id(16), "standing", authorisation, org, reason, person.id, person.name, self._office.now)
        await self._scribe.suspension(one, "suspend", "suspended", person.id, role, reason)
        if not await asyncio.to_thread(self._store.suspend, one):
            raise GoverningRefused("SUSPENDED_ALREADY")
        return one

    async def ask_back(self, person: Person, id_: str, reason: str) -> Suspension:
        """The first of two: says why it may be given back. An organisation's officer does so for his own only."""
        one = await self.find(id_)
        role = role_of(person)
        if "steward" not in person.roles:
            self._reach(person, one.org)
        reason = reason_of(reason)
        if one.state != "standing":
            raise GoverningRefused("SETTLED")
        values = {"state": "lifting", "lifter": person.id, "lifter_name": person.name, "lift_reason": reason}
        await self._scribe.suspension(one, "askback", "suspended", person.id, role, reason)
        if not await asyncio.to_thread(self._store.change_suspension, id_, "standing", values):
            raise GoverningRefused("SETTLED")
        return replace(one, **values)  # type: ignore[arg-type]

    async def give_back(self, person: Person, id_: str) -> Suspension:
        """The second: another person, and one of the two a data protection officer in reach."""
        one = await self.find(id_)
        role = self._reach(person, one.org)
        if one.state != "lifting":
            raise GoverningRefused("SETTLED")
        if (one.lifter or "").casefold() == person.id.casefold():
            raise GoverningRefused("ALREADY_SAID")
        await self._scribe.suspension(one, "giveback", "lifted", person.id, role, "")
        values = {
            "state": "lifted", "second": person.id, "second_name": person.name, "ended": self._office.now,
        }  # fmt: skip
        if not await asyncio.to_thread(self._store.change_suspension, id_, "lifting", values):
            raise GoverningRefused("SETTLED")
        return replace(one, **values)  # type: ignore[arg-type]

    async def find(self, id_: str) -> Suspension:
        found = await asyncio.to_thread(self._store.suspension, id_)
        if found is None:
            raise NotThere
        return found

    def _reach(self, person: Person, org: str | None) -> str:
        """The hub's officer reaches everything, an organisation's officer his own. Raises `GoverningRefused`."""
        if "hub_dpo" in person.roles:
            return "hub_dpo"
        if "dpo" not in person.roles:
            raise GoverningRefused("NOT_FOR_YOU")
        if org is None or org != person.org:
            raise GoverningRefused("ONLY_YOUR_ORGANISATION")
        return "dpo"

    def _known(self, authorisation: str, org: str | None) -> None:
        policies = self._office.in_force().policies
        for purpose, organisation, _ in policies.held():
            if org in (None, organisation) and any(
                grant.authorisation == authorisation for grant in policies.grants(purpose, organisation)
            ):
                return
        raise GoverningRefused("UNKNOWN_AUTHORISATION")
