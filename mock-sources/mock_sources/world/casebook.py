"""The personas: named cases read from `personas/*.yaml`, with their families, cars and companies, as of one day.

A file is a list of cases. A case tells one person (`me`), who lives with them (`household`), who else matters
(`others`), and what they own. Houses stand in the street that every municipality keeps for personas.
The JSON Schema beside the files says what may be written; a case that breaks it is refused by name.
"""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any
from zlib import crc32

import jsonschema
import yaml

from mock_sources.world import casewords as read
from mock_sources.world.casewords import Dates, Words
from mock_sources.world.facts import (
    Address,
    Card,
    Enterprise,
    Establishment,
    Household,
    Member,
    Occupation,
    Person,
    Persona,
    Position,
    Vehicle,
)
from mock_sources.world.places import Places

FOLDER = Path(__file__).resolve().parent.parent / "personas"
_SAFE = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the same words, read eight times faster
_PARTNERS = ("02", "21", "22")


class CaseError(ValueError):
    """A persona file says something that cannot be; the message names the file or the case."""


@cache
def cases(folder: Path = FOLDER) -> tuple[Words, ...]:
    """Every case of every file, schema-checked, in file order. Raises `CaseError`."""
    schema = json.loads((folder / "persona.schema.json").read_text(encoding="utf-8"))
    validator = jsonschema.Draft202012Validator(schema)
    found: list[Words] = []
    for file in sorted(folder.glob("*.yaml")):
        told = yaml.load(file.read_text(encoding="utf-8"), Loader=_SAFE)  # noqa: S506 - either of the two safe ones
        problem = jsonschema.exceptions.best_match(validator.iter_errors(told))
        if problem is not None:
            raise CaseError(f"{file.name}: {'/'.join(map(str, problem.absolute_path))}: {problem.message}")
        found.extend(told)
    return tuple(found)


