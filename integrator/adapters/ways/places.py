"""Where a view was read up to: values of its `position` columns, as JSON and as what the database compares.

>>> back(kept([1, "2026-11-20 10:00:00"]))
[1, '2026-11-20 10:00:00']
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from integrator.adapters.ways.failing import WayFailed

_DAY = 86_400.0
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_BACK: dict[str, Callable[[str], Any]] = {
    "int": int, "Decimal": Decimal, "datetime": datetime.fromisoformat, "date": date.fromisoformat, "str": str,
}  # fmt: skip


def kept(values: Sequence[Any]) -> list[list[str]]:
    """As JSON. Raises `WayFailed` for a kind of value that no position has."""
    kinds = [type(value).__name__ for value in values]
    if not set(kinds) <= set(_BACK):
        raise WayFailed("OTHER_POSITION")
    return [
        [kind, value.isoformat() if isinstance(value, date) else str(value)]
        for kind, value in zip(kinds, values, strict=True)
    ]


def back(position: Sequence[Sequence[str]]) -> list[Any]:
    """The inverse of `kept`."""
    return [_BACK[kind](text) for kind, text in position]


def earlier(value: Any, overlap: float) -> Any:
    """So much before it: seconds before a time (also one in ISO words), days of 86 400 s before a day, that much less of a
    number. Raises `WayFailed` for words that are no time: nothing is before them.
    """
    if isinstance(value, datetime):
        return value - timedelta(seconds=overlap)
    if isinstance(value, date):
        return value - timedelta(days=math.ceil(overlap / 86_400))
    if isinstance(value, int):
        return value - math.ceil(overlap)
    if isinstance(value, Decimal):
        return value - Decimal(str(overlap))
    return _words_earlier(value, overlap) if overlap else value


def came(value: Any, now: float) -> bool:
    """Whether a place is no time that is still to come; a day of grace for clocks and zones.

    >>> came("2026-11-20 10:00:00", 1_795_200_000.0), came("9999-12-31", 1_795_200_000.0), came(10**12, 1_795_200_000.0)
    (True, False, True)
    """
    return isinstance(value, int | Decimal) or scale(value) <= now + _DAY


def scale(value: Any) -> float:
    """A value on a line, for comparing roughly: seconds since 1970, or the number. 0.0 for words that are no time."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return 0.0
    if isinstance(value, datetime):
        return ((value if value.tzinfo else value.replace(tzinfo=UTC)) - _EPOCH).total_seconds()
    if isinstance(value, date):
        return (datetime(value.year, value.month, value.day, tzinfo=UTC) - _EPOCH).total_seconds()
    return float(value) if isinstance(value, int | float | Decimal) else 0.0


def _words_earlier(words: str, overlap: float) -> str:
    """A time in words, as SQLite keeps it: written in the same manner again, so that words compare as times do."""
    try:
        time = datetime.fromisoformat(words)
    except ValueError:
        raise WayFailed("OTHER_POSITION") from None
    if len(words) == 10:
        return earlier(time.date(), overlap).isoformat()  # type: ignore[no-any-return]
    return (time - timedelta(seconds=overlap)).isoformat(words[10], "seconds")
