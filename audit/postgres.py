"""The ledger in PostgreSQL 15+: several machines, each writer process its own shard. Tables live in the search path.

Run the server with fsync=on and synchronous_commit=on (or remote_apply with a synchronous standby): `local` commits
survive a crash, but not the loss of the machine. After a failed fsync PostgreSQL itself panics and recovers; we
reconnect.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from threading import Lock
from typing import Any, Literal

import psycopg

from audit.entry import Part
from audit.errors import UnsafeStore
from audit.postgres_writer import SCHEMA, VERSION, PostgresWriter, connect, naming_failures
from audit.seal import month_of
from audit.store import Hit, Sealed, Stored

_PAGE = 500  # rows fetched at a time by `read`
_HEAD = "SELECT coalesce(max(idx) + 1, 0) FROM entry WHERE shard = %s"
_READ = (
    "SELECT %s::text, idx, ts, kind, ref, lh, body FROM entry"
    " WHERE shard = %s AND idx >= %s AND idx < %s ORDER BY idx LIMIT %s"
)
_SEALED = (
    "SELECT s.part, s.tag, ct_subject, ct_agent, ct_technical, wrapped_subject, wrapped_agent, wrapped_technical"
    " FROM side s LEFT JOIN dek USING (month, shard, idx, part)"
    " WHERE s.month = %s AND s.shard = %s AND s.idx = %s ORDER BY s.part"
)
_HITS = (
    "SELECT shard.name, idx, part, ts, tag, agent_tag, org, activity, op, vis FROM side"
    " JOIN shard ON shard.no = side.shard WHERE "
)
_BEFORE = " AND (ts, shard.name, idx, part) < (%s, %s, %s, %s)"
_NEWEST_FIRST = " ORDER BY ts DESC, shard.name DESC, idx DESC, part DESC LIMIT %s"
_OPEN_INTENTS = (
    "SELECT %s::text, idx, ts, kind, ref, lh, body FROM entry i WHERE shard = %s AND idx >= %s AND kind = 'intent'"
    " AND NOT EXISTS (SELECT 1 FROM entry o WHERE o.shard = i.shard AND o.idx > %s AND o.ref = i.idx) ORDER BY idx"
)
_REMEMBER = "UPDATE shard SET settled = greatest(settled, %s) WHERE no = %s RETURNING no"
_MONTHS = (
    "WITH RECURSIVE m (month) AS (SELECT min(month) FROM side UNION ALL"
    " SELECT (SELECT min(month) FROM side WHERE month > m.month) FROM m WHERE m.month IS NOT NULL)"
    " SELECT month FROM m WHERE month IS NOT NULL"
)
_ONE_AT_A_TIME = 7_310_466_283_011  # advisory lock while the schema is made


class PostgresStore:
    """Shards in one schema of a database. Implements audit.store.Store."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._lock = Lock()
        self._reader = connect(url)
        try:
            with naming_failures():
                self._prepare(self._reader)
        except BaseException:
            self._reader.close()
            raise

    def _prepare(self, connection: psycopg.Connection[Any]) -> None:
        with connection.transaction():
            connection.execute("SELECT pg_advisory_xact_lock(%s)", (_ONE_AT_A_TIME,))
            if connection.execute("SELECT to_regclass('ledger')").fetchone() == (None,):
                connection.execute(SCHEMA)
                connection.execute("INSERT INTO ledger (version) VALUES (%s)", (VERSION,))
            found = connection.execute("SELECT version FROM ledger").fetchone()
        if found != (VERSION,):
            raise UnsafeStore(f"the database has ledger schema {found and found[0]}, this program writes {VERSION}")

    def writer(self, shard: str, *, wait: float = 5.0) -> PostgresWriter:
        """See audit.store.Store.writer."""
        self._rows("INSERT INTO shard (name) VALUES (%s) ON CONFLICT DO NOTHING RETURNING no", shard)
        return PostgresWriter(self._url, shard, self._number(shard), wait)

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
        entry = self._rows("SELECT ts FROM entry WHERE shard = %s AND idx = %s", number, index)
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
        query = f"{_HITS} {column} = ANY(%s) AND ts >= %s AND ts < %s AND month BETWEEN %s AND %s"
        values: list[Any] = [list(tags), since, until, month_of(since), month_of(until)]
        if before is not None:
            query += _BEFORE
            values += before
        rows = self._rows(query + _NEWEST_FIRST, *values, limit)
        return [Hit(*row) for row in rows]

    def dangling(self, shard: str, before: int) -> list[Stored]:
        """See audit.store.Store.dangling. What is found settled is remembered, so the next look is short."""
        number = self._number(shard)
        settled = int((self._rows("SELECT settled FROM shard WHERE no = %s", number) or [(0,)])[0][0])
        head = self.size(shard)  # read first: what the next query sees holds at least these
        open_intents = self._rows(_OPEN_INTENTS, shard, number, settled, settled)
        newly_settled = open_intents[0][1] if open_intents else head
        if newly_settled > settled:
            self._rows(_REMEMBER, newly_settled, number)
        return [Stored(*row) for row in open_intents if row[2] < before]

    def months(self) -> list[int]:
        """See audit.store.Store.months."""
        return [month for (month,) in self._rows(_MONTHS)]

    def close(self) -> None:
        """See audit.store.Store.close."""
        with self._lock:
            self._reader.close()

    def _number(self, shard: str) -> int:
        rows = self._rows("SELECT no FROM shard WHERE name = %s", shard)
        return int(rows[0][0]) if rows else -1

    def _rows(self, query: str, *values: Any) -> list[Any]:
        with self._lock, naming_failures():
            try:
                return self._connected().execute(query, values).fetchall()
            except psycopg.OperationalError:
                if not self._reader.closed:
                    raise
            # The connection had died since the last question (a restart, a failover): asking again is harmless.
            return self._connected().execute(query, values).fetchall()

    def _connected(self) -> psycopg.Connection[Any]:
        if self._reader.closed:
            self._reader = connect(self._url)
        return self._reader
