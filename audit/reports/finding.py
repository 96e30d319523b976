"""The rows about a subject or caused by an agent: newest first, by blind tag, year after year backwards.

A tag belongs to one year, so the years are asked one after the other until the page is full. Every question runs along
an index (tag, time) and stops at its limit: a person who was looked up a hundred thousand times costs no more than
anybody else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress

from audit.draft import Subject
from audit.errors import KeyMissing
from audit.reports.rows import Place, Row, row_of
from audit.reports.tables import Rows, Tables
from audit.seal import Sealer, month_of
from audit.store import Store

CHUNK = 100  # rows asked at a time
_END = Place(2**62, 2**31 - 1, 2**62, 2**31 - 1)
_FROM = (
    "SELECT s.ts, s.shard, s.idx, s.part, s.vis, h.name, e.kind, e.ref, e.body"
    " FROM side s CROSS JOIN shard h CROSS JOIN entry e"
    " WHERE h.no = s.shard AND e.shard = s.shard AND e.idx = s.idx AND "
)
# `month` follows from `ts`; named here, it makes this the very order of SQLite's index, and picks PostgreSQL's partitions.
_WINDOW = (
    " = ? AND s.ts >= ? AND s.ts <= ? AND s.month >= ? AND s.month <= ?"
    " AND (s.ts, s.shard, s.idx, s.part) < (?, ?, ?, ?)"
)
_NEWEST_FIRST = " ORDER BY s.ts DESC, s.month DESC, s.shard DESC, s.idx DESC, s.part DESC LIMIT ?"
_COLUMNS = {"subject": "s.tag", "agent": "s.part = 0 AND s.agent_tag"}
_ANY = "SELECT 1 FROM side WHERE month >= ? AND month <= ? AND "

_SOME = (b"", 0, 0, 0, 0, *(0,) * len(Place._fields))  # a tag, a window and a place where nothing is
OFTEN: Sequence[tuple[str, Sequence[object]]] = tuple(
    (_FROM + _COLUMNS[by] + _WINDOW + also + _NEWEST_FIRST, (*_SOME, *more, CHUNK))
    for by, also, more in (
        ("subject", " AND s.vis = 0", ()),
        ("subject", " AND s.org = ?", ("",)),
        ("subject", "", ()),
        ("agent", " AND s.org = ?", ("",)),
        ("agent", "", ()),
    )
)

Found = tuple[Place, Row]
Also = tuple[str, tuple[str, ...]]  # a further condition, and its values


class Finder:
    """Finds rows by tag. `sealer` holds the index keys: without the key of a year that year cannot be searched."""

    def __init__(self, store: Store, tables: Tables, sealer: Sealer) -> None:
        self._store = store
        self._tables = tables
        self._sealer = sealer

    def about(
        self,
        subject: Subject,
        since: int,
        until: int,
        *,
        org: str | None = None,
        after: Place | None = None,
        shown: bool = False,
    ) -> Iterator[Found]:
        """Rows about one person under all their numbers, with since ≤ ts < until, after a place, newest first.

        `shown`: without what is restricted.

        Raises KeyMissing when a year that has rows cannot be searched: that is not the same as no rows.
        """
        return self._find("subject", self._of(subject), since, until, _also(org, shown), after)

    def by_agent(
        self, agent: str, since: int, until: int, *, org: str | None = None, after: Place | None = None
    ) -> Iterator[Found]:
        """Rows an agent caused, one for each entry, as `about`."""
        return self._find("agent", lambda year: [self._sealer.agent_tag(agent, year)], since, until, _also(org), after)

    def tags(self, subject: Subject) -> list[bytes]:
        """Every tag a subject has, one for each year of which values are kept."""
        years = sorted({month // 100 for _, month in self._store.kept()})
        return [tag for year in years for tag in self._tags("subject", self._of(subject), year)]

    def _of(self, subject: Subject) -> Callable[[int], list[bytes]]:
        return lambda year: [self._sealer.subject_tag(subject.type, subject.id, year)]

    def _find(
        self,
        by: str,
        tags: Callable[[int], list[bytes]],
        since: int,
        until: int,
        also: Also,
        after: Place | None,
    ) -> Iterator[Found]:
        until = min(until, _END.ts)
        after = min(after or _END, Place(until, 0, 0, 0))
        first, last = month_of(since), month_of(min(after.ts, until))
        years = sorted({month // 100 for _, month in self._store.kept() if first <= month <= last}, reverse=True)
        for year in years:
            months = (year * 100, year * 100 + 12)
            yield from self._year(by, self._tags(by, tags, year), since, also, after, months)

    def _tags(self, by: str, tags: Callable[[int], list[bytes]], year: int) -> list[bytes]:
        with suppress(KeyMissing):
            # Somebody who was given another number is the same person: both numbers are searched.
            return self._store.same(tags(year)) if by == "subject" else tags(year)
        column = {"subject": "tag", "agent": "agent_tag"}[by]
        if not self._tables.rows(_ANY + column + " IS NOT NULL LIMIT 1", year * 100, year * 100 + 12):
            return []  # nothing was ever written under that key, so it was never made
        return tags(year)  # raises

    def _year(
        self, by: str, tags: Sequence[bytes], since: int, also: Also, after: Place, months: tuple[int, int]
    ) -> Iterator[Found]:
        query = _FROM + _COLUMNS[by] + _WINDOW + also[0] + _NEWEST_FIRST
        while True:
            more: Rows = []
            for tag in tags:
                values = (tag, since, after.ts, *months, *after, *also[1], CHUNK)
                more += self._tables.rows(query, *values)
            chunk = sorted(set(more), reverse=True)[:CHUNK]  # each tag gave its newest: so these are the newest of all
            for row in chunk:
                yield found(row)
            if len(chunk) < CHUNK:
                return
            after = Place(*chunk[-1][:4])


def _also(org: str | None, shown: bool = False) -> Also:
    return (" AND s.vis = 0" if shown else "") + (" AND s.org = ?" if org else ""), (org,) if org else ()


def found(row: Sequence[object]) -> Found:
    """A row of the database (ts, shard number, idx, part, vis, shard name, kind, ref, body) as a place and a Row."""
    ts, number, index, part, vis, shard, kind, ref, body = row
    place = Place(ts, number, index, part)  # type: ignore[arg-type]
    return place, row_of(shard, place, kind, ref, bytes(body), vis)  # type: ignore[arg-type, call-overload]
