"""The region behind every mock: one story, told by all sources, derived from a seed when somebody asks."""
from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date

from mock_sources.world.facts import (
    Address, Card, Enterprise, Establishment, Household, Municipality, Person, Persona, Street, Vehicle,
)


class World:
    """Answers questions about 1.25 million residents; holds none of them."""

    @classmethod
    def build(cls, seed: int = 7, today: Callable[[], date] | None = None) -> World:
        """`today` is only for cases told relative to it ("moved yesterday"); default: the real date."""
        raise NotImplementedError

    def person(self, ssin: str) -> Person | None: raise NotImplementedError
    def household(self, id: int) -> Household | None: raise NotImplementedError
    def household_of(self, ssin: str) -> Household | None: raise NotImplementedError
    def identify(self, last: str, first: str | None, birth_date: str, tolerance: int = 0,
                 sex: str | None = None, limit: int = 80) -> list[Person]:
        """Phonetic. Tolerance in days, months (`yyyy-mm-00`) or years (`yyyy-00-00`), as IdentifyPerson counts it."""
        raise NotImplementedError
    def vehicle(self, plate: str) -> Vehicle | None: raise NotImplementedError
    def vehicle_by_vin(self, vin: str, unifier: str | None = None) -> Vehicle | None: raise NotImplementedError
    def vehicles_of(self, ssin: str | None = None, cbe: str | None = None) -> tuple[Vehicle, ...]:
        """Of which this person or enterprise is the holder; de-registered ones included (see `status`)."""
        raise NotImplementedError
    def vehicles_driven_by(self, ssin: str) -> tuple[Vehicle, ...]: raise NotImplementedError
    def enterprise(self, number: str) -> Enterprise | None: raise NotImplementedError
    def establishment(self, number: str) -> Establishment | None: raise NotImplementedError
    def enterprises_named(self, text: str, limit: int = 25) -> list[Enterprise]: raise NotImplementedError
    def enterprises_of(self, ssin: str) -> tuple[Enterprise, ...]: raise NotImplementedError
    def municipalities(self) -> tuple[Municipality, ...]: raise NotImplementedError
    def municipality(self, nis: str) -> Municipality | None: raise NotImplementedError
    def streets(self, nis: str | None = None, postcode: str | None = None,
                name: str | None = None) -> Iterator[Street]: raise NotImplementedError
    def street(self, id: int) -> Street | None: raise NotImplementedError
    def addresses(self, street_id: int, number: str | None = None,
                  box: str | None = None) -> Iterator[Address]: raise NotImplementedError
    def address(self, id: int) -> Address | None: raise NotImplementedError
    def households_at(self, address_id: int) -> tuple[Household, ...]: raise NotImplementedError
    def cards_at(self, address_id: int) -> tuple[Card, ...]: raise NotImplementedError
    def cards_for(self, plate: str) -> tuple[Card, ...]: raise NotImplementedError
    def cards(self, nis: str) -> Iterator[Card]: raise NotImplementedError

    @property
    def personas(self) -> Mapping[str, Persona]: raise NotImplementedError
    @property
    def counts(self) -> Mapping[str, int]:
        """people, households, vehicles, enterprises, addresses, streets, personas."""
        raise NotImplementedError
