"""One person under a question: every property the question language knows, looked up only when it is asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from mock_sources.world.facts import Address, Card, Enterprise, Household, Person, Persona, Vehicle
from mock_sources.world.world import World


class Subject:
    """Somebody, or a persona that is nobody (an unknown number, a plate, an enterprise). Facts come when asked."""

    def __init__(self, world: World, persona: Persona | None = None, index: int | None = None) -> None:
        """A persona, or the derived resident with this index."""
        self.world, self.persona, self._index = world, persona, index

    @cached_property
    def ssin(self) -> str | None:
        if self.persona is not None:
            return self.persona.ssin
        return None if self._index is None else self.world.region.resident_number(self._index)

    @cached_property
    def person(self) -> Person | None:
        return self.world.person(self.ssin) if self.ssin else None

    @cached_property
    def household(self) -> Household | None:
        return self.world.household_of(self.ssin) if self.ssin else None

    @cached_property
    def vehicles(self) -> tuple[Vehicle, ...]:
        return self.world.vehicles_of(ssin=self.ssin) if self.ssin else ()

    @cached_property
    def driven(self) -> tuple[Vehicle, ...]:
        return self.world.vehicles_driven_by(self.ssin) if self.ssin else ()

    @cached_property
    def enterprises(self) -> tuple[Enterprise, ...]:
        owned = self.world.enterprises_of(self.ssin) if self.ssin else ()
        named = self.world.enterprise(self.persona.enterprise) if self.persona and self.persona.enterprise else None
        return owned if named is None or named in owned else (named, *owned)

    @cached_property
    def cards(self) -> tuple[Card, ...]:
        return self.world.cards_at(self.address.id) if self.address else ()

    @property
    def address(self) -> Address | None:
        return self.person.address if self.person else None

    @property
    def plates(self) -> list[str]:
        """The persona's own plate first: that is the one the case is about."""
        first = [self.persona.plate] if self.persona and self.persona.plate else []
        return list(dict.fromkeys(first + [vehicle.plate for vehicle in (*self.vehicles, *self.driven)]))

    @property
    def enterprise_numbers(self) -> list[str]:
        return [enterprise.number for enterprise in self.enterprises]

    @property
    def age(self) -> int | None:
        """Completed years today, or at death; unknown parts of a date count as January and the first."""
        if self.person is None:
            return None
        today = self.person.death.date if self.person.death else self.world.today.isoformat()
        born = self.person.birth_date
        return int(today[:4]) - int(born[:4]) - (today[5:] < born[5:])

    @property
    def valid_cards(self) -> list[Card]:
        today = self.world.today.isoformat()
        return [card for card in self.cards if card.status == "A" and card.start <= today <= card.end]


@dataclass(frozen=True, slots=True)
class Property:
    """A word of the question language: what it means, and how it is found out."""

    meaning: str
    value: Callable[[Subject], Any]


def _of_person(read: Callable[[Person], Any]) -> Callable[[Subject], Any]:
    return lambda subject: read(subject.person) if subject.person else None


def _of_address(read: Callable[[Address], Any]) -> Callable[[Subject], Any]:
    return lambda subject: read(subject.address) if subject.address else None


def _held_today(person: Person) -> list[str]:
    return [held.code for held in person.nationalities if held.end is None]


PROPERTIES: dict[str, Property] = {
    "slug": Property("name of the persona, None for derived people", lambda s: s.persona.slug if s.persona else None),
    "tags": Property("what the persona is about", lambda s: list(s.persona.tags) if s.persona else []),
    "persona": Property("is a named case", lambda s: s.persona is not None),
    "known": Property("some source knows the person", lambda s: s.person is not None),
    "ssin": Property("national number", lambda s: s.ssin),
    "register": Property("RR, BIS or RAD", _of_person(lambda p: p.register)),
    "sex": Property('"1" male, "2" female, "0" unknown', _of_person(lambda p: p.sex)),
    "age": Property("completed years", lambda s: s.age),
    "minor": Property("younger than 18", lambda s: s.age is not None and s.age < 18),
    "birthDate": Property("yyyy-mm-dd, parts may be 00", _of_person(lambda p: p.birth_date)),
    "birthYear": Property("year of birth", _of_person(lambda p: int(p.birth_date[:4]))),
    "name.last": Property("surname", _of_person(lambda p: " ".join(p.name.last))),
    "name.first": Property("first names", _of_person(lambda p: " ".join(p.name.first))),
    "language": Property("nl, fr or de", _of_person(lambda p: p.language)),
    "deceased": Property("has died", _of_person(lambda p: p.death is not None)),
    "replaced": Property("the number was replaced by another", _of_person(lambda p: p.replaced_by is not None)),
    "nationality": Property('codes held today, as in "150" in nationality', _of_person(_held_today)),
    "civilState": Property('IT120 code today: "10" single, "20" married …',
                           _of_person(lambda p: p.civil_states[0].code if p.civil_states else None)),
    "cohabiting": Property("legal cohabitation holds",
                           _of_person(lambda p: p.legal_cohabitation is not None and p.legal_cohabitation.end is None)),
    "municipality": Property("NIS code", _of_address(lambda a: a.nis)),
    "postCode": Property("postcode", _of_address(lambda a: a.postcode)),
    "box": Property("box number of the home", _of_address(lambda a: a.box)),
    "residence.kind": Property("main, abroad, struck_off, absent, reference …",
                               _of_person(lambda p: p.residence.kind if p.residence else None)),
    "residences.count": Property("residences known, past ones too", _of_person(lambda p: len(p.residences))),
    "notCommunicable": Property("address may not be communicated", _of_person(lambda p: p.not_communicable)),
    "household.size": Property("members", lambda s: len(s.household.members) if s.household else 0),
    "household.position": Property("IT140 code of this person",
                                   _of_person(lambda p: p.position.code if p.position else None)),
    "household.collective": Property("00 ordinary, 01 care housing, 05 community",
                                     lambda s: s.household.collective if s.household else None),
    "children.count": Property("known children", _of_person(lambda p: len(p.children))),
    "vehicles.count": Property("registrations held, de-registered ones too", lambda s: len(s.vehicles)),
    "vehicles.driven": Property("company and leased cars driven", lambda s: len(s.driven)),
    "vehicles.leased": Property("leased cars driven", lambda s: sum(car.lease for car in s.driven)),
    "vehicles.deregistered": Property("plates handed in", lambda s: sum(car.status != "REG" for car in s.vehicles)),
    "cards.count": Property("parking cards at the address, whatever their state", lambda s: len(s.cards)),
    "cards.valid": Property("parking cards at the address that count today", lambda s: len(s.valid_cards)),
    "enterprises.count": Property("enterprises of this person", lambda s: len(s.enterprises)),
    "licence.categories": Property('valid categories, as in "B" in licence.categories',
                                   _of_person(lambda p: [one.category for one in p.licences if not one.withdrawn])),
    "licence.withdrawn": Property("a licence was withdrawn",
                                  _of_person(lambda p: any(one.withdrawn for one in p.licences))),
    "livingWage": Property("gets a living wage today", _of_person(lambda p: any(w.end is None for w in p.living_wage))),
    "statuses": Property('social statuses, as in "heatingAllowance" in statuses',
                         _of_person(lambda p: sorted(p.statuses))),
    "integrated": Property("somebody at the KSZ keeps a file", _of_person(lambda p: bool(p.integrations))),
    "qualities": Property("quality codes of the files at the KSZ",
                          _of_person(lambda p: [one.quality for one in p.integrations])),
}  # fmt: skip
