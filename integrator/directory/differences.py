"""What we say that we keep beside what another directory (the KSZ's) says: differences, and the way to mend them. Pure.

    ours, theirs ─► differences ─► one act for each ─► asked again: confirmed or still open

An act whose answer got lost is never repeated: the other directory is asked what it has, and that is the truth.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum

from integrator.directory.periods import Period, union, without


class Kind(Enum):
    """What a difference is."""

    MISSING = "missing"  # ours; theirs lack these days
    LONGER = "longer"  # both; theirs go on after ours ended
    UNKNOWN = "unknown"  # theirs; ours have nothing that touches it


@dataclass(frozen=True, slots=True)
class Difference:
    """Days that one of the two lacks, under one quality."""

    kind: Kind
    quality: str
    period: Period  # MISSING, UNKNOWN: the days; LONGER: from their first day to our last


Held = Mapping[str, Iterable[Period]]  # quality -> periods


def differences(ours: Held, theirs: Held) -> list[Difference]:
    """All of them, by quality and day. None when both say the same, however they cut it into periods."""
    found: list[Difference] = []
    for quality in sorted({*ours, *theirs}):
        here, there = union(ours.get(quality, ())), union(theirs.get(quality, ()))
        found += [Difference(Kind.MISSING, quality, one) for one in without(here, there)]
        for one in there:
            meeting = [other for other in here if other.touches(one)]
            if not meeting or meeting[-1].ends < one.starts:  # ours ended the day before: it is another file of theirs
                found.append(Difference(Kind.UNKNOWN, quality, one))
            elif meeting[-1].ends < one.ends:
                found.append(Difference(Kind.LONGER, quality, Period(one.starts, meeting[-1].ends)))
    return found


class Lost(Exception):
    """The answer to an act did not come: whether it was done is not known."""


class Refused(Exception):
    """The other directory said no; `reason` is a code."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Mended:
    """What became of one difference."""

    difference: Difference
    result: str  # done | confirmed (the answer got lost, the act was there) | open (it was not) | refused
    reason: str = ""


def mend(found: Iterable[Difference], act: Callable[[Difference], None], theirs: Callable[[], Held]) -> list[Mended]:
    """Each difference once. `act` raises `Lost` or `Refused`; `theirs` asks what the other has now, and may raise `Lost`."""
    mended: list[Mended] = []
    for one in found:
        try:
            act(one)
            mended.append(Mended(one, "done"))
        except Refused as refused:
            mended.append(Mended(one, "refused", refused.reason))
        except Lost:
            mended.append(Mended(one, "confirmed" if _is_there(one, theirs) else "open"))
    return mended


def _is_there(one: Difference, theirs: Callable[[], Held]) -> bool:
    try:
        held = union(theirs().get(one.quality, ()))
    except Lost:
        return False
    if one.kind is Kind.LONGER:
        return not any(other.overlaps(one.period) and other.ends > one.period.ends for other in held)
    return not without([one.period], held)
