"""Whom a source names when it answers about the wrong person: always the same, alive, complete and plausible."""

from __future__ import annotations

from mock_sources.world import World
from mock_sources.world.facts import Person


def stranger(world: World, ssin: str) -> Person:
    """Somebody other than `ssin`, registered and alive, who is not even of the same household."""
    asked = world.person(ssin)
    for persona in world.personas.values():
        person: Person | None = persona.person
        if person is None or person.ssin == ssin or person.register != "RR":
            continue
        if person.death or person.replaced_by or person.address is None or person.position is None:
            continue
        if asked is None or person.household_id != asked.household_id:
            return person
    raise LookupError("the world has no second person")
