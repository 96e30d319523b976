"""The ledger in one SQLite file: WAL, synchronous=FULL, one BEGIN IMMEDIATE per batch. One machine, local disk only.

Durability: with synchronous=FULL every commit is fsynced; NORMAL would lose acknowledged entries on power loss.
Network filesystems break both the locks of SQLite and our lease: never put the file there.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from threading import Lock
from typing import Any, Literal

from audit.entry import Part
from audit.errors import UnsafeStore
from audit.seal import month_of
from audit.sqlite_writer import SCHEMA, VERSION, SqliteWriter, connect, naming_failures
from audit.store import Hit, Sealed, Stored

_PAGE = 500  # rows fetched at a time by `read`
_HEAD = "SELECT coalesce(max(idx) + 1, 0) FROM entry WHERE shard = ?"
_READ = (
    "SELECT ?, idx, ts, kind, ref, lh, body FROM entry WHERE shard = ? AND idx >= ? AND idx < ? ORDER BY idx LIMIT ?"
)
_SEALED = (
    "SELECT s.part, s.tag, ct_subject, ct_agent, ct_technical, wrapped_subject, wrapped_agent, wrapped_technical"
    " FROM side s LEFT JOIN dek USING (month, shard, idx, part)"
    " WHERE s.month = ? AND s.shard = ? AND s.idx = ? ORDER BY s.part"
)
_HITS = (
    "SELECT shard.name, idx, part, ts, tag, agent_tag, org, activity, op, vis FROM side"
    " JOIN shard ON shard.no = side.shard WHERE "
)
_BEFORE = " AND (ts, shard.name, idx, part) < (?, ?, ?, ?)"
_NEWEST_FIRST = " ORDER BY ts DESC, shard.name DESC, idx DESC, part DESC LIMIT ?"
_OPEN_INTENTS = (
    "SELECT ?, idx, ts, kind, ref, lh, body FROM entry i WHERE shard = ? AND idx >= ? AND kind = 'intent'"
    " AND idx NOT IN (SELECT ref FROM entry WHERE shard = ? AND idx >= ? AND ref IS NOT NULL) ORDER BY idx"
)
_MONTHS = (
    "WITH RECURSIVE m (month) AS (SELECT min(month) FROM side UNION ALL"
    " SELECT (SELECT min(month) FROM side WHERE month > m.month) FROM m WHERE m.month IS NOT NULL)"
    " SELECT month FROM m WHERE month IS NOT NULL"
)


class SqliteStore:
    """Shards in one file (0600, made when absent). Implements audit.store.Store."""

    def __init__(self, path: str | Path) -> None:
        if not str(path) or ":memory:" in str(path):
            raise UnsafeStore("a ledger in memory is lost with the process; name a file")
        self.path = Path(path)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(self.path, os.O_CREAT | os.O_RDWR, 0o600))
        self._lock = Lock()
        with naming_failures():
            self._reader = connect(str(self.path))
            self._prepare()

    def _prepare(self) -> None:
        found = self._reader.execute("PRAGMA user_version").fetchone()[0]
        if found not in (0, VERSION):
            self._reader.close()
            raise UnsafeStore(f"the file has ledger schema {found}, this program writes {VERSION}")
        if found == 0:
            self._reader.executescript(f"BEGIN IMMEDIATE; {SCHEMA} PRAGMA user_version={VERSION}; COMMIT")
        self._reader.execute("PRAGMA query_only=ON")

    def writer(self, shard: str, *, wait: float = 5.0) -> SqliteWriter:
        """See audit.store.Store.writer. The lease is a lock on a file beside the database, freed by the kernel."""
        with naming_failures():
            connection = connect(str(self.path))
            try:
                connection.execute("INSERT INTO shard (name) VALUES (?) ON CONFLICT DO NOTHING", (shard,))
            finally:
                connection.close()
        return SqliteWriter(self.path, shard, self._number(shard), wait)

    def shards(self) -> list[str]:
        """See audit.store.Store.shards."""
        return [name for (name,) in self._rows("SELECT name FROM shard ORDER BY no")]

    def size(self, shard: str) -> int:
        """See audit.store.Store.size."""
        rows = self._rows(_HEAD, self._number(shard))
        return int(rows[0][0])

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

    def sealed(self, shard: str, index: int) -> list[Sealed]:
        """See audit.store.Store.sealed."""
        number = self._number(shard)
        entry = self._rows("SELECT ts FROM entry WHERE shard = ? AND idx = ?", number, index)
        if not entry:
            return []
        rows = self._rows(_SEALED, month_of(entry[0][0]), number, index)
        return [Part(row[0], row[1], row[2:5], row[5:8]) for row in rows]

    def find(
        self,
        tags: Sequence[bytes],
        since: int,
        until: int,
        *,
        by: Literal["subject", "agent"] = "subject",
        before: tuple[int, str, int, int] | None = None,
        limit: int = 100,
    ) -> list[Hit]:
        """See audit.store.Store.find."""
        column = {"subject": "tag", "agent": "agent_tag"}[by]
        query = f"{_HITS} {column} IN ({','.join('?' * len(tags))}) AND ts >= ? AND ts < ?"
        values: list[Any] = [*tags, since, until]
        if before is not None:
            query += _BEFORE
            values += before
        rows = self._rows(query + _NEWEST_FIRST, *values, limit)
        return [Hit(*row) for row in rows]

    def dangling(self, shard: str, before: int) -> list[Stored]:
        """See audit.store.Store.dangling. What is found settled is remembered, so the next look is short."""
        number = self._number(shard)
        settled = int((self._rows("SELECT settled FROM shard WHERE no = ?", number) or [(0,)])[0][0])
        head = self.size(shard)  # read first: what the next query sees holds at least these
        open_intents = self._rows(_OPEN_INTENTS, shard, number, settled, number, settled)
        newly_settled = open_intents[0][1] if open_intents else head
        if newly_settled > settled:
            self._remember_settled(number, newly_settled)
        return [Stored(*row) for row in open_intents if row[2] < before]

    def months(self) -> list[int]:
        """See audit.store.Store.months."""
        return [month for (month,) in self._rows(_MONTHS)]

    def close(self) -> None:
        """See audit.store.Store.close."""
        with self._lock:
            self._reader.close()

    def _remember_settled(self, number: int, settled: int) -> None:
        with naming_failures():
            connection = connect(str(self.path))
            try:
                connection.execute("UPDATE shard SET settled = max(settled, ?) WHERE no = ?", (settled, number))
            finally:
                connection.close()

    def _number(self, shard: str) -> int:
        rows = self._rows("SELECT no FROM shard WHERE name = ?", shard)
        return int(rows[0][0]) if rows else -1

    def _rows(self, query: str, *values: Any) -> list[Any]:
        with self._lock, naming_failures():
            return self._reader.execute(query, values).fetchall()
