"""Statistics that single nobody out: exchanges counted where at least ten different people stand behind a number. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from audit.exports import Processing

LEAST = 10  # different people behind a number that is shown
MOST = 200_000  # exchanges counted at once; more ask for a shorter period


@dataclass(frozen=True, slots=True)
class Cell:
    """How often one organisation was given data by one service, or refused."""

    org: str
    name: str
    kind: str  # outcome | denied | unknown
    count: int


@dataclass(frozen=True, slots=True)
class Counted:
    """Cells, most first. What stands behind fewer than ten people is in no cell, and in no sum either."""

    cells: list[Cell]
    hidden: bool  # whether anything was left out
    cut: bool  # there is more than may be counted at once


def count(processings: Iterable[Processing]) -> Counted:
    """Count ended exchanges; looks at the ledger are none. No sums are given: from a sum, what is hidden could be told."""
    people: dict[tuple[str, str, str], set[bytes]] = defaultdict(set)
    times: dict[tuple[str, str, str], int] = defaultdict(int)
    for number, one in enumerate(processings):
        if number >= MOST:
            return Counted([], False, True)
        if one.kind == "audit.read":
            continue
        key = (one.org or "", str(one.entry["name"]), one.kind)
        times[key] += 1
        people[key].update(tag for _, tag in one.tags)
    shown = [Cell(*key, times[key]) for key in times if len(people[key]) >= LEAST]
    shown.sort(key=lambda cell: (-cell.count, cell.org, cell.name, cell.kind))
    return Counted(shown, len(shown) < len(times), False)
