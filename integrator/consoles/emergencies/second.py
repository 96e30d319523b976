"""The second person: a DPO of the organisation whose agent asked, or of the hub; never that agent, nor who let him act.

An agent and an account of the consoles are the same human under two names. The staff directory links them (agents/persons.py);
where it cannot, because only the application named the agent or no HR told of one of the two, the hub's DPO decides.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from typing import Protocol

from audit import Ledger
from integrator.consoles.looking import Desk
from integrator.consoles.people import Person
from integrator.consoles.rights import NothingThere
from integrator.emergency import Emergencies, Emergency, SecondPersonRefused

# Whether a person, with their own national number if known, is none of these agents of an organisation; None = cannot be told.
SomebodyElse = Callable[[str, str | None, str, Collection[str]], Awaitable[bool | None]]


async def nobody_knows(person: str, number: str | None, organisation: str, agents: Collection[str]) -> None:
    """Where there is no staff directory."""
    del person, number, organisation, agents


class Writer(Protocol):
    """Who knows this year's ledger."""

    @property
    def ledger(self) -> Ledger: ...


class SecondPersons:
    """What people of the consoles may see and decide."""

    def __init__(self, emergencies: Emergencies, desk: Desk, writer: Writer) -> None:
        self._emergencies, self._desk, self._writer = emergencies, desk, writer
        self.somebody_else: SomebodyElse = nobody_knows  # set by whoever knows the agents

    async def known(self, person: Person) -> list[Emergency]:
        """Newest first; of one's own organisation, or all of them for the hub's DPO. A look, on record.

        Raises `NothingThere`, `LedgerUnwritable`.
        """
        reach = _reach(person)
        found: list[Emergency] = await self._desk.export(
            person, "emergencies", lambda right, seen: (self._emergencies.known_now(reach), ()),
            role="hub_dpo" if reach is None else "dpo",
        )  # fmt: skip
        return found

    async def decide(self, person: Person, id_: str, *, confirmed: bool) -> Emergency:
        """The word counts when this returns; it stands in the ledger then, or within a minute. Raises `SecondPersonRefused`, `NothingThere`."""
        reach = _reach(person)
        await self._check(person, await self._emergencies.find(id_, reach))
        one = await self._emergencies.decide(id_, person.id, reach, confirmed=confirmed)
        await asyncio.to_thread(self._emergencies.settle, self._writer.ledger.append_blocking)
        return one

    async def _check(self, person: Person, one: Emergency) -> None:
        """Raises `SecondPersonRefused`: it is one's own emergency, or nobody can tell."""
        if one.agents & {person.id, person.name}:
            raise SecondPersonRefused("SAME_PERSON")
        number = person.subject.id if person.subject is not None and person.subject.type == "nrn" else None
        other = await self.somebody_else(person.id, number, one.organisation, one.agents)
        if other is False:
            raise SecondPersonRefused("SAME_PERSON")
        if not (other and one.vouched) and "hub_dpo" not in person.roles:
            raise SecondPersonRefused("NOT_KNOWN")


def _reach(person: Person) -> str | None:
    """Whose emergencies: None = everybody's."""
    if "hub_dpo" in person.roles:
        return None
    if "dpo" in person.roles and person.org is not None:
        return person.org
    raise NothingThere
