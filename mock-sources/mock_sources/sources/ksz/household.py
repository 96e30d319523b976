"""Household composition: the address and the members of somebody's household, each with their position."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from mock_sources.commonv3 import FOUND, NO_DATA
from mock_sources.sources.ksz.projection import Found, Question
from mock_sources.sources.recall import Recall
from mock_sources.world.facts import Address, Member, Names, Person

_DETAILS = ("since", "lastName", "firstName", "birthDate", "genderCode", "nationalityCode", "civilStateCode")


class HouseholdComposition:
    """The service's own part."""

    def __init__(self, region: Recall, rules: Mapping[str, Any]) -> None:
        self._region = region
        self._given_themselves = frozenset(rules["secret_address"])

    def __call__(self, question: Question) -> Found:
        """The household of today; NO_DATA for somebody who has none (abroad, struck off)."""
        household = self._region.household_of(question.person.ssin)
        if household is None:
            return Found(NO_DATA)
        people = [(member, self._region.person(member.ssin)) for member in household.members]
        filtered = [name for name in _DETAILS if f"member/{name}" in question.hidden]
        shown = [name for name in _DETAILS if question.surplus or name not in filtered]
        content = "".join(_member(member, person, shown) for member, person in people)
        address = "" if household.address is None else self._address(household.address)
        names = [f"member/{name}" for name in filtered]
        secret = any(person is not None and person.not_communicable for _, person in people)
        if address and secret and question.context not in self._given_themselves:
            names.insert(0, "address")
            address = address if question.surplus else ""
        return Found(FOUND, f"<housingCode>{household.collective}</housingCode>{address}{content}", tuple(names))

    def _address(self, address: Address) -> str:
        street, town = address.street, self._region.municipality(address.nis)
        box = f"<boxNumber>{escape(address.box, quote=False)}</boxNumber>" if address.box else ""
        return (
            f"<address><municipalityCode>{address.nis}</municipalityCode>"
            f"{_named('municipalityName', town.names) if town else ''}<postalCode>{street.postcode}</postalCode>"
            f"<streetCode>{street.rrn_code}</streetCode>{_named('streetName', street.names)}"
            f"<houseNumber>{escape(address.number, quote=False)}</houseNumber>{box}</address>"
        )


def _member(member: Member, person: Person | None, shown: list[str]) -> str:
    known: dict[str, tuple[str, ...]] = {"since": (member.since,)}
    if person is not None:
        known |= {
            "lastName": (" ".join(person.name.last),),
            "firstName": person.name.first,
            "birthDate": (person.birth_date,),
            "genderCode": (person.sex,),
            "nationalityCode": tuple(one.code for one in person.nationalities[:1]),
            "civilStateCode": tuple(one.code for one in person.civil_states[:1]),
        }
    details = "".join(f"<{name}>{escape(text, quote=False)}</{name}>" for name in shown for text in known.get(name, ()))
    position = f"<ssin>{member.ssin}</ssin><positionCode>{member.code}</positionCode>"
    return f"<member>{position}{details}</member>"


def _named(element: str, names: Names) -> str:
    return "".join(
        f'<{element} language="{language}">{escape(text, quote=False)}</{element}>'
        for language, text in (("FR", names.fr), ("NL", names.nl), ("DE", names.de))
        if text
    )
