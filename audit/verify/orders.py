"""Which erasures and restrictions the ledger itself records: what may explain a payload that is not there.

An explanation counts only when its entry is in the tree, unwounded, and says what really happened: the class and month
that were due, as many entries as were there, or one entry, by an order that the entry commits to.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson

from audit.keeping.classes import due
from audit.store import Store, Stored

KINDS = ("erasure", "restrict", "release", "gap")
_PAGE = 1000
_CODE = re.compile(r"([YM])(\d{1,4})")  # classes that say their own length; others are data of whoever runs the hub


@dataclass(slots=True)
class Erasure:
    """One erasure entry, and what it was found to explain."""

    shard: str
    index: int
    ts: int  # µs
    entry: dict[str, Any]
    explains: int = 0  # entries whose payload is missing and that it covers
    of: int = 0  # entries of its class and month in the whole ledger


@dataclass(slots=True)
class Orders:
    """Every erasure, and what each entry's visibility should be."""

    months: dict[tuple[str, int], Erasure] = field(default_factory=dict)
    single: dict[tuple[str, int], Erasure] = field(default_factory=dict)
    restricted: dict[tuple[str, int], tuple[int, bool]] = field(default_factory=dict)  # place -> (ts, restricted now)
    gaps: dict[str, tuple[int, int, str]] = field(default_factory=dict)  # log given up -> (signed, stored, who says so)
    malformed: list[tuple[str, int]] = field(default_factory=list)

    @classmethod
    def read(cls, store: Store) -> Orders:
        """Collect them from the store, over all shards; nothing is believed yet."""
        orders = cls()
        before: tuple[int, str, int] | None = None
        while page := store.rare(KINDS, 0, 2**53, before=before, limit=_PAGE):
            for stored in page:
                orders._take(stored)
            before = (page[-1].ts, page[-1].shard, page[-1].index)
        return orders

    def _take(self, stored: Stored) -> None:
        try:
            entry = orjson.loads(stored.body)
            if stored.kind == "gap":
                for lost in entry["gap"]["logs"]:
                    said = (int(lost["signed"]), int(lost["stored"]), f"{stored.shard} entry {stored.index}")
                    self.gaps.setdefault(str(lost["log"]), said)
            elif "index" in entry:
                place = (str(entry["shard"]), int(entry["index"]))
                if stored.kind != "erasure":
                    self.restricted.setdefault(place, (stored.ts, stored.kind == "restrict"))  # newest comes first
                    return
                self.single[place] = Erasure(stored.shard, stored.index, stored.ts, entry)
            elif stored.kind == "erasure":
                key = (str(entry["class"]), int(entry["month"]))
                self.months[key] = Erasure(stored.shard, stored.index, stored.ts, entry)
        except (ValueError, KeyError, TypeError):
            self.malformed.append((stored.shard, stored.index))

    def covering(self, shard: str, index: int, retention: str, month: int) -> Erasure | None:
        """The erasure that may explain why nothing is sealed beside this entry."""
        return self.single.get((shard, index)) or self.months.get((retention, month))


def objection(erasure: Erasure, erased_singly_before: int, whole: bool) -> tuple[str, str] | None:
    """(expected, found) of what an erasure entry that was relied on says wrongly; None when it holds.

    `whole`: every entry of the ledger was counted, so its `count` can be held against them.
    """
    entry = erasure.entry
    if "index" in entry:
        if not entry.get("_sd"):
            return "an erasure that commits to an order with its file number", "no order"
        return None
    said = _CODE.fullmatch(str(entry["class"]))
    months = int(said[2]) * (12 if said[1] == "Y" else 1) if said else 0
    on = datetime.fromtimestamp(erasure.ts / 1e6, UTC).date()
    if said and on < due(int(entry["month"]), months):
        return (
            f"class {said[0]}, month {entry['month']}: not before {due(int(entry['month']), months)}",
            f"erased on {on}",
        )
    expected = erasure.of - erased_singly_before
    if whole and entry.get("count") != expected:
        return f"an erasure of the {expected} entries of that class and month", f"it says {entry.get('count')}"
    return None
