"""The stored rows of one log, checked one by one as they stream past: the part that must be quick.

For each entry: its hash, its columns, its time, its intent, and that what it commits to lies sealed beside it. What is
wrong is only noted here (`Note`), by index: whether an index itself is wounded is known later, and then explains it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from operator import itemgetter
from typing import Any

import msgspec

from audit.keys import epoch_of
from audit.seal import month_of
from audit.store import Store
from audit.verify.orders import Orders

CHUNK = 1024  # entries fetched at a time; a multiple of the width of a tile, and little enough for the cache of a core
_HIDDEN = 64  # in the form of a side row: see audit.store.Store.beside
_ORDINARY = frozenset(9 * keys for keys in range(1, 8))  # one part, shown, and of each value that is sealed its key
_NONE = msgspec.Raw()
_NOTES = 1000  # noted of one kind in one log; a thousand are as bad as a million


class _Consumer(msgspec.Struct, gc=False):
    org: str | None = None


class Said(msgspec.Struct, gc=False):
    """What an entry says that must stand beside it too. The rest of it is passed over: its hash vouches for it."""

    ts: int  # µs
    type: str
    ret: str  # retention class
    trace_id: str
    intent_ref: int | None = None
    consumer: _Consumer | None = None
    op: str | None = None
    activity: str | None = msgspec.field(default=None, name="dpl.core.processing_activity_id")
    kid: str | None = None
    digests: msgspec.Raw = msgspec.field(default=_NONE, name="_sd")
    root: msgspec.Raw = msgspec.field(default=_NONE, name="subjects_root")

    @property
    def commits(self) -> bool:
        """Whether it commits to values that must lie sealed beside it."""
        return bytes(self.digests) not in (b"", b"[]") or bool(bytes(self.root))


_read = msgspec.json.Decoder(Said).decode


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
        beside, several = self._beside(rows)
        newest, tolerance, opened = self.newest, self.tolerance, self.open
        shard, restricted = self.shard, self.orders.restricted
        counting = bool(self.orders.months or self.orders.single)
        for (index, ts, kind, ref, stored_leaf, body), leaf in zip(rows, leaves, strict=True):
            try:
                said = _read(body)
                if stored_leaf != leaf or said.ts != ts or said.type != kind or said.intent_ref != ref:
                    self._columns(index, said, (ts, kind, ref, stored_leaf), leaf)
                if said.ts < newest - tolerance:
                    self.note("BACKDATED", index, f"not before {newest} µs", f"{said.ts} µs", self.newest_at)
                elif said.ts > newest:
                    newest, self.newest_at = said.ts, index
                if kind == "intent":
                    opened[index] = said.trace_id
                elif ref is not None and opened.pop(ref, None) != said.trace_id:
                    self._unpaired(index, ref, said)
                row = beside.get(index)
                if row is None:
                    self._without_payload(index, said, month_of(ts))
                else:
                    _, org, activity, op, row_ts, retention, form = row
                    if (
                        row_ts != said.ts
                        or org != (said.consumer and said.consumer.org)
                        or activity != said.activity
                        or op != said.op
                        or retention != said.ret
                    ):
                        self.note("COLUMN_ALTERED", index, "side columns as the entry says", "others")
                    if form not in _ORDINARY or index in several:
                        self._parts(index, said, several.get(index, [row]))
                    if form & _HIDDEN or (restricted and (shard, index) in restricted):
                        self._view(index, hidden=bool(form & _HIDDEN))
                if counting:
                    self._count(index, said.ret, month_of(ts))
            except msgspec.DecodeError:
                self.note("ENTRY_ALTERED", index, "a canonical entry", "bytes that are none")
        self.newest = newest

    def _beside(self, rows: list[Any]) -> tuple[dict[int, Any], dict[int, list[Any]]]:
        """(first side row of each entry, all rows of the few that have several)."""
        firsts: dict[int, Any] = {}
        several: dict[int, list[Any]] = {}
        for month in _months(rows):
            found = self.store.beside(self.shard, month, rows[0][0], rows[-1][0] + 1)
            first = {row[0]: row for row in reversed(found)}
            firsts |= first
            if len(first) < len(found):
                for row in found:
                    if row is not first[row[0]]:
                        several.setdefault(row[0], [first[row[0]]]).append(row)
        return firsts, several

    def _columns(self, index: int, entry: Said, columns: tuple[Any, ...], leaf: bytes) -> None:
        ts, kind, ref, stored_leaf = columns
        said = (entry.ts, entry.type, entry.intent_ref)
        if ts < said[0]:
            self.note("BACKDATED", index, f"{said[0]} µs, as the entry says", f"{ts} µs beside it")
        elif (ts, kind, ref) != said:
            self.note("COLUMN_ALTERED", index, f"{said} as the entry says", f"{(ts, kind, ref)} beside it")
        if stored_leaf != leaf:
            self.note("COLUMN_ALTERED", index, f"the hash of the entry, {leaf.hex()}", stored_leaf.hex())

    def _unpaired(self, index: int, ref: int, said: Said) -> None:
        # An outcome after an `unknown`, a `close`, or an intent in last year's log: seldom, so looked up.
        if not self.pair_elsewhere(ref, said.trace_id):
            self.note("PAIR_BROKEN", index, f"intent {ref} of the same exchange", "none", ref)

    def _without_payload(self, index: int, said: Said, month: int) -> None:
        erasure = self.orders.covering(self.shard, index, said.ret, month)
        if erasure is not None:
            erasure.explains += 1
            self.unsealed += 1
        elif month != month_of(said.ts) or said.kid != epoch_of(said.ret, month):
            self.note("BACKDATED", index, f"sealed values of {said.kid}", f"none of month {month}")
        else:
            self.note("PAYLOAD_MISSING", index, "sealed values, or an erasure entry", "neither")

    def _parts(self, index: int, said: Said, rows: list[Any]) -> None:
        """Seldom more than one part: each in its place, with every key, and something sealed where the entry commits."""
        forms = [row[6] for row in rows]
        gaps = [form >> 7 for form in forms] != list(range(len(forms)))
        sealed, keyed = ([form >> shift & 7 for form in forms] for shift in (3, 0))
        unkeyed, nothing = sealed != keyed, said.commits and not any(sealed)
        if gaps or unkeyed or nothing:
            erasure = self.orders.covering(self.shard, index, said.ret, month_of(said.ts))
            if erasure is not None:
                erasure.explains += 1
                return
            what = "a part" if gaps else "a data key" if unkeyed else "every value"
            self.note("PAYLOAD_MISSING", index, "sealed values with their keys, or an erasure entry", f"{what} is gone")

    def _view(self, index: int, *, hidden: bool) -> None:
        _, restricted = self.orders.restricted.get((self.shard, index), (0, False))
        if hidden != restricted:
            self.note("VIEW_ALTERED", index, "restricted" if restricted else "shown", "hidden" if hidden else "shown")

    def _count(self, index: int, retention: str, month: int) -> None:
        key = (retention, month)
        if key in self.orders.months:
            self.counted[key] = self.counted.get(key, 0) + 1
            one = self.orders.single.get((self.shard, index))
            if one is not None:
                self.erased_singly.setdefault(key, []).append(one.ts)


def _months(rows: list[Any]) -> list[int]:
    """The months (yyyymm) that the times beside these entries name: nearly always one."""
    ts = itemgetter(1)
    first, last = month_of(min(map(ts, rows))), month_of(max(map(ts, rows)))
    return [first] if first == last else sorted({month_of(row[1]) for row in rows})
