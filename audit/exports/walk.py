"""Walks the ledger by time and gives every processing once: when it has ended, merged with the intent it began as.

Several shards are one stream, ordered by time. An exchange that has not ended is not given yet; it comes when its
outcome does, or the `unknown` that settles it. So a walk that goes on from its cursor misses nothing and repeats nothing.
"""

from __future__ import annotations

import heapq
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from audit.log.anchor import is_anchor
from audit.reports.rows import CursorInvalid
from audit.reports.tables import Tables
from audit.seal import month_of

ENDINGS = ("outcome", "denied", "unknown", "audit.read")
FOREVER = 2**62
CHUNK = 500  # entries read at a time, from each shard
# Entries of a shard are in order of writing; their times were taken a moment earlier, by a clock that may be set back.
SLACK = 3_600_000_000  # µs
_SHARDS = (
    "SELECT h.no, h.name, (SELECT coalesce(max(idx) + 1, 0) FROM entry WHERE shard = h.no) FROM shard h ORDER BY h.no"
)
_ENTRIES = "SELECT idx, ts, kind, ref, lh, body FROM entry WHERE shard = ? AND idx >= ? AND idx < ? ORDER BY idx"
_TIME = "SELECT ts FROM entry WHERE shard = ? AND idx = ?"
_SIDE = (
    "SELECT idx, part, tag, agent_tag, vis FROM side WHERE month = ? AND shard = ? AND idx >= ? AND idx < ?"
    " ORDER BY idx, part"
)


@dataclass(frozen=True, slots=True)
class Processing:
    """One exchange as it ended: what stands in clear, and the blind tags beside it."""

    shard: str
    index: int  # of the entry that ended it
    intent: int | None  # of the entry that began it; None for what is one entry
    ts: int  # µs since 1970, of the ending
    began: int  # µs since 1970, of the intent
    kind: str  # outcome | denied | unknown | audit.read
    leaf: bytes  # leaf hash of the ending
    entry: Mapping[str, Any]  # the clear part; what the ending does not say stands as the intent said it
    tags: tuple[tuple[int, bytes], ...]  # (part, blind tag) of each subject
    tagged_by: int  # index of the entry whose parts these are
    agent_tag: bytes | None
    restricted: bool  # kept from the subject for now

    @property
    def org(self) -> str | None:
        """Enterprise number of the consumer."""
        consumer = self.entry.get("consumer") or {}
        return consumer.get("org")


@dataclass(slots=True)
class _Entry:
    """A row of the database, and what stands beside it."""

    index: int
    ts: int
    kind: str
    ref: int | None
    leaf: bytes
    body: bytes
    side: list[tuple[int, bytes | None, bytes | None, int]]  # part, tag, agent tag, vis


