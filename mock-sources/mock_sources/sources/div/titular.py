"""Who holds a plate: the `titular` of a registration, its addresses, and the driver of a leased vehicle.

`registrationAddress` is where the titular lived when the plate was given, `address` where the Rijksregister (or
BIS, RAD, KBO) has it today. Spelling follows the published answers, including that `registrationsTitular` writes
a driver's number as plain text and a titular's inside an object.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mock_sources.sources.div.labels import label
from mock_sources.sources.div.places import driver_address, titular_address
from mock_sources.world import World
from mock_sources.world.facts import Address, Enterprise, Person, Vehicle

_AGENT = {"@id": "_:100", "@type": "http://purl.org/dc/terms/Agent"}
_PERSON = {"@id": "_:100", "@type": "http://www.w3.org/ns/person#Person"}
_ORGANISATION = {"@id": "_:100", "@type": "http://www.w3.org/ns/org#Organization"}
_CONTACT = {"@type": "https://schema.org/ContactPoint"}
_CONCEPT = {"@type": "http://www.w3.org/2004/02/skos/core#Concept"}
_SOURCES = {"RR": "RRN", "BIS": "BIS", "RAD": "RAD"}
_KBO_LANGUAGES = {"1": "fr", "2": "nl", "3": "de"}


@dataclass(frozen=True, slots=True)
class Bearer:
    """Who holds the plate, looked up once: a person, an enterprise, or neither where no register knows the number."""

    person: Person | None
    enterprise: Enterprise | None

    @classmethod
    def of(cls, world: World, vehicle: Vehicle) -> Bearer:
        """Ask the world for the holder of this vehicle."""
        if vehicle.holder.cbe is not None:
            return cls(None, world.enterprise(vehicle.holder.cbe))
        return cls(world.person(vehicle.holder.ssin) if vehicle.holder.ssin else None, None)

    @property
    def language(self) -> str:
        """nl | fr | de; DIV keeps it with the licence and writes streets in it."""
        if self.person is not None:
            return self.person.language
        if self.enterprise is not None and self.enterprise.names:
            return _KBO_LANGUAGES.get(self.enterprise.names[0].language, "nl")
        return "nl"


def titular(world: World, vehicle: Vehicle, bearer: Bearer) -> dict[str, Any]:
    """The titular as `registrations` gives it. A holder whom no register knows leaves only its number."""
    person, enterprise = bearer.person, bearer.enterprise
    if vehicle.holder.cbe is not None:
        homes = _seats(enterprise, vehicle.registered_since) if enterprise else (None, None)
        who = {"organisation": _organisation(vehicle.holder.cbe, enterprise, vehicle.lease)}
        kind, source = "M", "KBO"
    else:
        homes = _homes(person, vehicle.registered_since) if person else (None, None)
        who = {"person": _person(vehicle.holder.ssin or "", person)}
        kind, source = "P", _SOURCES[person.register] if person else "RRN"
    contact = _contact(world, *homes, bearer.language)
    return {**_AGENT, "type": kind, "source": source, **who, "contactInfo": contact}


def titular_in_full(world: World, vehicle: Vehicle, bearer: Bearer) -> dict[str, Any]:
    """The titular as `registrationsTitular` gives it: today's address only, with who updated it and when."""
    whole = titular(world, vehicle, bearer)
    now = whole["contactInfo"].pop("address", None)
    whole["contactInfo"].pop("registrationAddress", None)
    whole.get("person", {}).pop("birthYear", None)
    if now is not None:
        kind = {"@type": now.pop("@type")}
        dated = {**kind, **_updated(whole["source"], vehicle.registered_since), **now}
        whole["contactInfo"]["address"] = {**dated, "currentAddress": dated}
    return whole


def driver(world: World, vehicle: Vehicle) -> dict[str, Any] | None:
    """Who drives, when that is somebody else than the holder (lease, company car); else None."""
    person = None if vehicle.driver is None else world.person(vehicle.driver)
    if person is None:
        return None
    shown: dict[str, Any] = {
        "person": {"nationalNr": person.ssin, "lastName": list(person.name.last), "firstName": list(person.name.first)},
        "source": _SOURCES[person.register],
    }
    if person.address is not None and person.residence is not None:
        updated = _updated(shown["source"], person.residence.start)
        shown["address"] = driver_address(world, person.address, person.language, updated)
    return shown


def _person(number: str, person: Person | None) -> dict[str, Any]:
    shown: dict[str, Any] = {**_PERSON, "nationalNr": {"identificator": number}}
    if person is not None:
        shown |= {"lastName": list(person.name.last), "firstName": list(person.name.first)}
        if person.birth_date[:4].strip("0"):  # a year may be unknown
            shown["birthYear"] = person.birth_date[:4]
    return shown


def _organisation(number: str, enterprise: Enterprise | None, lease: bool) -> dict[str, Any]:
    shown: dict[str, Any] = {**_ORGANISATION, "companyNr": {"identificator": number}}
    if enterprise is not None and enterprise.names:
        name = enterprise.names[0]
        shown["organisationName"] = {"string": name.text, "lang": _KBO_LANGUAGES.get(name.language, "nl")}
    shown["isLeaseCompany"] = "Y" if lease else "N"
    if enterprise is not None and enterprise.legal_forms:
        form = enterprise.legal_forms[0].code
        shown["legalFormCode"] = {**_CONCEPT, "prefLabel": {"string": form}}
        abbreviation = label("legalFormAbbreviation", form)
        if abbreviation is not None:
            shown["legalFormAbbrev"] = {**_CONCEPT, "prefLabel": {"string": abbreviation}}
    return shown


def _homes(person: Person, moment: str) -> tuple[Address | None, Address | None]:
    """Where the person lived then, and lives now; None where the register has no Belgian address."""
    then = next((home.address for home in person.residences if home.start <= moment and home.address), None)
    return then or person.address, person.address


def _seats(enterprise: Enterprise, moment: str) -> tuple[Address | None, Address | None]:
    then = next((seat.address for seat in enterprise.addresses if seat.start <= moment), None)
    now = next((seat.address for seat in enterprise.addresses if seat.end is None), None)
    return then or now, now


def _contact(world: World, then: Address | None, now: Address | None, spoken: str) -> dict[str, Any]:
    shown: dict[str, Any] = dict(_CONTACT)
    if then is not None:
        shown["registrationAddress"] = titular_address(world, then, spoken)
    if now is not None:
        shown["address"] = titular_address(world, now, spoken)
    return shown


def _updated(source: str, since: str) -> dict[str, str]:
    """When a register last changed an address; the day is enough, so the clock reads always the same."""
    return {"lastUpdateSource": source, "lastUpdateDateTime": f"{since.replace('-00', '-01')}T10:20:27.123Z"}
