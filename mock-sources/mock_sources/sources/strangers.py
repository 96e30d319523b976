"""Whom a source names when it answers about the wrong person: always the same, alive, complete and plausible."""

from __future__ import annotations

from collections.abc import Iterator

from mock_sources.world import World
from mock_sources.world.facts import Person


def stranger(world: World, ssin: str) -> Person:
    """Somebody other than `ssin`, registered and alive, who is not even of the same household."""
    asked = world.person(ssin)
    home = asked.household_id if asked else None
    return next(one for one in _candidates(world) if one.ssin != ssin and _plain(one) and one.household_id != home)


def _plain(person: Person) -> bool:
    """Say whether nothing about a person would give the mistake away."""
    settled = person.register == "RR" and person.address is not None and person.position is not None
    return settled and person.death is None and person.replaced_by is None


def _candidates(world: World) -> Iterator[Person]:
    """The personas in their order, then whoever lives in the first street."""
    yield from (persona.person for persona in world.personas.values() if persona.person is not None)
    street = next(iter(world.streets()))
    for address in world.addresses(street.id):
        for household in world.households_at(address.id):
            yield from filter(None, map(world.person, (member.ssin for member in household.members)))
