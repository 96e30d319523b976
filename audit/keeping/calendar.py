"""The calendar of retention: what is kept, until when, and what stands in the way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

from audit.keeping.classes import RetentionClass, due
from audit.keeping.holds import Hold, holds
from audit.keeping.orders import entries_of
from audit.store import Store

State = Literal["kept", "due", "held", "erasing", "unruled"]


@dataclass(frozen=True, slots=True)
class Month:
    """One class of one month whose values are kept.

    state: kept (its time has not come), due (the next run erases it), held (due, but a hold stands), erasing (recorded
    as erased and not finished: the next run goes on), unruled (entries bear a class that no data names: never erased).
    """

    retention: str
    month: int  # yyyymm
    due: date | None  # first day on which it is no longer kept; None when unruled
    hold: Hold | None  # the newest that covers it
    state: State
    entries: int | None  # None when they were not counted


def calendar(store: Store, classes: Mapping[str, RetentionClass], today: date, *, count: bool = False) -> list[Month]:
    """Every class and month that is kept, by month, then class. `count` reads the whole ledger's side rows: slow."""
    standing, erased = holds(store), erasures(store)
    rows = []
    for retention, month in store.kept():
        rule = classes.get(retention)
        last = None if rule is None else due(month, rule.months)
        blocking = next((one for one in standing if one.covers(retention, month)), None)
        state: State = "kept"
        if (retention, month) in erased:
            state = "erasing"
        elif last is None:
            state = "unruled"
        elif last <= today:
            state = "due" if blocking is None else "held"
        entries = store.counts(retention, month) if count else None
        rows.append(Month(retention, month, last, blocking, state, entries))
    return rows


def erasures(store: Store) -> dict[tuple[str, int], int]:
    """(class, month) of every month whose erasure was recorded, with the number of entries it names."""
    return {
        (entry["class"], entry["month"]): entry["count"]
        for _, entry in entries_of(store, ("erasure",))
        if "month" in entry
    }
