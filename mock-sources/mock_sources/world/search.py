"""How a name or a date that is only nearly known finds its way: birth dates with tolerance, names with wildcards."""

from __future__ import annotations

import re
from datetime import date

from mock_sources.world.facts import Person, Street
from mock_sources.world.phonetic import plain, sound

_LAST_DAY, _FIRST_DAY = date.max.toordinal(), 1


def day_range(birth_date: str, tolerance: int = 0) -> range:
    """The days a (possibly incomplete) date stands for, widened by days, months or years as it is complete.

    >>> len(day_range("1980-05-17", 2)), len(day_range("1980-02-00")), len(day_range("1980-00-00", 1))
    (5, 29, 1096)
    >>> day_range("1980-13-01")
    Traceback (most recent call last):
    ...
    ValueError: month must be in 1..12
    """
    parts = birth_date.split("-")
    if len(parts) != 3 or not all(part.isascii() and part.isdigit() for part in parts):
        raise ValueError("a birth date is yyyy-mm-dd, yyyy-mm-00 or yyyy-00-00")
    year, month, day = map(int, parts)
    if day and month:
        middle = date(year, month, day).toordinal()
        return _bounded(middle - tolerance, middle + tolerance)
    if month:
        date(year, month, 1)  # refuses a thirteenth month by name
        months = year * 12 + month - 1
        return _bounded(_first_of(months - tolerance), _first_of(months + tolerance + 1) - 1)
    return _bounded(_first_of((year - tolerance) * 12), _first_of((year + tolerance + 1) * 12) - 1)


def _first_of(months: int) -> int:
    year = min(max(months // 12, 1), 9998)
    return date(year, months % 12 + 1, 1).toordinal()


def _bounded(first: int, last: int) -> range:
    return range(max(first, _FIRST_DAY), min(last, _LAST_DAY) + 1)


def overlap(one: range, other: range) -> bool:
    return one.start < other.stop and other.start < one.stop


def sounds_like(asked: str, names: tuple[str, ...]) -> bool:
    """One of the first names begins with what was asked."""
    heard = sound(asked)
    return any(sound(name).startswith(heard) for name in names)


def matches_name(person: Person, last: str, first: str | None) -> bool:
    """Any name the person ever bore."""
    return any(
        sound(last) in (sound("".join(name.last)), *map(sound, name.last))
        and (first is None or sounds_like(first, name.first))
        for name in person.names
    )


def matches_street(street: Street, asked: str) -> bool:
    """Dutch or French, accents and case aside; `*` stands for anything, a leading `~` for "sounds like".

    >>> from mock_sources.world.facts import Names
    >>> street = Street(1, "0001", "21009", "1050", Names(nl="Dageraadlaan", fr="Avenue de l'Aurore"))
    >>> [matches_street(street, asked) for asked in ("avenue de l’aurore", "*aurore", "~dageraatlaan", "aurore")]
    [True, True, False, False]
    """
    names = (street.names.nl, street.names.fr)
    if asked.startswith("~"):
        return any(sound(asked) in sound(name) for name in names)
    pattern = re.compile(".*".join(re.escape(plain(part)) for part in asked.split("*")))
    return any(pattern.fullmatch(plain(name)) for name in names)
