"""Municipalities, streets and addresses, as BeSt and the Rijksregister know them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Names:
    """One thing in the languages of the Region; German only where it exists."""

    nl: str
    fr: str
    de: str | None = None


@dataclass(frozen=True, slots=True)
class Municipality:
    nis: str  # 21001 … 21019
    names: Names
    postcodes: tuple[str, ...]
    language_split: int = 15  # households out of 100 registered in Dutch


@dataclass(frozen=True, slots=True)
class Street:
    id: int  # BeSt objectIdentifier
    rrn_code: str  # four digits, the Rijksregister's own number for this street within the municipality
    nis: str
    postcode: str
    names: Names


@dataclass(frozen=True, slots=True)
class Address:
    id: int  # BeSt objectIdentifier
    street: Street
    number: str
    box: str | None = None
    status: str = "current"  # current | retired
    officially_assigned: bool = True
    x: float = 0.0  # Lambert 72, metres; (0, 0) = never positioned
    y: float = 0.0

    @property
    def postcode(self) -> str:
        return self.street.postcode

    @property
    def nis(self) -> str:
        return self.street.nis

    @property
    def positioned(self) -> bool:
        return (self.x, self.y) != (0.0, 0.0)
