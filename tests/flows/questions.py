"""What each service is asked in these flows, and for whom: found in the policies, not written down a second time.

One `Granted` for every way in which some purpose lets somebody ask a service and get something released.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

from integrator import places, settings
from integrator.mapping import load_sheets
from integrator.policy import Ask, Facts, Permit, load_policies
from integrator.services import Service, load_services

HOME = "ixelles"  # where the person of the demo lives: grants that stop at a border are asked from here
DOSSIER = "FLOW-2026-1"
KNOWN = Facts(registered=frozenset({"1"}), dossier=True)  # what the sandbox's files say of everybody (config/sandbox)

ORGANISATIONS = settings.organisations()
SERVICES = load_services(
    places.folder("config") / "services", load_sheets(places.folder("mappings")), sandbox=frozenset()
)
POLICIES = load_policies(places.folder("policies"), ORGANISATIONS)

# One person of whom nearly every source knows something, and the named cases whose answers are the richest elsewhere.
PERSON: Mapping[str, Any] = {
    "ssin": "84651797654",
    "plateNumber": "1ABC123",
    "vin": "YT9AAB3CD0EEKH001",
    "unifier": "01",
    "address": {"postCode": "1050", "streetName": "Voorbeeldstraat", "houseNumber": "12"},
}
# What the Crossroads Bank wants as proof that one knows the person.
IDENTITY: Mapping[str, Any] = {"ssin": PERSON["ssin"], "familyName": "Eekhoorn", "birthDate": "1984-05-17"}
# Half of it is hers, on the first day of whichever year; who lives there is known of this one alone.
DWELLING: Mapping[str, Any] = {"parcelId": "21809A0012/00B000P0000", "taxYear": datetime.now(UTC).year}
KEYS: Mapping[str, Mapping[str, Any]] = {
    "person.get": {"ssin": PERSON["ssin"]},
    "person.addressHistory": {"ssin": PERSON["ssin"], "history": True},
    "person.civilStatus": {"ssin": PERSON["ssin"]},
    "person.nationality": {"ssin": PERSON["ssin"]},
    "person.lifeStatus": {"ssin": PERSON["ssin"]},
    "person.drivingLicence": {"ssin": PERSON["ssin"], "category": "B"},
    "person.search": {"familyName": "Eekhoorn", "givenName": "Vrolijke", "birthDate": "1984-05-17"},
    "household.get": {"ssin": PERSON["ssin"]},
    "livingWage.get": {"ssin": "94641897237"},  # dappere-mus: a living wage today
    "socialStatus.check": {
        "ssin": "62720696678",
        "statuses": ["increasedReimbursement"],
    },  # volle-mandarijn: has them all
    "enterprise.get": {"enterpriseNumber": "1800001185"},  # bedrijvige-mier: active, with establishment units
    "enterprise.search": {"name": "Wilde Ganzen"},
    "vehicle.registrations": {
        "plateNumber": PERSON["plateNumber"],
        "vin": PERSON["vin"],
        "unifier": PERSON["unifier"],
        "ssin": PERSON["ssin"],
        "enterpriseNumber": "1800000195",
    },
    "vehicle.titular": {"plateNumber": "2AGS016"},  # gehuurde-gans: holder and driver are two
    "vehicle.registrationCheck": {"plateNumber": PERSON["plateNumber"]},
    "address.search": {**PERSON["address"], "municipalityCode": "21009"},
    "address.streets": {"postCode": "1050", "municipalityCode": "21009", "streetName": "Voorbeeldstraat"},
    "address.municipalities": {},
    "address.get": {},  # the number is found by a search: `with_address`
    "directory.register": {"ssin": PERSON["ssin"], "quality": "0", "startDate": "2026-01-01", "origin": "case"},
    "directory.unregister": {"ssin": PERSON["ssin"], "quality": "0", "endDate": "2099-12-31"},
    "directory.list": {"ssin": PERSON["ssin"]},
    "directory.elsewhere": {"ssin": PERSON["ssin"]},
    "directory.ksz.register": {**IDENTITY, "quality": "9", "startDate": "2026-02-01"},
    "directory.ksz.unregister": {**IDENTITY, "quality": "9", "startDate": "2026-02-01", "endDate": "2099-12-31"},
    "directory.ksz.list": {**IDENTITY, "startDate": "2026-02-01"},
    "debt.consolidated": {"ssin": PERSON["ssin"]},
    "employment.periods": {"ssin": PERSON["ssin"], "startDate": "2026-02-02"},
    "property.cadastralData": {"ssin": PERSON["ssin"], **DWELLING},
    "property.rebate.check": {"ssin": PERSON["ssin"], **DWELLING},
    "employment.declarations": {"ssin": PERSON["ssin"], "quarters": {"begin": "2026Q1", "end": "2026Q2"}},
    "parking.cards.count": {"plateNumber": PERSON["plateNumber"]},
    "parking.residentPermit.checkEligibility": {
        "ssin": PERSON["ssin"],
        "plateNumber": PERSON["plateNumber"],
        "address": PERSON["address"],
    },
}


BODIES: Mapping[str, int] = {name: len(one["bodies"]) for name, one in settings.load().sources.items() if "bodies" in one}


@dataclass(frozen=True, slots=True)
class Granted:
    """A service, somebody who may ask it for a purpose, and the question they may ask."""

    service: Service
    purpose: str
    organisation: str  # short name in config/organisations.yaml
    permit: Permit
    way: tuple[str, ...]  # the keys it is asked by
    question: Mapping[str, Any]

    @property
    def id(self) -> str:
        """Never with a value of the question in it."""
        return f"{self.service.name}-{self.purpose}" + (f"-{'+'.join(self.way)}" if self.service.exactly_one else "")

    @property
    def sources(self) -> frozenset[str]:
        """Connectors that answering may need."""
        parts = self.service.parts_for(self.permit.fields)
        return frozenset(SERVICES[part.service].source or "" for part in parts) or frozenset(
            {self.service.source or ""}
        )


def elsewhere(service: Service) -> bool:
    """What has flows of its own: what is handed in (delivery/), what is open (test_open_data.py), the figures that no mock but a
    centre hands in (test_policy_statistics.py), and periods that are there once somebody declared them (delivery/test_declaring.py)."""
    return (
        service.later is not None or service.is_open or service.name.startswith(("statistics.", "employment.periods"))
    )


@cache
def granted() -> tuple[Granted, ...]:
    """Every (service, purpose, way of asking) of the collection, in order of their names."""
    return tuple(
        [
            one
            for service in SERVICES.values()
            if not elsewhere(service)
            for purpose in sorted(POLICIES.purposes)
            for one in _ways(service, purpose)
        ]
    )


def one_each() -> list[Granted]:
    """For each service the grant that releases most."""
    best: dict[str, Granted] = {}
    for one in granted():
        known = best.get(one.service.name)
        if known is None or len(one.permit.fields) > len(known.permit.fields):
            best[one.service.name] = one
    return list(best.values())


def the(service: str, purpose: str, way: tuple[str, ...] = ()) -> Granted:
    """One of them by its names."""
    return next(
        one
        for one in granted()
        if (service, purpose) == (one.service.name, one.purpose) and (not way or one.way == way)
    )


def question_about(one: Granted, person: Mapping[str, Any]) -> dict[str, Any] | None:
    """The question that `one` holds, with this person's keys in it."""
    home = person.get("address", {})
    mine = {
        "ssin": person.get("ssin"),
        "plateNumber": next(iter(person.get("plates", ())), None),
        "enterpriseNumber": next(iter(person.get("enterpriseNumbers", ())), None),
        "familyName": person.get("name", "").rpartition(" ")[2] or None,
        "givenName": person.get("name", "").partition(" ")[0] or None,
        "birthDate": person.get("birthDate"),
        "name": person.get("name"),
        "postCode": home.get("postCode"),
        "municipalityCode": home.get("municipality"),
        "streetName": home.get("streetName", {}).get("fr"),
        "houseNumber": home.get("houseNumber"),
        "address": {name: home[name] for name in ("postCode", "houseNumber")} | {"streetName": home["streetName"]["nl"]} if home else None,
    }  # fmt: skip
    question = {name: mine.get(name, value) for name, value in one.question.items() if name != "history"}
    return None if None in question.values() or one.service.name == "address.get" else question


