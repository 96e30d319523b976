"""A world that is asked the same thing twice in one answer: a file names the same spouse and child again and again."""

from __future__ import annotations

from functools import lru_cache

from mock_sources.clock import Clock
from mock_sources.world import World
from mock_sources.world.facts import Household, Municipality, Person

REMEMBERED = 4096  # people, some 15 MB with their households; load benches ask about fewer


class Recall:
    """The people of a world, each derived once a day as long as there is room; the rest is passed on."""

    def __init__(self, world: World, clock: Clock) -> None:
        self.world = world
        self._clock = clock
        # "Moved yesterday" is told relative to today, so what was remembered yesterday is derived anew.
        self._person = lru_cache(maxsize=REMEMBERED)(lambda ssin, day: world.person(ssin))
        self._household = lru_cache(maxsize=REMEMBERED)(lambda id, day: world.household(id))
        self._household_of = lru_cache(maxsize=REMEMBERED)(lambda ssin, day: world.household_of(ssin))

    def person(self, ssin: str) -> Person | None:
        """The person of that number, also a replaced one; None when nobody has it."""
        return self._person(ssin, self._clock().date())

    def household(self, id: int) -> Household | None:
        """The household of that id."""
        return self._household(id, self._clock().date())

    def household_of(self, ssin: str) -> Household | None:
        """The household that somebody is a member of."""
        return self._household_of(ssin, self._clock().date())

    def municipality(self, nis: str) -> Municipality | None:
        """A municipality of the Region, by NIS code."""
        return self.world.municipality(nis)
