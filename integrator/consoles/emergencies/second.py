"""The second person: a DPO of the organisation whose agent asked, or of the hub; never that agent."""

from __future__ import annotations

import asyncio
from typing import Protocol

from audit import Ledger
from integrator.consoles.people import Person
from integrator.consoles.rights import NothingThere
from integrator.emergency import Emergencies, Emergency, SecondPersonRefused


class Writer(Protocol):
    """Who knows this year's ledger."""

    @property
    def ledger(self) -> Ledger: ...


class SecondPersons:
    """What people of the consoles may see and decide."""

    def __init__(self, emergencies: Emergencies, writer: Writer) -> None:
        self._emergencies, self._writer = emergencies, writer

    async def known(self, person: Person) -> list[Emergency]:
        """Newest first; of one's own organisation, or all of them for the hub's DPO. Raises `NothingThere`."""
        return await self._emergencies.known(_reach(person))

    async def decide(self, person: Person, id_: str, *, confirmed: bool) -> Emergency:
        """The word counts, and stands in the ledger, when this returns. Raises `SecondPersonRefused`, `NothingThere`."""
        if any(one.id == id_ and one.agent in (person.id, person.name) for one in await self.known(person)):
            raise SecondPersonRefused("SAME_PERSON")
        one = await self._emergencies.decide(id_, person.id, _reach(person), confirmed=confirmed)
        await asyncio.to_thread(self._emergencies.settle, self._writer.ledger.append_blocking)
        return one


def _reach(person: Person) -> str | None:
    """Whose emergencies: None = everybody's."""
    if "hub_dpo" in person.roles:
        return None
    if "dpo" in person.roles and person.org is not None:
        return person.org
    raise NothingThere
