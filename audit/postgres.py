"""The ledger in PostgreSQL 15+: several machines, each writer process its own shard. Tables live in the search path.

Run the server with fsync=on and synchronous_commit=on (or remote_apply with a synchronous standby): `local` commits
survive a crash, but not the loss of the machine. After a failed fsync PostgreSQL itself panics and recovers; we
reconnect.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from threading import Lock
from typing import Any

import psycopg
from psycopg import sql

from audit.engine import Engine
from audit.errors import UnsafeStore
from audit.postgres_writer import MIGRATIONS, SCHEMA, VERSION, PostgresWriter, connect, naming_failures, take_lock

_ONE_AT_A_TIME = 7_310_466_283_011  # advisory lock while the schema is made
_PATIENT = "SET statement_timeout = 0; SET lock_timeout = '2s'"  # appends queue behind whoever waits for such a lock


class PostgresStore(Engine):
    """Shards in one schema of a database. Implements audit.store.Store."""

    _open_intents = (
        "SELECT CAST(? AS text), idx, ts, kind, ref, lh, body FROM entry i"
        " WHERE shard = ? AND idx >= ? AND kind = 'intent' AND NOT EXISTS"
        " (SELECT 1 FROM entry o WHERE o.shard = ? AND o.idx > ? AND o.ref = i.idx) ORDER BY idx"
    )
    _remember_settled = "UPDATE shard SET settled = greatest(settled, ?) WHERE no = ?"
    _tag_row = "(CAST(? AS bytea))"

    def __init__(self, url: str) -> None:
        self.url = url
        self._lock = Lock()
        self._reader = connect(url)
        try:
            with naming_failures():
                self._prepare(self._reader)
        except BaseException:
            self._reader.close()
            raise

    def _prepare(self, connection: psycopg.Connection[Any]) -> None:
        """Make the tables, or bring those of an older schema to ours."""
        with connection.transaction():
            connection.execute("SELECT pg_advisory_xact_lock(%s)", (_ONE_AT_A_TIME,))
            if connection.execute("SELECT to_regclass('ledger')").fetchone() == (None,):
                connection.execute(SCHEMA)
                connection.execute("INSERT INTO ledger (version) VALUES (%s)", (VERSION,))
            [(found,)] = connection.execute("SELECT version FROM ledger").fetchall()
            if found > VERSION:
                raise UnsafeStore(
                    f"the database has ledger schema {found}, this program writes {VERSION}; use a newer one"
                )
            for old in range(found, VERSION):
                connection.execute(MIGRATIONS[old])
                connection.execute("UPDATE ledger SET version = %s", (old + 1,))

    def writer(self, shard: str, *, wait: float = 5.0) -> PostgresWriter:
        """See audit.store.Store.writer."""
        self._change(("INSERT INTO shard (name) VALUES (?) ON CONFLICT DO NOTHING", (shard,)))
        return PostgresWriter(self.url, shard, self._number(shard), wait)

    def drop_month(self, retention: str, month: int) -> int:
        """See audit.store.Store.drop_month. A month of which only this class is left goes with its partitions."""
        with naming_failures(), closing(connect(self.url)) as connection:
            connection.execute(_PATIENT)
            dropped = self._drop_partitions(connection, retention, month)
        if dropped is None:
            return super().drop_month(retention, month)
        self._forget_month(retention, month)
        return dropped

    def _drop_partitions(self, connection: psycopg.Connection[Any], retention: str, month: int) -> int | None:
        """Rows dropped; None when the month holds another class too, or was never made."""
        side, dek = (sql.Identifier(f"{table}_{month:d}") for table in ("side", "dek"))
        if connection.execute("SELECT to_regclass(%s)", (f"side_{month:d}",)).fetchone() == (None,):
            return None
        query = sql.SQL("SELECT count(*), count(*) FILTER (WHERE ret <> %s) FROM {}").format(side)
        [(rows, others)] = connection.execute(query, (retention,)).fetchall()
        if others:
            return None
        connection.execute(sql.SQL("DROP TABLE {}, {}").format(side, dek))
        return int(rows)

    @contextmanager
    def chore(self, name: str) -> Iterator[bool]:
        """See audit.store.Store.chore. An advisory lock, which ends with its connection."""
        with closing(connect(self.url)) as connection:
            yield take_lock(connection, f"chore {name}")

    def close(self) -> None:
        """See audit.store.Store.close."""
        with self._lock:
            self._reader.close()

    def _rows(self, query: str, *values: Any) -> list[Any]:
        query = _named(query)
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
            self._reader = connect(self.url)
        return self._reader

    def _stream(self, query: str, *values: Any) -> Iterator[tuple[Any, ...]]:
        with naming_failures(), closing(connect(self.url)) as connection:
            connection.execute(_PATIENT)
            with connection.transaction(), connection.cursor("stream") as cursor:
                yield from cursor.execute(_named(query), values)

    def _change(self, *statements: tuple[str, Sequence[Any]]) -> list[int]:
        with naming_failures(), closing(connect(self.url)) as connection, connection.transaction():
            return [connection.execute(_named(query), values).rowcount for query, values in statements]


def _named(query: str) -> str:
    """psycopg marks values with %s."""
    return query.replace("?", "%s")
