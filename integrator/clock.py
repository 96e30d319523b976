"""The one clock. Everything that needs the time is given this; tests give it another."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, date, datetime

Now = Callable[[], float]  # epoch seconds


def system() -> float:
    return time.time()


def micros(now: float) -> int:
    """Epoch microseconds as an int: fits 2^53, so it survives every JSON reader (audit-ledger b2)."""
    return int(now * 1_000_000)


def today(now: float) -> date:
    """The day in UTC.

    >>> today(0.0).isoformat()
    '1970-01-01'
    """
    return datetime.fromtimestamp(now, UTC).date()


def moment(said: str) -> float:
    """A day (its first second) or a moment, UTC where no zone is said, in epoch seconds. Raises `ValueError`.

    >>> moment("1970-01-02"), moment("1970-01-01T01:00:00+01:00"), moment("1970-01-01T00:01")
    (86400.0, 0.0, 60.0)
    """
    found = datetime.fromisoformat(said)
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
