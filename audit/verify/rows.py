"""The stored rows of one log, checked one by one as they stream past: the part that must be quick.

For each entry: its hash, its columns, its time, its intent, and that what it commits to lies sealed beside it. What is
wrong is only noted here (`Note`), by index: whether an index itself is wounded is known later, and then explains it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import orjson

from audit.keys import epoch_of
from audit.seal import month_of
from audit.store import Store
from audit.verify.orders import Orders

CHUNK = 4096  # entries fetched at a time; a multiple of the width of a tile
_HOUR = 3_600_000_000  # µs
_NOTES = 1000  # noted of one kind in one log; a thousand are as bad as a million


@dataclass(frozen=True, slots=True)
class Note:
    """Something about one entry that is not right, unless its place is wounded anyway."""

    code: str
    index: int
    expected: str
    found: str
    other: int | None = None  # another index it involves


@dataclass(slots=True)
class Rows:
    """Checks the rows of one log, in order of index. `text`: the entries are texts of checkpoints (an anchor), no JSON."""

    store: Store
    shard: str
    orders: Orders
    tolerance: int  # µs that an entry may be earlier than one before it
    text: bool
    pair_elsewhere: Callable[[int, str], bool]  # (index, trace id): whether an intent that is not open here exists
    notes: list[Note] = field(default_factory=list)
    open: dict[int, str] = field(default_factory=dict)  # intents without outcome: index -> trace id
    newest: int = 0  # latest ts seen, µs
    newest_at: int | None = None  # the entry that bears it
    expect: int = 0  # the next index
    counted: dict[tuple[str, int], int] = field(default_factory=dict)  # entries of classes and months that were erased
    erased_singly: dict[tuple[str, int], list[int]] = field(default_factory=dict)  # when, by class and month
    unsealed: int = 0  # entries without payload that an erasure may explain

    def take(self, rows: list[Any]) -> list[bytes]:
        """Check the next rows; their leaf hashes, over the bytes as stored."""
        if not rows:
            return []
        leaves = [sha256(b"\0" + row[5]).digest() for row in rows]
        if rows[-1][0] != self.expect + len(rows) - 1:
            self._gaps(rows)
        self.expect = rows[-1][0] + 1
        if self.text:
            self._texts(rows, leaves)
        else:
            self._entries(rows, leaves)
        return leaves

    def note(self, code: str, index: int, expected: object, found: object, other: int | None = None) -> None:
        if len(self.notes) < _NOTES:
            self.notes.append(Note(code, index, str(expected), str(found), other))

    def _gaps(self, rows: list[Any]) -> None:
        expect = self.expect
        for row in rows:
            if row[0] != expect:
                self.note("ENTRY_MISSING", expect, f"entry {expect}", f"entry {row[0]}")
            expect = row[0] + 1

    def _texts(self, rows: list[Any], leaves: list[bytes]) -> None:
        for (index, _, kind, ref, stored_leaf, _), leaf in zip(rows, leaves, strict=True):
            if stored_leaf != leaf or kind != "checkpoint" or ref is not None:
                self.note("COLUMN_ALTERED", index, "checkpoint, and the hash of its text", "another kind or hash")
        for row in rows:
            key = ("Y10", month_of(row[1]))
            if key in self.orders.months:  # they are of that class too, though nothing is sealed beside them
                self.counted[key] = self.counted.get(key, 0) + 1

    def _entries(self, rows: list[Any], leaves: list[bytes]) -> None:
        first, stop = rows[0][0], rows[-1][0] + 1
        months = sorted({month_of(hour * _HOUR) for hour in {row[1] // _HOUR for row in rows}})
        beside, several = self._beside(months, first, stop)
        loads, newest, tolerance, opened = orjson.loads, self.newest, self.tolerance, self.open
        erased_months, single, restricted = self.orders.months, self.orders.single, self.orders.restricted
        shard = self.shard
        for (index, ts, kind, ref, stored_leaf, body), leaf in zip(rows, leaves, strict=True):
            try:
                entry = loads(body)
                said, retention = entry["ts"], entry["ret"]
                if stored_leaf != leaf or said != ts or entry["type"] != kind or entry.get("intent_ref") != ref:
                    self._columns(index, entry, (ts, kind, ref, stored_leaf), leaf)
                if said < newest - tolerance:
                    self.note("BACKDATED", index, f"not before {newest} µs", f"{said} µs", self.newest_at)
                elif said > newest:
                    newest, self.newest_at = said, index
                if kind == "intent":
                    opened[index] = entry["trace_id"]
                elif ref is not None and opened.pop(ref, None) != entry["trace_id"]:
                    self._unpaired(index, ref, entry)
                consumer = entry.get("consumer")
                org = consumer.get("org") if consumer.__class__ is dict else None
                row = beside.get(index)
                if row is None:
                    self._without_payload(index, entry, month_of(ts))
                else:
                    _, part, row_org, activity, op, row_ts, row_retention, vis, sealed, wrapped = row
                    if (
                        row_ts != said
                        or row_org != org
                        or row_retention != retention
                        or activity != entry.get("dpl.core.processing_activity_id")
                        or op != entry.get("op")
                    ):
                        self.note("COLUMN_ALTERED", index, "side columns as the entry says", "others")
                    if part or sealed != wrapped or not sealed or index in several:
                        self._parts(index, entry, several.get(index, [row]))
                    if vis or (restricted and (shard, index) in restricted):
                        self._view(index, vis)
                if erased_months or single:
                    self._count(index, retention, month_of(ts))
            except (ValueError, KeyError, TypeError, AttributeError):
                self.note("ENTRY_ALTERED", index, "a canonical entry", "bytes that are none")
        self.newest = newest

    def _beside(self, months: Iterable[int], first: int, stop: int) -> tuple[dict[int, Any], dict[int, list[Any]]]:
        """(first side row of each entry, all rows of the few that have several)."""
        firsts: dict[int, Any] = {}
        several: dict[int, list[Any]] = {}
        for month in months:
            rows = self.store.beside(self.shard, month, first, stop)
            found = {row[0]: row for row in reversed(rows)}
            firsts |= found
            if len(found) < len(rows):
                for row in rows:
                    if row[1] or row is not found[row[0]]:
                        several.setdefault(row[0], [found[row[0]]]).append(row)
        return firsts, several

    def _columns(self, index: int, entry: dict[str, Any], columns: tuple[Any, ...], leaf: bytes) -> None:
        ts, kind, ref, stored_leaf = columns
        said = (entry["ts"], entry["type"], entry.get("intent_ref"))
        if ts < said[0]:
            self.note("BACKDATED", index, f"{said[0]} µs, as the entry says", f"{ts} µs beside it")
        elif (ts, kind, ref) != said:
            self.note("COLUMN_ALTERED", index, f"{said} as the entry says", f"{(ts, kind, ref)} beside it")
        if stored_leaf != leaf:
            self.note("COLUMN_ALTERED", index, f"the hash of the entry, {leaf.hex()}", stored_leaf.hex())

    def _unpaired(self, index: int, ref: int, entry: dict[str, Any]) -> None:
        # An outcome after an `unknown`, a `close`, or an intent in last year's log: seldom, so looked up.
        if not self.pair_elsewhere(ref, entry["trace_id"]):
            self.note("PAIR_BROKEN", index, f"intent {ref} of the same exchange", "none", ref)

    def _without_payload(self, index: int, entry: dict[str, Any], month: int) -> None:
        erasure = self.orders.covering(self.shard, index, entry["ret"], month)
        if erasure is not None:
            erasure.explains += 1
            self.unsealed += 1
        elif month != month_of(entry["ts"]) or entry.get("kid") != epoch_of(entry["ret"], month):
            self.note("BACKDATED", index, f"sealed values of {entry.get('kid')}", f"none of month {month}")
        else:
            self.note("PAYLOAD_MISSING", index, "sealed values, or an erasure entry", "neither")

    def _parts(self, index: int, entry: dict[str, Any], parts: list[Any]) -> None:
        """Seldom more than one part: each in its place, with every key, and something sealed where the entry commits."""
        gaps = [part[1] for part in parts] != list(range(len(parts)))
        unkeyed = any(part[8] != part[9] for part in parts)
        nothing = bool(entry.get("_sd") or "subjects_root" in entry) and not any(part[8] for part in parts)
        if gaps or unkeyed or nothing:
            erasure = self.orders.covering(self.shard, index, entry["ret"], month_of(entry["ts"]))
            if erasure is not None:
                erasure.explains += 1
                return
            what = "a part" if gaps else "a data key" if unkeyed else "every value"
            self.note("PAYLOAD_MISSING", index, "sealed values with their keys, or an erasure entry", f"{what} is gone")

    def _view(self, index: int, vis: int) -> None:
        _, restricted = self.orders.restricted.get((self.shard, index), (0, False))
        if bool(vis) != restricted:
            self.note("VIEW_ALTERED", index, "restricted" if restricted else "shown", "shown" if not vis else "hidden")

    def _count(self, index: int, retention: str, month: int) -> None:
        key = (retention, month)
        if key in self.orders.months:
            self.counted[key] = self.counted.get(key, 0) + 1
            one = self.orders.single.get((self.shard, index))
            if one is not None:
                self.erased_singly.setdefault(key, []).append(one.ts)
