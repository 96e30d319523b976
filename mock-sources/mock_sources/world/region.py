"""Everybody derived, put together: the part of the world that is arithmetic. Named cases come on top, in `world`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mock_sources.world.blocks import BLOCKS, HOUSEHOLDS_IN_BLOCK, PEOPLE_IN_BLOCK
from mock_sources.world.facts import Card, Enterprise, Establishment, Household, Occupation, Person, Vehicle
from mock_sources.world.families import Families
from mock_sources.world.firms import ENTERPRISES_IN_BLOCK, Firms
from mock_sources.world.motors import (
    VEHICLES_IN_BLOCK,
    Motors,
    Registration,
    enterprise_behind,
    registrations_of_enterprise,
)
from mock_sources.world.namebook import SURNAMES
from mock_sources.world.parking import Parking
from mock_sources.world.people import People
from mock_sources.world.phonetic import sound
from mock_sources.world.places import Places
from mock_sources.world.publicbodies import public_bodies, public_body, public_body_of_unit
from mock_sources.world.roll import Roll
from mock_sources.world.search import sounds_like
from mock_sources.world.work import Work


class Region:
    """Answers about derived people and things; every method is arithmetic on the seed, none keeps anything."""

    def __init__(self, seed: int) -> None:
        self.roll = Roll(seed)
        self.places = Places(seed)
        self.families = Families(seed, self.roll, self.places)
        self.motors = Motors(seed, self.roll)
        self.people = People(seed, self.roll, self.places, self.families, self.motors.categories)
        self.firms = Firms(seed, self.roll, self.places, self.people, self.motors)
        self.work = Work(seed, self.firms)
        self.parking = Parking(seed, self.roll, self.places, self.families, self.motors)

    # --- people

    def person(self, ssin: str) -> Person | None:
        place = self.roll.locate(ssin)
        return self.people.person(*place) if place else None

    def work_of(self, ssin: str) -> tuple[Occupation, ...]:
        person = self.person(ssin)
        return self.work.of(person) if person else ()

    def resident_number(self, index: int) -> str:
        """The national number of resident 0 … 1 249 999."""
        block, slot = divmod(index, PEOPLE_IN_BLOCK)
        return self.roll.number(slot, block)

    def household(self, index: int) -> Household | None:
        if not 0 <= index < BLOCKS * HOUSEHOLDS_IN_BLOCK:
            return None
        block, house = divmod(index, HOUSEHOLDS_IN_BLOCK)
        return self.people.household(house, block)

    def identify(self, days: Iterable[int], last: str, first: str | None, sex: str | None) -> Iterator[Person]:
        """People born on one of those days whose names sound like these."""
        heard = sound(last)
        surnames = {index for index, name in enumerate(SURNAMES) if sound(name) == heard}
        if not surnames:
            return
        for day in days:
            for slot, block in self.roll.born_on(day):
                if self.people.surname_index(slot, block) not in surnames:
                    continue
                found = self.roll.sex(slot, block)
                if sex in ("1", "2") and sex != found:
                    continue
                if first is None or sounds_like(first, self.people.first_names(slot, block, found)):
                    yield self.people.person(slot, block)

    # --- vehicles

    def vehicle(self, plate: str) -> Vehicle | None:
        found = self.motors.by_plate(plate)
        return self.registered(found) if found else None

    def vehicle_by_vin(self, vin: str) -> Vehicle | None:
        found = self.motors.by_vin(vin)
        return self.registered(found) if found else None

    def registered(self, registration: Registration) -> Vehicle:
        behind = enterprise_behind(registration)
        return self.motors.vehicle(registration, self.firms.number(*behind) if behind else None)

    def vehicles_of(self, ssin: str | None, cbe: str | None) -> tuple[Vehicle, ...]:
        person = self.roll.locate(ssin) if ssin else None
        firm = self.firms.locate(cbe) if cbe else None
        found = (
            *(self.motors.held_by(*person) if person else ()),
            *(registrations_of_enterprise(*firm) if firm else ()),
        )
        return tuple(self.registered(registration) for registration in found)

    def vehicles_driven_by(self, ssin: str) -> tuple[Vehicle, ...]:
        place = self.roll.locate(ssin)
        return tuple(self.registered(found) for found in self.motors.driven_by(*place)) if place else ()

    # --- enterprises

    def enterprise(self, number: str) -> Enterprise | None:
        place = self.firms.locate(number)
        return self.firms.enterprise(*place) if place else public_body(number, self.places)

    def establishment(self, number: str) -> Establishment | None:
        place = self.firms.locate_unit(number)
        if place:
            block, firm, rank = place
            return self.firms.enterprise(block, firm).establishments[rank]
        body = public_body_of_unit(number, self.places)
        return body.establishments[0] if body else None

    def enterprises_named(self, text: str) -> Iterator[Enterprise]:
        wanted = [sound(word) for word in text.split()]
        for body in public_bodies(self.places):
            names = [sound(word) for name in body.names for word in name.text.split()]
            if wanted and all(word in names for word in wanted):
                yield body
        for place in self.firms.named(text):
            yield self.firms.enterprise(*place)

    def enterprises_of(self, ssin: str) -> tuple[Enterprise, ...]:
        place = self.roll.locate(ssin)
        if place is None:
            return ()
        slot, block = place
        return tuple(self.firms.enterprise(block, firm) for firm in self.firms.owned_by(slot, block))

    # --- homes and cards

    def households_at(self, address_id: int) -> tuple[Household, ...]:
        found = (self.household(index) for index in self.families.households_at(address_id))
        return tuple(household for household in found if household is not None)

    def cards_at(self, address_id: int) -> tuple[Card, ...]:
        return tuple(card for index in self.families.households_at(address_id) for card in self._cards(index))

    def cards_for(self, plate: str) -> tuple[Card, ...]:
        registration = self.motors.by_plate(plate)
        card = self.parking.card(registration) if registration else None
        return (card,) if card else ()

    def cards(self, nis: str) -> Iterator[Card]:
        ranks, order = self.families.households_in(nis)
        for rank in ranks:
            yield from self._cards(order.back(rank))

    def _cards(self, household: int) -> tuple[Card, ...]:
        block, house = divmod(household, HOUSEHOLDS_IN_BLOCK)
        return self.parking.cards_of_house(house, block)

    @property
    def counts(self) -> dict[str, int]:
        return {
            "people": BLOCKS * PEOPLE_IN_BLOCK,
            "households": BLOCKS * HOUSEHOLDS_IN_BLOCK,
            "vehicles": BLOCKS * VEHICLES_IN_BLOCK,
            "enterprises": BLOCKS * ENTERPRISES_IN_BLOCK,
            **self.places.counts,
        }
