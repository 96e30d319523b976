"""Retention classes: how long values of a class are kept after the month they were written in, and why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class RetentionClass:
    """One class. Data of whoever runs the ledger; a class that entries bear but no data names never expires."""

    code: str  # as in Draft.retention: Y10, M6 …
    months: int  # kept so many months after the end of the month of writing; at least 1
    legal_basis: str  # why then, as the `erasure` entry says it: an ELI or an article

    def __post_init__(self) -> None:
        if self.months < 1 or not self.legal_basis:
            raise ValueError(f"retention class {self.code}: at least one month, and a legal basis")


def due(month: int, months: int) -> date:
    """First day on which nothing of a month (yyyymm) is kept any more.

    >>> due(202611, 6), due(202611, 120), due(202612, 1)
    (datetime.date(2027, 6, 1), datetime.date(2036, 12, 1), datetime.date(2027, 2, 1))
    """
    year, rest = divmod(month // 100 * 12 + month % 100 + months, 12)  # the month after, counted from 0
    return date(year, rest + 1, 1)
