"""The region behind every mock: one story, told by all sources, derived from a seed when somebody asks.

Named cases (personas) are looked at first; whoever is not one is derived, and nobody is both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from itertools import chain, islice
from types import MappingProxyType
from zoneinfo import ZoneInfo

from mock_sources.world.casebook import Casebook, CaseError, cases
from mock_sources.world.facts import (
    Address,
    Card,
    Enterprise,
    Establishment,
    Household,
    Municipality,
    Occupation,
    Person,
    Persona,
    Street,
    Vehicle,
)
from mock_sources.world.municipalities import INDEX_OF_NIS, TERRITORIES
from mock_sources.world.phonetic import plain
from mock_sources.world.region import Region
from mock_sources.world.search import day_range, matches_name, matches_street, overlap

_BRUSSELS = ZoneInfo("Europe/Brussels")


def _real_date() -> date:
    return datetime.now(_BRUSSELS).date()


class World:
    """Answers questions about 1.25 million residents; holds none of them."""

    def __init__(self, region: Region, today: Callable[[], date]) -> None:
        self.region = region
        self._today = today
        self._book_of: tuple[date, Casebook] | None = None

    @classmethod
    def build(cls, seed: int = 7, today: Callable[[], date] | None = None) -> World:
        """`today` is only for cases told relative to it ("moved yesterday"); default: the date in Brussels.

        Raises `CaseError` when a persona file is wrong or a persona would be somebody derived.
        """
        world = cls(Region(seed), today or _real_date)
        _refuse_doubles(world._book, world.region)
        return world

    @property
    def _book(self) -> Casebook:
        today = self._today()
        if self._book_of is None or self._book_of[0] != today:
            self._book_of = today, Casebook(cases(), self.region.places, today)
        return self._book_of[1]

    # --- people

    def person(self, ssin: str) -> Person | None:
        return self._book.people.get(ssin) or self.region.person(ssin)

    def household(self, id: int) -> Household | None:
        return self._book.households.get(id) or self.region.household(id)

    def household_of(self, ssin: str) -> Household | None:
        person = self.person(ssin)
        return self.household(person.household_id) if person and person.household_id is not None else None

    def work_of(self, ssin: str) -> tuple[Occupation, ...]:
        """For whom somebody works and worked, newest first."""
        known = self._book.work.get(ssin)
        return self.region.work_of(ssin) if known is None else known

    def identify(
        self, last: str, first: str | None, birth_date: str, tolerance: int = 0, sex: str | None = None, limit: int = 80
    ) -> list[Person]:
        """Phonetic. Tolerance in days, months (`yyyy-mm-00`) or years (`yyyy-00-00`), as IdentifyPerson counts it.

        Raises `ValueError` for a birth date that is none.
        """
        days = day_range(birth_date, tolerance)
        named = (
            person
            for person in self._book.people.values()
            if person.replaced_by is None
            and overlap(day_range(person.birth_date), days)
            and matches_name(person, last, first)
            and (sex not in ("1", "2") or person.sex == sex)
        )
        return list(islice(chain(named, self.region.identify(days, last, first, sex)), limit))

    # --- vehicles

    def vehicle(self, plate: str) -> Vehicle | None:
        return self._book.vehicles.get(plate) or self.region.vehicle(plate)

    def vehicle_by_vin(self, vin: str, unifier: str | None = None) -> Vehicle | None:
        """Without unifier: the first with this VIN. Ask `vehicles_by_vin` when it may be shared."""
        found = [vehicle for vehicle in self.vehicles_by_vin(vin) if unifier in (None, vehicle.unifier)]
        return found[0] if found else None

    def vehicles_by_vin(self, vin: str) -> tuple[Vehicle, ...]:
        derived = self.region.vehicle_by_vin(vin)
        return self._book.vehicles_by_vin.get(vin, ()) + ((derived,) if derived else ())

    def vehicles_of(self, ssin: str | None = None, cbe: str | None = None) -> tuple[Vehicle, ...]:
        """Of which this person or enterprise is the holder; de-registered ones included (see `status`)."""
        named = tuple(vehicle for key in (ssin, cbe) if key for vehicle in self._book.vehicles_by_holder.get(key, ()))
        return named + self.region.vehicles_of(ssin, cbe)

    def vehicles_driven_by(self, ssin: str) -> tuple[Vehicle, ...]:
        """Company and leased cars somebody drives while an enterprise holds them."""
        return self._book.vehicles_by_driver.get(ssin, ()) + self.region.vehicles_driven_by(ssin)

    # --- enterprises

    def enterprise(self, number: str) -> Enterprise | None:
        return self._book.enterprises.get(number) or self.region.enterprise(number)

    def establishment(self, number: str) -> Establishment | None:
        return self._book.establishments.get(number) or self.region.establishment(number)

    def enterprises_named(self, text: str, limit: int = 25) -> list[Enterprise]:
        """Whose name holds every word asked; derived names of natural persons are not searched."""
        wanted = [plain(word) for word in text.split() if plain(word)]
        named = (
            company
            for company in self._book.enterprises.values()
            if wanted and any(all(word in plain(name.text) for word in wanted) for name in company.names)
        )
        return list(islice(chain(named, self.region.enterprises_named(text)), limit))

    def enterprises_of(self, ssin: str) -> tuple[Enterprise, ...]:
        """Enterprises this person is, as a natural person."""
        named = tuple(company for company in self._book.enterprises.values() if company.owner_ssin == ssin)
        return named + self.region.enterprises_of(ssin)

    # --- places

    def municipalities(self) -> tuple[Municipality, ...]:
        return tuple(territory.municipality for territory in TERRITORIES)

    def municipality(self, nis: str) -> Municipality | None:
        return TERRITORIES[INDEX_OF_NIS[nis]].municipality if nis in INDEX_OF_NIS else None

    def streets(self, nis: str | None = None, postcode: str | None = None, name: str | None = None) -> Iterator[Street]:
        """Name in Dutch or French, accents and case aside; `*` stands for anything, a leading `~` for "sounds like"."""
        for id in self.region.places.street_ids(nis):
            street = self.region.places.street(id)
            if street and postcode in (None, street.postcode) and (name is None or matches_street(street, name)):
                yield street

    def street(self, id: int) -> Street | None:
        return self.region.places.street(id)

    def addresses(self, street_id: int, number: str | None = None, box: str | None = None) -> Iterator[Address]:
        """In order along the street; None for number or box means any."""
        for address in self._book.addresses_by_street.get(street_id, ()):
            if number in (None, address.number) and box in (None, address.box):
                yield address
        yield from self.region.places.addresses_in(street_id, number, box)

    def address(self, id: int) -> Address | None:
        return self._book.addresses.get(id) or self.region.places.address(id)

    def households_at(self, address_id: int) -> tuple[Household, ...]:
        return self._book.households_by_address.get(address_id, ()) + self.region.households_at(address_id)

    # --- parking cards

    def cards_at(self, address_id: int) -> tuple[Card, ...]:
        named = tuple(card for card in self._book.cards if card.address.id == address_id)
        return named + self.region.cards_at(address_id)

    def cards_for(self, plate: str) -> tuple[Card, ...]:
        return tuple(card for card in self._book.cards if card.plate == plate) + self.region.cards_for(plate)

    def cards(self, nis: str) -> Iterator[Card]:
        """Every card of one municipality, expired ones included; personas first."""
        yield from (card for card in self._book.cards if card.address.nis == nis)
        yield from self.region.cards(nis)

    # --- the whole

    @property
    def today(self) -> date:
        return self._today()

    @property
    def personas(self) -> Mapping[str, Persona]:
        return MappingProxyType(self._book.personas)

    @property
    def counts(self) -> Mapping[str, int]:
        """people, households, vehicles, enterprises, addresses, streets (derived) and personas."""
        return {**self.region.counts, "personas": len(self._book.personas)}


def _refuse_doubles(book: Casebook, region: Region) -> None:
    doubles = [
        *(persona.slug for persona in book.personas.values() if persona.ssin and region.person(persona.ssin)),
        *("a person beside a persona" for ssin in book.people if region.person(ssin)),
        *(f"plate {plate}" for plate in book.vehicles if region.vehicle(plate)),
        *(f"enterprise {number}" for number in book.enterprises if region.enterprise(number)),
        *(f"establishment {number}" for number in book.establishments if region.establishment(number)),
        *(f"household {id}" for id in book.households if region.household(id)),
        *(f"address {id}" for id in book.addresses if region.places.address(id)),
    ]
    if doubles:
        raise CaseError(f"told by a persona and derived as well: {', '.join(doubles)}")
