"""What a renderer needs in hand: whose file, in which language, with or without history, and what day it is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Protocol, TypeVar

from mock_sources.sources.rijksregister.parts import Words, in_language, text
from mock_sources.world.facts import Household, Municipality, Person


class Region(Protocol):
    """All that the Rijksregister needs of a world."""

    def person(self, ssin: str) -> Person | None:
        """The person of that number, also a replaced one."""

    def household(self, id: int) -> Household | None:
        """The household of that id."""

    def municipality(self, nis: str) -> Municipality | None:
        """A municipality of the Region, by NIS code."""


class Lasting(Protocol):
    """Anything that began and may have ended."""

    @property
    def end(self) -> str | None:
        """Date of the end; None while it holds."""


Held = TypeVar("Held", bound=Lasting)


@dataclass(frozen=True, slots=True)
class Page:
    """One rendering of one file."""

    person: Person
    region: Region
    words: Words
    history: bool
    today: date

    def shown(self, entries: Iterable[Held]) -> list[Held]:
        """The entries to show, newest first as the world keeps them: all of them, or only what holds today."""
        return [entry for entry in entries if self.history or entry.end is None]

    def place(self, element: str, code: str, label: str = "") -> str:
        """A Belgian place by NIS code; without a label when neither we nor the caller know its name."""
        known = self.region.municipality(code)
        name = in_language(known.names, self.words.language) if known else label
        return f"<r:{element}><r:Code>{code}</r:Code>{text('Label', name) if name else ''}</r:{element}>"

    def where(self, code: str, label: str = "") -> str:
        """Place1 in Belgium, Place2 abroad: three digits are a country, five a municipality."""
        if len(code) == 5:
            return self.place("Place1", code, label)
        country = self.words.coded("Country", "country", code)
        town = text("Graphic", label) if label and label != self.words.label("country", code) else ""
        return f"<r:Place2>{country}{town}</r:Place2>"