class Casebook:
    """All personas and everything around them, indexed the ways the sources ask. Some hundred facts, kept in memory."""

    def __init__(self, told: tuple[Words, ...], places: Places, today: date) -> None:
        self._places = places
        self._day = Dates(today)
        self.people: dict[str, Person] = {}
        self.households: dict[int, Household] = {}
        self.addresses: dict[int, Address] = {}
        self.vehicles: dict[str, Vehicle] = {}
        self.enterprises: dict[str, Enterprise] = {}
        self.establishments: dict[str, Establishment] = {}
        self.cards: list[Card] = []
        self.work: dict[str, tuple[Occupation, ...]] = {}
        self.personas: dict[str, Persona] = {}
        for case in told:  # first the wounds of addresses, then whoever lives there
            for words in case.get("addresses", ()):
                self._place(words)
        for case in told:
            self._tell(case)
        self.vehicles_by_vin = _grouped((vehicle.vin, vehicle) for vehicle in self.vehicles.values())
        self.vehicles_by_holder = _grouped(
            (vehicle.holder.ssin or vehicle.holder.cbe or "", vehicle) for vehicle in self.vehicles.values()
        )
        self.vehicles_by_driver = _grouped((vehicle.driver, vehicle) for vehicle in self.vehicles.values())
        self.households_by_address = _grouped(
            (household.address.id, household) for household in self.households.values() if household.address
        )
        self.addresses_by_street = _grouped((address.street.id, address) for address in self.addresses.values())

    def _tell(self, case: Words) -> None:
        slug = case["persona"]
        me = case.get("me")
        ssin = me["ssin"] if me else None
        if me:
            self._household(slug, case, [me, *case.get("household", ())])
        for rank, other in enumerate(case.get("others", ())):
            self._household(f"{slug} other {rank}", other, [other, *other.get("household", ())])
        for words in case.get("vehicles", ()):
            self._keep(self.vehicles, words["plate"], read.vehicle(words, ssin, self._day), slug)
        for words in case.get("enterprises", ()):
            company = read.enterprise(words, ssin, self._day, self._place)
            self._keep(self.enterprises, company.number, company, slug)
            for unit in company.establishments:
                self._keep(self.establishments, unit.number, unit, slug)
        home = self._place(case["home"]) if "home" in case else None
        for words in case.get("cards", ()):
            self.cards.append(self._card(words, home, ssin, slug))
        ask = case.get("ask", {})
        plates, firms = case.get("vehicles") or [{}], case.get("enterprises") or [{}]
        persona = Persona(
            slug,
            read.title(case["title"]),
            case["title"]["en"],
            case["why"],
            ask.get("ssin", ssin),
            ask.get("plate", plates[0].get("plate")),
            ask.get("enterprise", firms[0].get("number")),
            tuple(case.get("tags", ())),
            self.people.get(ssin or ""),
        )
        self._keep(self.personas, slug, persona, slug)

    def _household(self, slug: str, case: Words, told: list[Words]) -> None:
        """Tell the people of one household; who is no member (`code` absent, no home) is told alone."""
        home = self._place(case["home"]) if "home" in case else None
        members = [words for words in told if home is not None and words.get("code", "01") != "none"]
        members.sort(key=lambda words: words.get("code", "01") != "01")
        id = 1_000_000 + crc32(slug.encode()) % 1_000_000_000
        since = self._day.needed(case.get("since", "2019-05-01"))
        household = Household(
            id,
            home,
            str(case.get("collective", "00")),
            tuple(Member(words["ssin"], words.get("code", "01"), self._joined(words, since)) for words in members),
        )
        if members:
            self._keep(self.households, id, household, slug)
        for words in told:
            inside = words in members
            person = self._person(words, household if inside else None, members if inside else [], since)
            self._keep(self.people, person.ssin, person, slug)
            self.work[person.ssin] = read.work(words, self._day)

    def _joined(self, words: Words, since: str) -> str:
        return max(self._day.needed(words.get("since", since)), self._day.needed(words["born"]))

    def _person(self, words: Words, household: Household | None, members: list[Words], since: str) -> Person:
        day, ssin = self._day, str(words["ssin"])
        born = day.needed(words["born"])
        code = str(words.get("code", "01"))
        joined = self._joined(words, since)
        nationalities = read.coded(words.get("nationality", "150"), born, day)
        usual_register = "2" if nationalities and nationalities[0].code == "150" else "1"
        wages = read.living_wages(words, day)
        parents, children = _filiation(words, members)
        return Person(
            ssin=ssin,
            register=str(words.get("register", "RR")),
            sex=str(words["sex"]),
            birth_date=born,
            birth_place=(
                str(words.get("birth_place", ["21004", ""])[0]),
                str(words.get("birth_place", ["", "Bruxelles"])[1]),
            ),
            names=read.names(words, born, day),
            nationalities=nationalities,
            civil_states=read.civil_states(words, born, day),
            residences=read.residences(words, household.address if household else None, joined, day, self._place),
            registers=read.coded(words.get("registers", usual_register), born, day),
            legal_cohabitation=read.cohabitation(words, day),
            not_communicable=bool(words.get("not_communicable", False)),
            death=read.death(words, day),
            licences=read.licences(words, ssin, day),
            household_id=household.id if household else None,
            position=Position("reference" if code == "01" else "member", code, joined) if household else None,
            parents=parents,
            children=children,
            language=str(words.get("language", "fr")),
            replaced_by=words.get("replaced_by"),
            replaces=words.get("replaces"),
            titles=tuple(words.get("titles", ())),
            living_wage=wages,
            statuses=frozenset(words.get("statuses", ["livingWage"] if wages and wages[0].end is None else [])),
            integrations=read.integrations(words, day),
        )

    def _card(self, words: Words, home: Address | None, me: str | None, slug: str) -> Card:
        address = self._place(words["at"]) if "at" in words else home
        if address is None:
            raise CaseError(f"{slug}: a card needs an address")
        return Card(
            str(words["plate"]),
            address,
            str(words["holder"]) if "holder" in words else me,
            self._day.needed(words.get("start", "today-200")),
            self._day.needed(words.get("end", "today+530")),
            str(words.get("status", "A")),
            str(words.get("kind", "R")),
        )

    def _place(self, words: Words) -> Address:
        """The house in the personas' street of `nis`; made the first time it is named, in words or in passing."""
        nis, number, box = str(words["nis"]), str(words["number"]), words.get("box")
        id = 900_000_000 + crc32(f"{nis} {number} {box}".encode()) % 90_000_000
        known = self.addresses.get(id)
        if known is None:
            known = read.address(words, id, self._places.persona_street(nis), self._places.position)
            self.addresses[id] = known
        if (known.nis, known.number, known.box) != (nis, number, box):
            raise CaseError(f"two houses share the id {id}: {known.nis} {known.number}, {nis} {number}")
        return known

    def _keep(self, where: dict[Any, Any], key: Any, value: Any, slug: str) -> None:
        if key in where:
            raise CaseError(f"{slug}: told twice: {type(value).__name__}")
        where[key] = value


def _filiation(words: Words, members: list[Words]) -> tuple[tuple[str | None, ...], tuple[str, ...]]:
    """Parents and children as told, else as the positions in the household say."""
    heads = [member["ssin"] for member in members if member.get("code", "01") in ("01", *_PARTNERS)]

    def parents(child: Words) -> tuple[str | None, ...]:
        usual = heads[:2] if child.get("code") == "03" else []
        return tuple(child.get("parents", usual))

    mine = (member["ssin"] for member in members if words["ssin"] in parents(member))
    return parents(words), tuple(words.get("children", mine))


def _grouped(pairs: Any) -> dict[Any, tuple[Any, ...]]:
    found: defaultdict[Any, tuple[Any, ...]] = defaultdict(tuple)
    for key, value in pairs:
        found[key] += (value,)
    return dict(found)
