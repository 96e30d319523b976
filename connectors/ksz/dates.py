"""Dates of birth that need not be complete, and how far one may be off: days, months or years, as the date is known."""

from __future__ import annotations

from datetime import date, timedelta


def tolerance(born: str, days: int) -> int:
    """The tolerance in the unit that the Bank reads it in, rounded up.

    >>> tolerance("1985-06-08", 3), tolerance("1985-06-00", 40), tolerance("1985-00-00", 0)
    (3, 2, 0)
    """
    unit = 365 if born[5:7] == "00" else 30 if born.endswith("-00") else 1
    return -(-days // unit)


def overlap(asked: str, allowed: int, found: str) -> bool:
    """Whether a date found can be the one asked, `allowed` units off; parts that are not known can be anything.

    >>> overlap("1985-06-08", 3, "1985-06-11"), overlap("1985-06-08", 3, "1985-06-12")
    (True, False)
    >>> overlap("1985-00-00", 1, "1986-12-31"), overlap("1985-06-08", 0, "1985-00-00")
    (True, True)
    """
    first, last = _span(asked)
    if asked[5:7] == "00":
        first, last = _shifted(first, -12 * allowed), _shifted(last, 12 * allowed)
    elif asked.endswith("-00"):
        first, last = _shifted(first, -allowed), _shifted(last, allowed)
    else:
        first, last = first - timedelta(days=allowed), last + timedelta(days=allowed)
    begin, end = _span(found)
    return begin <= last and first <= end


def _span(written: str) -> tuple[date, date]:
    """First and last day that an incomplete date can mean; a wholly unknown one can mean any."""
    year, month, day = (int(part) for part in written.split("-"))
    if year == 0:
        return date.min, date.max
    if month == 0:
        return date(year, 1, 1), date(year, 12, 31)
    if day == 0:
        return date(year, month, 1), _shifted(date(year, month, 1), 1) - timedelta(days=1)
    return date(year, month, day), date(year, month, day)


def _shifted(day: date, months: int) -> date:
    """The same day so many months on, or the last day of a shorter month."""
    at = day.year * 12 + day.month - 1 + months
    year, month = at // 12, at % 12 + 1
    following = date(year + month // 12, month % 12 + 1, 1)
    return date(year, month, min(day.day, (following - timedelta(days=1)).day))
