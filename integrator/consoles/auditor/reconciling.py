"""Our exchanges beside a source's own list, by number of the exchange, both ways. Pure, but for the walk it is given."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable
from dataclasses import dataclass

from audit.exports import Processing

MOST = 20_000  # exchanges of ours in one comparison; more ask for a shorter period
_HEX = re.compile(
    r"[0-9a-f]{32}|[0-9a-f]{16}", re.ASCII
).fullmatch  # an exchange, or one question of it: its ticket at the source


@dataclass(frozen=True, slots=True)
class Compared:
    """What both have, and what only one has."""

    both: int
    ours: tuple[str, ...]  # recorded here as having reached the source; the source does not name it
    theirs: tuple[str, ...]  # the source names it; not recorded here for that source and time
    unreadable: int  # cells of the list that are no number of an exchange
    cut: bool = False  # there is more of ours than may be compared


def numbers_of(text: str) -> tuple[set[str], int]:
    """Numbers of exchanges in the first column of a list (CSV with comma, semicolon or tab), and how many lines had none.

    A number is that of the exchange (32 hexadecimal digits, or the same as UUID), or the ticket under which the source got
    the question (16). Which of the two most lines have, is what is compared. A first line that has none is a heading.

    >>> numbers_of("transaction;time\\n0192F3A4-7C1E-7D3A-9B5E-2F6A8C4D1E70;10:00\\n")
    ({'0192f3a47c1e7d3a9b5e2f6a8c4d1e70'}, 0)
    """
    found: set[str] = set()
    unreadable = 0
    lines = [line for line in text.splitlines() if line.strip()]
    delimiter = next((one for one in ";\t," if lines and one in lines[0]), ";")
    for number, row in enumerate(csv.reader(io.StringIO("\n".join(lines)), delimiter=delimiter)):
        cell = row[0].strip().lower().replace("-", "").removeprefix("urn:uuid:") if row else ""
        if _HEX(cell):
            found.add(cell)
        elif number:
            unreadable += 1
    tickets = {one for one in found if len(one) == 16}
    chosen = tickets if 2 * len(tickets) > len(found) else found - tickets
    return chosen, unreadable + len(found) - len(chosen)


def compare(theirs: set[str], processings: Iterable[Processing], source: str, unreadable: int = 0) -> Compared:
    """`processings`: ended exchanges of the period. Refusals never reached a source and are not ours to show."""
    ours: set[str] = set()
    name = "span_id" if any(len(number) == 16 for number in theirs) else "trace_id"
    for one in processings:
        if one.kind in ("outcome", "unknown") and (one.entry.get("source") or {}).get("service") == source:
            ours.add(one.entry[name])
            if len(ours) > MOST:
                return Compared(0, (), (), unreadable, cut=True)
    return Compared(len(ours & theirs), tuple(sorted(ours - theirs)), tuple(sorted(theirs - ours)), unreadable)
