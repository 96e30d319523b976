"""Registrations and parking cards."""

from __future__ import annotations

from dataclasses import dataclass

from mock_sources.world.facts.places import Address


@dataclass(frozen=True, slots=True)
class Holder:
    """The titular of a registration: a person or an enterprise, never both."""

    ssin: str | None = None
    cbe: str | None = None


@dataclass(frozen=True, slots=True)
class Vehicle:
    plate: str  # without punctuation
    plate_type: str  # NM normal …
    vin: str
    unifier: str  # VINs are not unique: VIN + unifier is the key
    holder: Holder
    driver: str | None  # national number, when the holder is not who drives
    lease: bool
    make: str
    model: str
    category: str  # M1 car, N1 van, L3e motorbike …
    first_registration: str
    registered_since: str  # this plate, this holder
    status: str = "REG"  # REG | deregistered
    deregistered_on: str | None = None
    fuel: str = "10"
    mass: int = 1300  # kg in running order
    colour: str = "8"
    previous_plates: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Card:
    """A resident's parking card: one plate, one address."""

    plate: str
    address: Address
    holder: str | None  # national number; None for a company's card
    start: str
    end: str
    status: str = "A"  # A active, S suspended, X cancelled
    kind: str = "R"  # R resident, C car sharing, P professional
