"""Until when a request must be answered (GDPR article 12(3)).

One month from receipt; two more when the citizen is told so, with reasons, within the first. While we wait for proof of
who is asking, the clock stands still (EDPB guidelines 01/2022, §157). A term in months ends on the day of the same
number, or on the last of a shorter month, and goes on to the next working day when offices are closed (Regulation
1182/71, article 3).
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

FIRST, MORE = 1, 2  # months
SOON = 7  # days before the end at which a file asks for attention

Pace = Literal["ok", "soon", "late", "waiting", "done"]


@dataclass(frozen=True, slots=True)
class Pause:
    """Days on which the clock stood still: from the day we asked for proof to the day we got it; None = we still wait."""

    since: date
    until: date | None = None

    def days(self, today: date) -> int:
        return max(0, ((self.until or today) - self.since).days)


@dataclass(frozen=True, slots=True)
class Clock:
    """The term of one request as it stands on one day."""

    received: date
    due: date
    extended: bool
    left: int  # days; negative when it is over
    pace: Pace

    @property
    def may_extend(self) -> bool:
        """Only within the first month: later the citizen cannot be told in time."""
        return not self.extended and self.pace not in ("late", "done")


def clock(
    received: date, today: date, pauses: Sequence[Pause] = (), *, extended: bool = False, done: bool = False
) -> Clock:
    """How a request stands.

    >>> clock(date(2026, 8, 31), date(2026, 9, 1)).due, clock(date(2026, 11, 2), date(2026, 11, 2), extended=True).due
    (datetime.date(2026, 9, 30), datetime.date(2027, 2, 2))
    """
    end = _months_later(received, FIRST + (MORE if extended else 0))
    end = working_day(end + timedelta(sum(pause.days(today) for pause in pauses)))
    left = (end - today).days
    pace: Pace = "late" if left < 0 else "soon" if left <= SOON else "ok"
    if pauses and pauses[-1].until is None:
        pace = "waiting"
    return Clock(received, end, extended, left, "done" if done else pace)


def working_day(day: date) -> date:
    """The day itself, or the first after it that is no Saturday, Sunday or Belgian holiday.

    >>> working_day(date(2026, 12, 25))
    datetime.date(2026, 12, 28)
    """
    while day.weekday() >= 5 or day in holidays(day.year):
        day += timedelta(1)
    return day


def holidays(year: int) -> frozenset[date]:
    """The ten legal holidays of Belgium (royal decree of 18 April 1974)."""
    fixed = [(1, 1), (5, 1), (7, 21), (8, 15), (11, 1), (11, 11), (12, 25)]
    moving = [easter(year) + timedelta(days) for days in (1, 39, 50)]  # Easter Monday, Ascension, Whit Monday
    return frozenset([date(year, month, day) for month, day in fixed] + moving)


def easter(year: int) -> date:
    """Easter Sunday of the Gregorian calendar (the rule of Meeus, Jones and Butcher).

    >>> easter(2026), easter(2027), easter(2038)
    (datetime.date(2026, 4, 5), datetime.date(2027, 3, 28), datetime.date(2038, 4, 25))
    """
    golden, century, rest = year % 19, year // 100, year % 100
    moon = (19 * golden + century - century // 4 - (century - (century + 8) // 25 + 1) // 3 + 15) % 30
    week = (32 + 2 * (century % 4) + 2 * (rest // 4) - moon - rest % 4) % 7
    late = (golden + 11 * moon + 22 * week) // 451
    month, day = divmod(moon + week - 7 * late + 114, 31)
    return date(year, month, day + 1)


def _months_later(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))
