"""How near the agent is to whom they ask about: codes for the ledger, worked out while both are at hand.

    await closeness.know(caller)                             what the staff directory tells of the agent, first
    closeness.of_question(caller, subject)                   SELF, before the source is asked
    closeness.of_answer(caller, subject, people, values)     and what the answer itself shows, of what it gives

Only what an answer gives anyway is compared, and only as keyed tags; nothing but the codes is kept. An agent of whom
nothing is known gives no code: silence is no finding.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Protocol

from integrator.model import Caller
from integrator.watching.agents import AgentTags, Circle, Nobody
from integrator.watching.tags import Tagger, plain

SELF: frozenset[str] = frozenset(("SELF",))
NOTHING: frozenset[str] = frozenset()
# As what somebody stands in an answer -> what it means when that somebody is the agent.
_AS = {
    "household-member": "SAME_HOUSEHOLD", "reference-person": "SAME_HOUSEHOLD", "spouse": "FAMILY",
    "former-spouse": "FAMILY", "partner": "FAMILY", "parent": "FAMILY", "child": "FAMILY",
}  # fmt: skip


class Told(Protocol):
    """What employers told of their agents' own numbers."""

    async def know(self, agent: str) -> None: ...  # before `same`; never raises
    def same(self, agent: str, number: str) -> bool: ...  # from memory


class NothingTold:
    """Where there is no staff directory."""

    async def know(self, agent: str) -> None: ...

    def same(self, agent: str, number: str) -> bool:
        return False


class Closeness:
    """`common`: surnames that many bear (in any writing); sharing one of them says nothing."""

    def __init__(
        self, tagger: Tagger, agents: AgentTags, circle: Circle | None = None, *, common: Collection[str] = (),
        told: Told | None = None,
    ) -> None:  # fmt: skip
        self._told = told or NothingTold()
        self._tagger, self._agents, self._circle = tagger, agents, circle or Nobody()
        self._common = frozenset(map(plain, common))

    async def know(self, caller: Caller) -> None:
        """MUST come before the other two."""
        if caller.agent is not None:
            await self._told.know(caller.agent)

    def of_question(self, caller: Caller, subject: tuple[str, str] | None) -> frozenset[str]:
        """SELF when the agent asks about themself."""
        if caller.agent is None or subject is None or subject[0] != "nrn":
            return NOTHING
        return SELF if self._himself(caller.agent, subject[1]) else NOTHING

    def of_answer(
        self,
        caller: Caller,
        subject: tuple[str, str] | None,
        people: Sequence[tuple[str, str]],
        values: Mapping[str, Any],
    ) -> frozenset[str]:
        """SELF alone, or any of SAME_HOUSEHOLD, FAMILY, SAME_ADDRESS, SAME_SURNAME, COLLEAGUE.

        `people`: (number, role) of everybody the answer gives something about. `values`: what it gives.
        """
        agent = caller.agent
        if agent is None:
            return NOTHING
        asked = subject[1] if subject is not None and subject[0] == "nrn" else None
        if asked is not None and self._himself(agent, asked):
            return SELF
        found = {_AS[role] for number, role in people if role in _AS and self._himself(agent, number)}
        if asked is not None:
            found.update(self._around(agent, caller.organisation, asked, values))
        return frozenset(found)

    def _himself(self, agent: str, number: str) -> bool:
        own = self._agents.own(agent)
        return (own is not None and own == self._tagger.person(number)) or self._told.same(agent, number)

    def _around(self, agent: str, organisation: str, asked: str, values: Mapping[str, Any]) -> Iterator[str]:
        if self._circle.colleague(organisation, self._tagger.person(asked)):
            yield "COLLEAGUE"
        near = self._circle.near(agent)
        if near.surnames and not near.surnames.isdisjoint(self.surnames(values.get("familyName"))):
            yield "SAME_SURNAME"
        if near.addresses and not near.addresses.isdisjoint(self.addresses(values.get("address"))):
            yield "SAME_ADDRESS"

    def surnames(self, name: Any) -> frozenset[bytes]:
        """Tags of a surname; none for a common one."""
        known = plain(name) if isinstance(name, str) else ""
        return frozenset((self._tagger.tag("surname", known),)) if known and known not in self._common else frozenset()

    def addresses(self, address: Any) -> frozenset[bytes]:
        """Tags of a home, one for each language that its street is written in; none without house number and post code."""
        if not isinstance(address, Mapping) or not address.get("houseNumber") or not address.get("postCode"):
            return frozenset()
        street = address.get("streetName")
        streets = street.values() if isinstance(street, Mapping) else (street,)
        rest = "|".join(plain(str(address.get(name) or "")) for name in ("houseNumber", "boxNumber", "postCode"))
        return frozenset(
            self._tagger.tag("home", f"{plain(one)}|{rest}") for one in streets if isinstance(one, str) and one
        )
