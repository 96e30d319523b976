"""A small memory for answers that are dear to derive and asked again: load tests ask about few subjects often.

It forgets everything at midnight, because some cases are told relative to the day, and when it is full.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from datetime import date
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Memo(Generic[Value]):
    """At most `limit` values, all made on the day that `today` tells."""

    def __init__(self, limit: int, today: Callable[[], date]) -> None:
        self._limit, self._today = limit, today
        self._day: date | None = None
        self._kept: dict[Hashable, Value] = {}

    def get(self, key: Hashable, make: Callable[[], Value]) -> Value:
        """The value kept under the key, made now when there is none; an exception from `make` is not kept.

        >>> memo = Memo[int](2, lambda: date(2026, 1, 1))
        >>> memo.get("a", lambda: 1), memo.get("a", lambda: 2)
        (1, 1)
        """
        today = self._today()
        if today != self._day:
            self._day, self._kept = today, {}
        if key in self._kept:
            return self._kept[key]
        if len(self._kept) >= self._limit:
            self._kept.clear()
        value = self._kept[key] = make()
        return value
