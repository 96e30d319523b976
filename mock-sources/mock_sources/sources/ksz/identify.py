"""IdentifyPerson: is this number who they say, or who goes by this name?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from html import escape
from typing import Any

from lxml import etree

from mock_sources.soap import Call, child_texts
from mock_sources.sources.ksz.proof import Evidence, evidence
from mock_sources.sources.ksz.spelling import host
from mock_sources.sources.ksz.ssdn import Detail, Reasons, Told, User
from mock_sources.sources.strangers import stranger
from mock_sources.world import World
from mock_sources.world.facts import Address, Names, Person
from mock_sources.world.identifiers import birth_year

NAMESPACE = "http://www.ksz-bcss.fgov.be/XSD/SSDN/OCMW_CPAS/IdentifyPerson"
_PHONETIC = ("LastName", "FirstName", "MiddleName", "BirthDate", "Gender", "Tolerance", "Maximum")
_POST = "0000"  # the diplomatic post is not in our world


class IdentifyPerson:
    """The service OCMWCPASIdentifyPerson."""

    def __init__(self, world: World, manual: Mapping[str, Any]) -> None:
        self._world = world
        self._reasons = Reasons(manual["reasons"])
        self._most = manual["ssdn"]["results"]["maximum"]
        self._origin = manual["ssdn"]["registers"]

    def __call__(self, request: etree._Element, user: User, call: Call) -> Told:
        """Answer one valid IdentifyPersonRequest."""
        criteria = {etree.QName(child).localname: child for child in request[0]}
        proof = evidence(request[1] if len(request) > 1 else None)
        if "SSIN" in criteria:
            ignored = (self._reasons.detail("ssin_and_phonetic"),) if "PhoneticCriteria" in criteria else ()
            told = self._by_number((criteria["SSIN"].text or "").strip(), proof, call)
            return replace(told, details=ignored + told.details)
        if "PhoneticCriteria" in criteria:
            return self._by_name(criteria["PhoneticCriteria"], call)
        return self._reasons.refuse("no_criteria")

    def _by_number(self, ssin: str, proof: Evidence, call: Call) -> Told:
        if birth_year(ssin) is None:
            return self._reasons.refuse("misformed_ssin", ("SSIN", ssin))
        person = self._world.person(ssin)
        if person is None:
            return self._reasons.refuse("unknown_ssin", ("SSIN", ssin))
        if person.replaced_by is not None:
            return self._reasons.refuse("replaced_ssin", ("SSIN", ssin), ("newSSIN", person.replaced_by))
        details = self._verification(person, proof, call)
        proven = proof.holds(person, call.clock().date())
        if proven:
            details.append(self._reasons.detail("validated", ("SSIN", ssin)))
        if call.fault == "wrong_subject":
            person = stranger(self._world, ssin)
        return Told(tuple(details), self._found([person], extended=proven or call.fault == "over_delivery"))

    def _verification(self, person: Person, proof: Evidence, call: Call) -> list[Detail]:
        details = []
        if proof.sis_card:
            details.append(self._reasons.detail("sis_abolished"))
        if proof.identity_card and not proof.card_matches(person, call.clock().date()):
            details.append(self._reasons.detail("card_mismatch", ("SSIN", person.ssin)))
        if proof.data and not proof.data.matches(person):
            said = proof.data
            details.append(
                self._reasons.detail(
                    "data_mismatch",
                    ("Phonetic Information: Birth Date", said.birth_date),
                    ("Phonetic Information: First Name", said.first),
                    ("SSIN", person.ssin),
                    ("Phonetic Information: Last Name", said.last),
                    ("Phonetic Information: Middle Name", said.middle),
                )
            )
        return details

    def _by_name(self, criteria: etree._Element, call: Call) -> Told:
        last, first, _, born, sex, tolerance, maximum = child_texts(criteria, _PHONETIC)
        if (born or "").endswith("-00") and tolerance is None:
            return self._reasons.refuse(
                "tolerance_needed",
                ("Phonetic Criteria: Birth Date", born),
                ("Phonetic Criteria: Birth Date Tolerance", None),
            )
        most = min(int(maximum or self._most), self._most)
        found = self._world.identify(last or "", first, born or "", int(tolerance or 0), sex, most + 1)
        details = [self._reasons.detail("too_many_found")] if len(found) > most else []
        if call.fault == "wrong_subject":
            found = [stranger(self._world, found[0].ssin if found else "")]
        if not found:
            details.append(self._reasons.detail("nobody_found"))
        return Told(tuple(details), self._found(found[:most], extended=call.fault == "over_delivery"))

    def _found(self, people: list[Person], *, extended: bool) -> str:
        hits = "".join(
            f'<ns3:LimitedLegalData origin="{self._origin[one.register]}">{self._basic(one)}'
            f"{_extended(one) if extended else ''}</ns3:LimitedLegalData>"
            for one in people
        )
        results = f"<ns3:SearchResults>{hits}</ns3:SearchResults>" if hits else ""
        return f'<ns3:IdentifyPersonReply xmlns:ns3="{NAMESPACE}">{results}</ns3:IdentifyPersonReply>'

    def _basic(self, person: Person) -> str:
        name = person.name
        first, middle = (*name.first, None, None)[:2]
        fields = (
            ("SocialSecurityUser", person.ssin),
            ("LastName", host(" ".join(name.last))),
            ("FirstName", host(first) if first else None),
            ("MiddleName", host(middle) if middle else None),
            ("BirthDate", person.birth_date),
            ("Gender", person.sex),
        )
        where = "" if person.not_communicable else self._address(person.address) or _abroad(person)
        return f"<ns3:Basic>{_elements(fields)}{where}</ns3:Basic>"

    def _address(self, address: Address | None) -> str:
        if address is None:
            return ""
        street = address.street
        town = self._world.municipality(street.nis)
        return (
            f"<ns3:Address>{_elements((('CountryCode', '150'), ('MunicipalityCode', street.nis)))}"
            f"{_names('Municipality', town.names) if town else ''}"
            f"{_elements((('PostalCode', street.postcode), ('StreetCode', street.rrn_code)))}"
            f"{_names('Street', street.names)}"
            f"{_elements((('HouseNumber', address.number), ('Box', address.box)))}</ns3:Address>"
        )


def _extended(person: Person) -> str:
    code, label = person.birth_place
    fields = (
        ("CivilState", _current(person.civil_states)),
        ("BirthLocationCode", code),
        ("BirthLocation", host(label)),
        ("DeceaseDate", person.death.date if person.death else None),
        ("InscriptionRegister", _current(person.registers)),
        ("NationalityCode", _current(person.nationalities)),
    )
    return f"<ns3:Extended>{_elements(fields)}</ns3:Extended>"


def _current(entries: tuple[Any, ...]) -> str | None:
    return entries[0].code if entries and entries[0].end is None else None


def _names(element: str, names: Names) -> str:
    return "".join(
        f'<ns3:{element} lang="{language}">{escape(host(label), quote=False)}</ns3:{element}>'
        for language, label in (("fr", names.fr), ("nl", names.nl))
    )


def _abroad(person: Person) -> str:
    where = person.residence
    if where is None or where.kind != "abroad" or person.death is not None:
        return ""
    fields = (("CountryCode", where.country), ("Post", _POST), ("AddressPlainText", host(where.text or "")[:100]))
    return f"<ns3:DiplomaticPost>{_elements(fields)}</ns3:DiplomaticPost>"


def _elements(pairs: tuple[tuple[str, str | None], ...]) -> str:
    return "".join(f"<ns3:{name}>{escape(text, quote=False)}</ns3:{name}>" for name, text in pairs if text is not None)