def leaves(value: Any, path: str = "") -> Iterator[str]:
    """Dotted names of everything in an answer that is no object or list; positions in lists do not count.

    >>> sorted(leaves({"a": [{"b": 1}, {"c": {"d": 2}}]}))
    ['a.b', 'a.c.d']
    """
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from leaves(inner, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for inner in value:
            yield from leaves(inner, path)
    else:
        yield path


def _ways(service: Service, purpose: str) -> Iterator[Granted]:
    anywhere = {key for group in service.exactly_one for key in group}
    for way in service.exactly_one or (tuple(service.keys),):
        question = {
            name: value
            for name, value in KEYS[service.name].items()
            if name in way or name not in anywhere or name == "history"
        }
        if service.exactly_one and not set(way) <= set(question):
            continue  # a way for which there is no question in KEYS
        for organisation in sorted(ORGANISATIONS["organisations"], key=lambda name: (name != HOME, HOME not in name)):
            permit = _permit(service, purpose, organisation, question)
            if permit is not None:
                dossier = {"dossierReference": DOSSIER} if service.needs_dossier else {}
                yield Granted(service, purpose, organisation, permit, way, {**question, **dossier})
                break


def _permit(service: Service, purpose: str, organisation: str, question: Mapping[str, Any]) -> Permit | None:
    number = ORGANISATIONS["organisations"][organisation]["number"]
    keys = frozenset(question) - {"history"}
    if service.name == "address.get":
        keys |= {"addressId"}
    history = bool(question.get("history", False)) or service.past is not None

    def decide(asked: Service, by: frozenset[str], fields: frozenset[str] | None, part: bool) -> Permit | None:
        ask = Ask(number, "test", purpose, asked.name, by, asked.offers, fields, history and not part, part)
        decision = POLICIES.decide(ask, time.time(), KNOWN)
        return decision if isinstance(decision, Permit) else None

    whole = decide(service, keys, None, False)
    if whole is None or any(
        decide(SERVICES[part.service], part.keys, part.fields, True) is None for part in service.parts_for(whole.fields)
    ):
        return None
    return whole
