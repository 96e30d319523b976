"""What both engines answer with the same words: reading, and what keeping changes beside the leaves.

An engine adds how a question is asked (`_rows`), how a change is made durable (`_change`), and the few things in
which the two really differ. Questions mark their values with `?`; no literal of ours holds one.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

from audit.entry import Part
from audit.seal import month_of
from audit.store import By, Hit, Sealed, Stored

_TAG = {"subject": "tag", "agent": "agent_tag"}
_PAGE = 500  # rows fetched at a time by `read`
_SLICE = 2_000  # indices in one transaction of `drop_month`: writers come in between
_PAUSE = 0.005  # seconds between slices
_COLUMNS = "idx, ts, kind, ref, lh, body FROM entry"
_HEAD = "SELECT coalesce(max(idx) + 1, 0) FROM entry WHERE shard = ?"
_READ = f"SELECT CAST(? AS TEXT), {_COLUMNS} WHERE shard = ? AND idx >= ? AND idx < ? ORDER BY idx LIMIT ?"
_SEALED = (
    "SELECT s.part, s.tag, ct_subject, ct_agent, ct_technical, wrapped_subject, wrapped_agent, wrapped_technical"
    " FROM side s LEFT JOIN dek USING (month, shard, idx, part)"
    " WHERE s.month = ? AND s.shard = ? AND s.idx = ? ORDER BY s.part"
)
# For those who read everything: whole columns at once, and of sealed values only whether they are there.
_SCAN = f"SELECT {_COLUMNS} WHERE shard = ? AND idx >= ? AND idx < ? ORDER BY idx"
_LEAVES = "SELECT lh FROM entry WHERE shard = ? AND idx >= ? AND idx < ? ORDER BY idx"
_BODIES = "SELECT idx, lh, body FROM entry WHERE shard = ? AND idx >= ? AND idx < ? ORDER BY idx"
_FORM = "s.part * 128 + CASE WHEN s.vis = 0 THEN 0 ELSE 64 END" + "".join(
    f" + CASE WHEN {column} IS NULL THEN 0 ELSE {1 << bit} END"
    for bit, column in enumerate(f"{what}_{whose}" for what in ("wrapped", "ct") for whose in ("subject", "agent", "technical"))
)  # fmt: skip
_BESIDE = (
    f"SELECT s.idx, s.org, s.activity, s.op, s.ts, s.ret, {_FORM} FROM side s LEFT JOIN dek USING (month, shard, idx, part)"
    " WHERE s.month = ? AND s.shard = ? AND s.idx >= ? AND s.idx < ? ORDER BY s.idx, s.part"
)
_HITS = (
    "SELECT shard.name, idx, part, ts, tag, agent_tag, org, activity, op, vis, ret FROM side"
    " JOIN shard ON shard.no = side.shard WHERE "
)
_SUBJECTS = (
    "SELECT tag, shard.name, idx FROM side JOIN shard ON shard.no = side.shard"
    " WHERE month = ? AND ts >= ? AND ts < ? AND tag IS NOT NULL AND vis = 0 ORDER BY tag, shard.name, idx"
)
_BEFORE = " AND (ts, shard.name, idx, part) < (?, ?, ?, ?)"
_NEWEST_FIRST = " ORDER BY ts DESC, shard.name DESC, idx DESC, part DESC LIMIT ?"
# The condition of the index entry_rare stands here word for word, or the engines would not use it.
_RARE = (
    f"SELECT shard.name, {_COLUMNS} JOIN shard ON shard.no = entry.shard"
    " WHERE kind NOT IN ('intent', 'outcome') AND kind IN ({marks}) AND ts >= ? AND ts < ?"
)
_RARE_BEFORE = " AND (ts, shard.name, idx) < (?, ?, ?)"
_RARE_NEWEST_FIRST = " ORDER BY ts DESC, shard.name DESC, idx DESC LIMIT ?"
_MONTHS = (
    "WITH RECURSIVE m (month) AS (SELECT min(month) FROM side UNION ALL"
    " SELECT (SELECT min(month) FROM side WHERE month > m.month) FROM m WHERE m.month IS NOT NULL)"
    " SELECT month FROM m WHERE month IS NOT NULL"
)
_COUNT = "SELECT count(*) FROM side WHERE month = ? AND ret = ? AND part = 0"
_ENDS = (
    "SELECT (SELECT min(idx) FROM side WHERE month = ? AND shard = ?),"
    " (SELECT max(idx) FROM side WHERE month = ? AND shard = ?)"
)
_WITHIN = "WHERE month = ? AND shard = ? AND idx >= ? AND idx < ?"
_DOOMED = f"SELECT DISTINCT idx FROM side {_WITHIN} AND ret = ?"
_DROP_DEK = "DELETE FROM dek WHERE month = ? AND shard = ? AND idx IN ({marks})"  # a join of both is planned badly
_DROP_SIDE = f"DELETE FROM side {_WITHIN} AND ret = ?"
_ONE = "WHERE month = ? AND shard = ? AND idx = ?"
_ALIAS = "INSERT INTO alias (year, old, new) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
_SAME = (
    "WITH RECURSIVE same (tag) AS (VALUES {marks} UNION SELECT CASE WHEN alias.old = same.tag THEN alias.new"
    " ELSE alias.old END FROM same JOIN alias ON alias.old = same.tag OR alias.new = same.tag) SELECT tag FROM same"
)


class Engine(ABC):
    """The common part of SqliteStore and PostgresStore: audit.store.Store says what each method promises."""

    _open_intents: ClassVar[str]  # values: shard name, shard, settled, shard, settled
    _remember_settled: ClassVar[str]  # values: settled, shard
    _tag_row: ClassVar[str] = "(?)"

    @abstractmethod
    def _rows(self, query: str, *values: Any) -> list[Any]:
        """Ask, on the connection that readers share."""

    @abstractmethod
    def _stream(self, query: str, *values: Any) -> Iterator[tuple[Any, ...]]:
        """Ask for much, on a connection of its own, row by row: readers do not wait for it."""

    @abstractmethod
    def _change(self, *statements: tuple[str, Sequence[Any]]) -> list[int]:
        """Make changes in one durable transaction, on a connection of its own; rows touched by each statement."""

    def shards(self) -> list[str]:
        """See audit.store.Store.shards."""
        return [name for (name,) in self._rows("SELECT name FROM shard ORDER BY no")]

    def size(self, shard: str) -> int:
        """See audit.store.Store.size."""
        return int(self._rows(_HEAD, self._number(shard))[0][0])

    def read(self, shard: str, start: int = 0, stop: int | None = None) -> Iterator[Stored]:
        """See audit.store.Store.read."""
        number = self._number(shard)
        stop = self.size(shard) if stop is None else stop
        while start < stop:
            rows = self._rows(_READ, shard, number, start, stop, _PAGE)
            yield from (Stored(*row) for row in rows)
            if len(rows) < _PAGE:
                return
            start = rows[-1][1] + 1

    def scan(self, shard: str, start: int, stop: int) -> list[Any]:
        """Entries start ≤ index < stop as rows (index, ts, kind, ref, leaf, body): for verification, all at once."""
        return self._rows(_SCAN, self._number(shard), start, stop)

    def leaves(self, shard: str, start: int, stop: int) -> list[bytes]:
        """See audit.store.Store.leaves."""
        return [bytes(leaf) for (leaf,) in self._rows(_LEAVES, self._number(shard), start, stop)]

    def bodies(self, shard: str, start: int, stop: int) -> Iterator[tuple[int, bytes, bytes]]:
        """See audit.store.Store.bodies."""
        number = self._number(shard)
        for first in range(start, stop, _PAGE):
            for index, leaf, body in self._rows(_BODIES, number, first, min(stop, first + _PAGE)):
                yield index, bytes(leaf), bytes(body)

    def beside(self, shard: str, month: int, start: int, stop: int) -> list[Any]:
        """See audit.store.Store.beside."""
        return self._rows(_BESIDE, month, self._number(shard), start, stop)

    def sealed(self, shard: str, index: int) -> list[Sealed]:
        """See audit.store.Store.sealed."""
        place = self._place(shard, index)
        if place is None:
            return []
        return [Part(row[0], row[1], row[2:5], row[5:8]) for row in self._rows(_SEALED, *place)]

    def find(
        self,
        tags: Sequence[bytes],
        since: int,
        until: int,
        *,
        by: By = "subject",
        before: tuple[int, str, int, int] | None = None,
        limit: int = 100,
        shown: bool = False,
    ) -> list[Hit]:
        """See audit.store.Store.find."""
        column = _TAG[by]
        query = f"{_HITS} {column} IN ({_marks(tags)}) AND ts >= ? AND ts < ? AND month BETWEEN ? AND ?"
        values: list[Any] = [*tags, since, until, month_of(since), month_of(until)]
        if shown:
            query += " AND vis = 0"
        if before is not None:
            query += _BEFORE
            values += before
        return [Hit(*row) for row in self._rows(query + _NEWEST_FIRST, *values, limit)]

    def subjects(self, since: int, until: int) -> Iterator[tuple[bytes, str, int]]:
        """See audit.store.Store.subjects."""
        for tag, shard, index in self._stream(_SUBJECTS, month_of(since), since, until):
            yield bytes(tag), shard, index

    def counts(self, retention: str, month: int) -> int:
        """See audit.store.Store.counts."""
        return sum(int(count) for (count,) in self._stream(_COUNT, month, retention))

    def rare(
        self,
        kinds: Sequence[str],
        since: int,
        until: int,
        *,
        before: tuple[int, str, int] | None = None,
        limit: int = 100,
    ) -> list[Stored]:
        """See audit.store.Store.rare."""
        query, values = _RARE.format(marks=_marks(kinds)), [*kinds, since, until]
        if before is not None:
            query += _RARE_BEFORE
            values += before
        return [Stored(*row) for row in self._rows(query + _RARE_NEWEST_FIRST, *values, limit)]

    def dangling(self, shard: str, before: int) -> list[Stored]:
        """See audit.store.Store.dangling. What is found settled is remembered, so the next look is short."""
        number = self._number(shard)
        settled = int((self._rows("SELECT settled FROM shard WHERE no = ?", number) or [(0,)])[0][0])
        head = self.size(shard)  # read first: what the next query sees holds at least these
        open_intents = self._rows(self._open_intents, shard, number, settled, number, settled)
        newly_settled = open_intents[0][1] if open_intents else head
        if newly_settled > settled:
            self._change((self._remember_settled, (newly_settled, number)))
        return [Stored(*row) for row in open_intents if row[2] < before]

    def months(self) -> list[int]:
        """See audit.store.Store.months."""
        return [month for (month,) in self._rows(_MONTHS)]

    def tagged(self, by: By, year: int) -> bool:
        """See audit.store.Store.tagged."""
        query = f"SELECT 1 FROM side WHERE month BETWEEN ? AND ? AND {_TAG[by]} IS NOT NULL LIMIT 1"
        return bool(self._rows(query, year * 100, year * 100 + 12))

    def kept(self) -> list[tuple[str, int]]:
        """See audit.store.Store.kept."""
        return [(ret, month) for ret, month in self._rows("SELECT ret, month FROM kept ORDER BY month, ret")]

    def same(self, tags: Sequence[bytes]) -> list[bytes]:
        """See audit.store.Store.same."""
        if not tags:
            return []
        rows = self._rows(_SAME.format(marks=",".join([self._tag_row] * len(tags))), *tags)
        return [bytes(tag) for (tag,) in rows]

    def alias(self, links: Sequence[tuple[int, bytes, bytes]]) -> int:
        """See audit.store.Store.alias."""
        return sum(self._change(*((_ALIAS, link) for link in links)))

    def set_vis(self, shard: str, index: int, vis: int) -> int:
        """See audit.store.Store.set_vis."""
        place = self._place(shard, index)
        if place is None:
            return 0
        return self._change((f"UPDATE side SET vis = ? {_ONE} AND vis <> ?", (vis, *place, vis)))[0]

    def erase(self, shard: str, index: int) -> int:
        """See audit.store.Store.erase."""
        place = self._place(shard, index)
        if place is None:
            return 0
        return self._change((f"DELETE FROM dek {_ONE}", place), (f"DELETE FROM side {_ONE}", place))[1]

    def drop_month(self, retention: str, month: int) -> int:
        """See audit.store.Store.drop_month."""
        dropped = 0
        for (shard,) in self._rows("SELECT no FROM shard"):
            first, last = self._rows(_ENDS, month, shard, month, shard)[0]
            for start in range(first, last + 1, _SLICE) if first is not None else ():
                here = (month, shard, start, start + _SLICE, retention)
                doomed = [index for (index,) in self._rows(_DOOMED, *here)]
                if not doomed:
                    continue
                drop_dek = _DROP_DEK.format(marks=_marks(doomed))
                _, rows = self._change((drop_dek, (month, shard, *doomed)), (_DROP_SIDE, here))
                dropped += rows
                time.sleep(_PAUSE)
        self._forget_month(retention, month)
        return dropped

    def _forget_month(self, retention: str, month: int) -> None:
        """Last of all: as long as the month is listed, an interrupted drop is taken up again. Aliases end with the year."""
        year = month // 100
        self._change(
            ("DELETE FROM kept WHERE month = ? AND ret = ?", (month, retention)),
            (
                "DELETE FROM alias WHERE year = ? AND NOT EXISTS (SELECT 1 FROM kept WHERE month BETWEEN ? AND ?)",
                (year, year * 100, year * 100 + 12),
            ),
        )

    def _place(self, shard: str, index: int) -> tuple[int, int, int] | None:
        """Where the side rows of an entry lie: month, shard number, index. None when there is no such entry."""
        number = self._number(shard)
        entry = self._rows("SELECT ts FROM entry WHERE shard = ? AND idx = ?", number, index)
        return (month_of(entry[0][0]), number, index) if entry else None

    def _number(self, shard: str) -> int:
        rows = self._rows("SELECT no FROM shard WHERE name = ?", shard)
        return int(rows[0][0]) if rows else -1


def _marks(values: Sequence[Any]) -> str:
    return ",".join("?" * len(values)) or "NULL"
