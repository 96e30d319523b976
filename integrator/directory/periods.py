"""Periods of whole days, both ends included, and what can be done with them. Pure.

Two periods *touch* when no day lies between them: what touches is one file, kept without a break.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

FOREVER = date.max  # the end of what has none
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """From `starts` to `ends`, both included; FOREVER = no end is known."""

    starts: date
    ends: date = FOREVER

    def __post_init__(self) -> None:
        if self.ends < self.starts:
            raise ValueError("a period ends on its first day at the earliest")

    @property
    def end(self) -> date | None:
        """The last day, or None when none is known."""
        return None if self.ends == FOREVER else self.ends

    def holds(self, day: date) -> bool:
        return self.starts <= day <= self.ends

    def covers(self, other: Period) -> bool:
        return self.starts <= other.starts and other.ends <= self.ends

    def overlaps(self, other: Period) -> bool:
        """Whether they share a day."""
        return self.starts <= other.ends and other.starts <= self.ends

    def touches(self, other: Period) -> bool:
        """Whether they overlap, or one begins the day after the other ended.

        >>> Period(date(2026, 1, 1), date(2026, 1, 31)).touches(Period(date(2026, 2, 1)))
        True
        """
        return self.starts <= _next(other.ends) and other.starts <= _next(self.ends)

    def until(self, last: date) -> Period:
        """The same, ended on `last`, which it holds."""
        return Period(self.starts, last)


def hull(periods: Iterable[Period]) -> Period:
    """The shortest period that covers them all; at least one."""
    known = list(periods)
    return Period(min(one.starts for one in known), max(one.ends for one in known))


def union(periods: Iterable[Period]) -> list[Period]:
    """The same days with as few periods as can be, in order.

    >>> [str(one.starts) for one in union([Period(date(2026, 3, 1)), Period(date(2026, 1, 1), date(2026, 2, 28))])]
    ['2026-01-01']
    """
    merged: list[Period] = []
    for one in sorted(periods):
        if merged and merged[-1].touches(one):
            merged[-1] = hull((merged[-1], one))
        else:
            merged.append(one)
    return merged


def without(wanted: Iterable[Period], known: Sequence[Period]) -> list[Period]:
    """The days of `wanted` that `known` does not have, as periods in order."""
    left: list[Period] = []
    for one in union(wanted):
        start: date | None = one.starts
        for other in union(known):
            if start is None or other.starts > one.ends or other.ends < start:
                continue
            if other.starts > start:
                left.append(Period(start, other.starts - _DAY))
            start = None if other.ends >= one.ends else _next(other.ends)
        if start is not None:
            left.append(Period(start, one.ends))
    return left


def _next(day: date) -> date:
    return day if day == FOREVER else day + _DAY