class Walk:
    """Ended processings with since ≤ ts < until (µs), oldest first; `newest_first` the other way round.

    `org`: only that consumer's. `restricted`: also what is kept from the subject for now (only for whoever may know).
    Iterate once. Raises CursorInvalid for a cursor of something else.
    """

    def __init__(
        self,
        tables: Tables,
        since: int = 0,
        until: int = FOREVER,
        *,
        cursor: str | None = None,
        newest_first: bool = False,
        kinds: Collection[str] = ENDINGS,
        org: str | None = None,
        restricted: bool = False,
    ) -> None:
        self._tables = tables
        self._since, self._until = since, until
        self._newest_first = newest_first
        self._kinds = frozenset(kinds)
        self._org = org
        self._restricted = restricted
        self._at = _parse(cursor, newest_first) if cursor else {}
        # What is written from here on is for the next walk. The entries of an anchor are checkpoints.
        self._shards = [row for row in tables.rows(_SHARDS) if not is_anchor(row[1])]
        self.looked = 0  # entries that ended something and were looked at, given or not

    @property
    def cursor(self) -> str:
        """Where to go on after what was given so far."""
        text = json.dumps(["<" if self._newest_first else ">", self._at], separators=(",", ":"))
        return urlsafe_b64encode(text.encode()).rstrip(b"=").decode()

    @property
    def places(self) -> Mapping[str, int]:
        """By shard, the index from which on (newest first: below which) nothing was given yet."""
        return dict(self._at)

    def __iter__(self) -> Iterator[Processing]:
        streams = [self._shard(*row) for row in self._shards]
        merged = heapq.merge(*streams, key=lambda one: one.ts, reverse=self._newest_first)
        for one in merged:
            self._at[one.shard] = one.index if self._newest_first else one.index + 1
            self.looked += 1
            if self._org in (None, one.org) and (self._restricted or not one.restricted):
                yield one

    def _shard(self, number: int, name: str, size: int) -> Iterator[Processing]:
        seen: dict[int, _Entry] = {}
        for start, stop in self._chunks(number, name, size):
            chunk = self._read(number, start, stop)
            if not chunk:
                return
            known = seen | {one.index: one for one in chunk if one.kind == "intent"}
            for one in reversed(chunk) if self._newest_first else chunk:
                if one.kind in self._kinds and self._since <= one.ts < self._until:
                    yield self._processing(number, name, one, known)
            seen = {one.index: one for one in chunk if one.kind == "intent"}
            edge = chunk[0].ts if self._newest_first else chunk[-1].ts
            if edge < self._since - SLACK if self._newest_first else edge > self._until + SLACK:
                return

    def _chunks(self, number: int, name: str, size: int) -> Iterator[tuple[int, int]]:
        if self._newest_first:
            stop = min(size, self._at.get(name, size), self._seek(number, size, self._until + SLACK))
            while stop > 0:
                yield max(0, stop - CHUNK), stop
                stop -= CHUNK
        else:
            start = max(self._at.get(name, 0), self._seek(number, size, self._since - SLACK))
            while start < size:
                yield start, min(size, start + CHUNK)
                start += CHUNK

    def _seek(self, number: int, size: int, ts: int) -> int:
        """About the first index with a time from `ts` on, by halving."""
        low, high = 0, size
        while low < high:
            middle = (low + high) // 2
            if self._tables.rows(_TIME, number, middle)[0][0] < ts:
                low = middle + 1
            else:
                high = middle
        return low

    def _read(self, number: int, start: int, stop: int) -> list[_Entry]:
        rows = self._tables.rows(_ENTRIES, number, start, stop)
        entries = [
            _Entry(index, ts, kind, ref, bytes(leaf), bytes(body), []) for index, ts, kind, ref, leaf, body in rows
        ]
        if not entries:
            return []
        by_index = {one.index: one for one in entries}
        for month in sorted({month_of(one.ts) for one in entries}):
            for index, part, tag, agent_tag, vis in self._tables.rows(_SIDE, month, number, start, stop):
                by_index[index].side.append((part, _bytes(tag), _bytes(agent_tag), vis))
        return entries

    def _processing(self, number: int, name: str, ending: _Entry, known: Mapping[int, _Entry]) -> Processing:
        intent = None
        if ending.ref is not None:
            intent = known.get(ending.ref) or next(iter(self._read(number, ending.ref, ending.ref + 1)), None)
        entry: dict[str, Any] = orjson.loads(ending.body)
        if intent is not None:
            entry = {**orjson.loads(intent.body), **entry}
        own = [row for row in ending.side if row[1] is not None]
        # An `unknown` names nobody itself: it is about those whose intent it settles.
        borrowed = not own and intent is not None and ending.kind == "unknown"
        side = intent.side if borrowed and intent else ending.side
        both = ending.side + (intent.side if intent else [])
        return Processing(
            name, ending.index, ending.ref, ending.ts, intent.ts if intent else ending.ts, ending.kind, ending.leaf, entry,
            tuple((part, tag) for part, tag, _, _ in side if tag is not None),
            intent.index if borrowed and intent else ending.index,
            next((agent for _, _, agent, _ in both if agent is not None), None),
            any(vis for _, _, _, vis in both),
        )  # fmt: skip


def processing_at(tables: Tables, shard: str, index: int) -> Processing | None:
    """The processing that one entry ended; None when there is no such entry, or it ends nothing."""
    walk = Walk(tables)
    for number, name, _ in walk._shards:
        if name == shard:
            for entry in walk._read(number, index, index + 1):
                return walk._processing(number, name, entry, {}) if entry.kind in ENDINGS else None
    return None


def _bytes(value: Any) -> bytes | None:
    return None if value is None else bytes(value)


def _parse(cursor: str, newest_first: bool) -> dict[str, int]:
    """The inverse of `Walk.cursor`; one direction cannot go on from the other's."""
    wrong = CursorInvalid("the cursor is not one of this export; start from the beginning")
    try:
        direction, at = json.loads(urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4)))
    except (ValueError, TypeError, UnicodeEncodeError) as error:
        raise wrong from error
    if direction != ("<" if newest_first else ">") or type(at) is not dict:
        raise wrong
    if any(type(value) is not int or not 0 <= value < 2**62 for value in at.values()):
        raise wrong
    return at
