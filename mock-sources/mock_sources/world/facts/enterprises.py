"""Enterprises and their establishments, as the KBO knows them."""

from __future__ import annotations

from dataclasses import dataclass

from mock_sources.world.facts.people import Coded
from mock_sources.world.facts.places import Address


@dataclass(frozen=True, slots=True)
class Denomination:
    text: str
    language: str  # 1 fr, 2 nl, 3 de, 4 en (KBO)
    code: str  # 001 name, 002 abbreviation, 003 commercial name
    start: str
    end: str | None = None


@dataclass(frozen=True, slots=True)
class Situation:
    """Legal situation (rechtstoestand): 000 normal, 012 dissolution/liquidation …"""

    code: str
    start: str
    end: str | None = None
    status: str = "AC"


@dataclass(frozen=True, slots=True)
class PlacedAt:
    """An address of an enterprise: REGO seat, BAET establishment, ABBR branch, OBAD oldest active establishment."""

    kind: str
    address: Address
    start: str
    end: str | None = None


@dataclass(frozen=True, slots=True)
class Activity:
    nace: str  # Nacebel 2025
    kind: str  # MAIN | SECO | ANCI
    group: str  # 001 VAT, 003 activities, 006 NSSO
    start: str
    end: str | None = None


@dataclass(frozen=True, slots=True)
class Establishment:
    number: str  # [2-8]\\d{9}
    enterprise: str
    names: tuple[Denomination, ...]
    address: Address
    start: str
    end: str | None = None
    status: str = "AC"


@dataclass(frozen=True, slots=True)
class Enterprise:
    number: str
    kind: str  # 1 natural person, 2 legal person
    status: str  # AC active, ST stopped, AN annulled
    names: tuple[Denomination, ...]
    legal_forms: tuple[Coded, ...]
    situations: tuple[Situation, ...]
    addresses: tuple[PlacedAt, ...]
    establishments: tuple[Establishment, ...]
    start: str
    close: str | None = None
    owner_ssin: str | None = None
    activities: tuple[Activity, ...] = ()
    private_hidden: bool = False  # home address and such are withheld from the public
    replaced_by: str | None = None
