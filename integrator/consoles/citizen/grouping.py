"""Rows of one person as people think of them: what was done for one case, in one go, each with its parts.

rows (newest first) ─► events: one exchange each, a composition with its parts ─► cases: events with the same case number

Pure: no page and no word of any language in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Literal

from audit.reports import Details, Row
from integrator.consoles.book import Book
from integrator.places import read_yaml

# I did it myself · for something I asked for · on their own initiative · for a task of theirs, and it is not said who began
# · somebody checked the record · I wrote this here
Whose = Literal["self", "for_me", "own", "task", "check", "mine", "unsaid"]
_WHOSE: Mapping[str, Whose] = {"dpv:RequestedServiceProvision": "for_me", "dpv:LegalCompliance": "own"}
Opened = tuple[Row, Details]
_LOOKS = frozenset({"outcome", "denied", "unknown", "intent"})


@dataclass(frozen=True, slots=True)
class Event:
    """One exchange: what was asked in one go. `parts` are what the hub looked up to answer it."""

    row: Row
    details: Details
    parts: tuple[Opened, ...] = ()

    @property
    def whole(self) -> tuple[Opened, ...]:
        return (self.row, self.details), *self.parts


@dataclass(frozen=True, slots=True)
class Case:
    """Events of one case of one organisation, newest first; `number` None = no case was named, and then there is one."""

    number: str | None
    events: tuple[Event, ...] = ()


@dataclass(slots=True)
class _Open:
    events: list[Event] = field(default_factory=list)


def events_of(rows: Iterable[Opened]) -> list[Event]:
    """Rows of one exchange as one event, in order of their newest row.

    The row that is no part of another speaks for it. A part whose whole is on another page, or may not be seen, speaks
    for itself.
    """
    exchanges: dict[str, list[Opened]] = {}
    for row, details in rows:
        exchanges.setdefault(row.trace_id, []).append((row, details))
    events = []
    for group in exchanges.values():
        wholes = [one for one in group if one[0].parent is None]
        parts = [one for one in group if one[0].parent is not None]
        if wholes:
            first, *others = wholes
            events.append(Event(*first, tuple(parts)))
            events.extend(Event(*one) for one in others)
        else:
            events.append(Event(*parts[0], tuple(parts[1:])))
    return events


def cases_of(events: Sequence[Event]) -> list[Case]:
    """Events with the same number of a case at the same organisation together, where the newest of them stands."""
    places: dict[tuple[str, str] | int, list[Event]] = {}
    for at, event in enumerate(events):
        number, org = event.details.case_ref, event.row.org
        places.setdefault((org, number) if number and org else at, []).append(event)
    return [Case(group[0].details.case_ref if group[0].row.org else None, tuple(group)) for group in places.values()]


def whose(row: Row, book: Book) -> Whose:
    """By whom this came about: as the entry says, and else as the purpose says."""
    if row.kind == "audit.read":
        return "self" if row.initiator == "self" else "check"
    if row.kind == "annotate":
        return "mine" if row.initiator == "self" else "check"
    if row.initiator == "self":
        return "self"
    aim = book.aim_of(row.activity, row.policy)
    return "unsaid" if aim is None else _WHOSE.get(aim.dpv, "task")


def ending(row: Row) -> str:
    """How it ended, in a word that has a badge (shell.kind_…)."""
    if row.kind == "outcome":
        return "failed" if row.status == "Error" else "outcome"
    return row.kind if row.kind in _LOOKS else "other"


def sources(event: Event, book: Book) -> list[str]:
    """Where the data came from: codes of registers, of the whole and of its parts, each once."""
    return list(dict.fromkeys(row.source for row, _ in event.whole if row.source in book.sources and row.source))


def kinds(names: Iterable[str], service: str) -> list[str]:
    """What sorts of data some fields are, each once, in the order of kinds.yaml; "other" comes last.

    >>> kinds(["familyName", "birthDate", "address.postCode"], "person.get")
    ['identity', 'address']
    """
    known, services = _kinds()
    ordered = [*dict.fromkeys(known.values()), "other"]
    family = services.get(service.split(".")[0], "other")
    found = {known.get(name.split(".")[0], family) for name in names if not name.startswith("answer:")}
    return sorted(found, key=ordered.index)


@cache
def _kinds() -> tuple[Mapping[str, str], Mapping[str, str]]:
    data = read_yaml(Path(__file__).parent / "kinds.yaml")
    return {word: kind for kind, words in data["fields"].items() for word in words}, data["services"]
