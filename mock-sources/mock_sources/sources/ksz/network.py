"""The network behind the Bank: who its members are, and the directory of who keeps a file about whom.

The directory starts from what the world knows and remembers, in memory, what ManageAccess changes.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from mock_sources.world import World


@dataclass(frozen=True, slots=True)
class Place:
    """A place in the network: sector and institution (17.1 = the centres for social welfare)."""

    sector: int
    institution: int


class Members:
    """Enterprise numbers and the place that each speaks for."""

    def __init__(self, organisations: list[Mapping[str, Any]]) -> None:
        self._places: dict[str, Place] = {}
        for entry in organisations:
            place = Place(entry["sector"], entry["institution"])
            self._places.update(dict.fromkeys(entry["numbers"], place))

    def place(self, cbe: str | None, sector: str | None, institution: str | None) -> Place | None:
        """The place of whoever asks, by enterprise number or by sector and institution; None for a stranger."""
        if cbe:
            return self._places.get(cbe)
        named = Place(int(sector or -1), int(institution or 0))
        return named if named in self._places.values() else None


@dataclass(frozen=True, slots=True)
class Registration:
    """One line of the directory; dates `YYYY-MM-DD`, an open end is None."""

    ssin: str
    place: Place
    quality: int  # hoedanigheidscode: the capacity in which an institution knows somebody
    start: str
    end: str | None
    org_unit: str | None = None  # enterprise number, for lines made through ManageAccess

    def of(self, place: Place, org_unit: str | None) -> bool:
        """Say whether this line is that member's: members of one place (17.1) each keep their own files.

        Lines that the world began with name nobody: they count for every member of their place.
        """
        return self.place == place and self.org_unit in (None, org_unit)

    def overlaps(self, start: str, end: str | None) -> bool:
        """Say whether this line and a period share a day."""
        return (end is None or self.start <= end) and (self.end is None or start <= self.end)


class Directory:
    """The directory of references (verwijzingsrepertorium)."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._changed: dict[str, tuple[Registration, ...]] = {}

    def lines(self, ssin: str) -> tuple[Registration, ...]:
        """Every line about somebody."""
        if ssin in self._changed:
            return self._changed[ssin]
        person = self._world.person(ssin)
        return tuple(
            Registration(ssin, Place(one.sector, one.institution), one.quality, one.start, one.end)
            for one in (person.integrations if person else ())
        )

    def is_integrated(self, ssin: str, place: Place, day: str, qualities: Collection[int] | None = None) -> bool:
        """Say whether this place keeps a file about somebody on that day, in one of these qualities (None: any)."""
        return any(
            one.place == place and one.overlaps(day, day) and (qualities is None or one.quality in qualities)
            for one in self.lines(ssin)
        )

    def add(self, line: Registration) -> None:
        """Write a line."""
        self._changed[line.ssin] = (*self.lines(line.ssin), line)

    def close(
        self, ssin: str, place: Place, quality: int, start: str, end: str | None, org_unit: str | None = None
    ) -> bool:
        """End this member's lines of this quality that overlap the period, on its last day; those that begin in it vanish.

        Returns False when there was none.
        """
        kept, touched = [], False
        for one in self.lines(ssin):
            if not one.of(place, org_unit) or one.quality != quality or not one.overlaps(start, end):
                kept.append(one)
                continue
            touched = True
            if one.start < start or end is not None:
                kept.append(replace(one, end=end or start))
        if touched:
            self._changed[ssin] = tuple(kept)
        return touched
