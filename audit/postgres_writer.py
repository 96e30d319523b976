"""The writing side of the PostgreSQL engine: schema, connection, and the one writer of a shard.

A batch is ONE statement on an autocommit connection: three inserts over unnested arrays, so one round trip and one
fsync whatever the size of the group.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from typing import Any

import psycopg

from audit.beside import Statement, joined
from audit.entry import Prepared
from audit.errors import HeadMoved, ShardTaken, StoreFailed, UnsafeStore
from audit.postgres_arrays import bigints, byteas, register, texts

VERSION = 2
# side and dek are partitioned by month: a month that is over is forgotten by dropping its partition. Partitions are
# made by the writer when the first entry of a month arrives. Give dek its own tablespace to back it up apart.
SCHEMA = """
CREATE TABLE IF NOT EXISTS ledger (version int NOT NULL);
CREATE TABLE IF NOT EXISTS shard (
    no int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text COLLATE "C" NOT NULL UNIQUE,
    settled bigint NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS entry (
    shard int NOT NULL, idx bigint NOT NULL, ts bigint NOT NULL, kind text NOT NULL, ref bigint,
    lh bytea NOT NULL, body bytea NOT NULL, PRIMARY KEY (shard, idx));
ALTER TABLE entry ALTER lh SET STORAGE PLAIN, ALTER body SET STORAGE EXTERNAL;
CREATE TABLE IF NOT EXISTS side (
    month int NOT NULL, shard int NOT NULL, idx bigint NOT NULL, part int NOT NULL, tag bytea, agent_tag bytea,
    org text, activity text, op text, ts bigint NOT NULL, vis smallint NOT NULL DEFAULT 0, ret text NOT NULL,
    ct_subject bytea, ct_agent bytea, ct_technical bytea, PRIMARY KEY (month, shard, idx, part))
    PARTITION BY RANGE (month);
CREATE INDEX IF NOT EXISTS side_by_tag ON side (tag, ts) WHERE tag IS NOT NULL;
CREATE INDEX IF NOT EXISTS side_by_agent ON side (agent_tag, ts) WHERE agent_tag IS NOT NULL;
CREATE TABLE IF NOT EXISTS dek (
    month int NOT NULL, shard int NOT NULL, idx bigint NOT NULL, part int NOT NULL,
    wrapped_subject bytea, wrapped_agent bytea, wrapped_technical bytea, PRIMARY KEY (month, shard, idx, part))
    PARTITION BY RANGE (month);
CREATE INDEX IF NOT EXISTS entry_rare ON entry (kind, ts) WHERE kind NOT IN ('intent', 'outcome');
CREATE TABLE IF NOT EXISTS kept (month int NOT NULL, ret text NOT NULL, PRIMARY KEY (month, ret));
CREATE TABLE IF NOT EXISTS alias (year int NOT NULL, old bytea NOT NULL, new bytea NOT NULL, PRIMARY KEY (old, new));
CREATE INDEX IF NOT EXISTS alias_by_new ON alias (new);
"""
# From an older schema to the present one, in one transaction. `ret` has no default, so that a program of the older
# version that still runs fails (and refuses its exchanges) instead of writing rows without class.
MIGRATIONS = {
    1: f"""
SET LOCAL statement_timeout = 0;
ALTER TABLE side ADD COLUMN ret text;
UPDATE side SET ret = convert_from(e.body, 'UTF8')::json ->> 'ret' FROM entry e WHERE e.shard = side.shard AND e.idx = side.idx;
ALTER TABLE side ALTER ret SET NOT NULL;
{SCHEMA}
INSERT INTO kept SELECT DISTINCT month, ret FROM side;
"""
}
# The head is read in the snapshot of the statement itself; the primary key is the fence against a second writer.
_APPEND = """
WITH head AS (SELECT coalesce((SELECT max(idx) + 1 FROM entry WHERE shard = %(shard)s), 0) AS base),
e AS (
    INSERT INTO entry (shard, idx, ts, kind, ref, lh, body)
    SELECT %(shard)s, base + n - 1, ts, kind, ref, lh, body
    FROM head, unnest(%(ts)b, %(kind)b, %(ref)b, %(lh)b, %(body)b) WITH ORDINALITY AS u (ts, kind, ref, lh, body, n)
    WHERE base = %(expect)s),
p AS (
    SELECT base + off AS idx, month, part, tag, agent_tag, org, activity, op, ts, ret, cs, ca, ct, ws, wa, wt
    FROM head, unnest(%(off)b, %(month)b, %(part)b, %(tag)b, %(agent_tag)b, %(org)b, %(activity)b, %(op)b, %(pts)b,
        %(ret)b, %(cs)b, %(ca)b, %(ct)b, %(ws)b, %(wa)b, %(wt)b)
        AS u (off, month, part, tag, agent_tag, org, activity, op, ts, ret, cs, ca, ct, ws, wa, wt)
    WHERE base = %(expect)s),
s AS (
    INSERT INTO side
        (month, shard, idx, part, tag, agent_tag, org, activity, op, ts, ret, ct_subject, ct_agent, ct_technical)
    SELECT month, %(shard)s, idx, part, tag, agent_tag, org, activity, op, ts, ret, cs, ca, ct FROM p),
d AS (
    INSERT INTO dek (month, shard, idx, part, wrapped_subject, wrapped_agent, wrapped_technical)
    SELECT month, %(shard)s, idx, part, ws, wa, wt FROM p WHERE coalesce(ws, wa, wt) IS NOT NULL)
SELECT base FROM head
"""
# A vanished client is noticed within about 25 s, so its lease does not outlive it; a hung server within the timeout.
_SESSION = """
SET statement_timeout = '15s'; SET lock_timeout = '10s'; SET idle_in_transaction_session_timeout = '30s';
SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3;
"""


@contextmanager
def naming_failures() -> Iterator[None]:
    """Turn any failure of the driver into StoreFailed. The SQLSTATE is told, never the text: it may quote values."""
    try:
        yield
    except psycopg.Error as error:
        raise StoreFailed(f"PostgreSQL: {type(error).__name__} {error.sqlstate or ''}".rstrip()) from error


def connect(url: str) -> psycopg.Connection[Any]:
    """Connect in autocommit. Raises StoreFailed, or UnsafeStore when the server runs without fsync."""
    with naming_failures():
        connection = psycopg.connect(url, autocommit=True, connect_timeout=3)
        try:
            connection.execute(_SESSION)
            query = "SELECT current_setting('fsync'), current_setting('synchronous_commit')"
            [(fsync, synchronous)] = connection.execute(query).fetchall()
            if fsync != "on":
                raise UnsafeStore("PostgreSQL runs with fsync=off: acknowledged entries would be lost in a crash")
            if synchronous == "off":
                connection.execute("SET synchronous_commit = on")
        except BaseException:
            connection.close()
            raise
    return connection


def take_lock(connection: psycopg.Connection[Any], name: str) -> bool:
    """Take a lock of this schema that ends with the connection; False when another connection has it."""
    with naming_failures():
        row = connection.execute("SELECT current_schema()").fetchone()
        text = f"audit-ledger|{row[0] if row else ''}|{name}"
        key = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big", signed=True)
        row = connection.execute("SELECT pg_try_advisory_lock(%s)", (key,)).fetchone()
    return bool(row and row[0])


class PostgresWriter:
    """The one writer of a shard in PostgreSQL. Implements audit.store.Writer.

    The lease is a session advisory lock on the writer's own connection: it ends with the connection.
    """

    def __init__(self, url: str, shard: str, number: int, wait: float) -> None:
        self.shard = shard
        self._url = url
        self._number = number
        self._months: set[int] = set()  # whose partitions exist
        self._kept: set[tuple[int, str]] = set()  # (month, class) that are listed
        self._connection: psycopg.Connection[Any] | None = None
        try:
            self._open(wait)
        except BaseException:
            self.close()
            raise

    def append(self, batch: Sequence[Prepared], expect: int, beside: Sequence[Statement] = ()) -> None:
        """See audit.store.Writer.append."""
        try:
            with naming_failures():
                connection = self._connected()
                for month, ret in {(item.month, item.ret) for item in batch} - self._kept:
                    self._make_room(connection, month, ret)
                with connection.transaction() if beside else nullcontext():
                    row = connection.execute(_APPEND, _columns(batch, self._number, expect), prepare=True).fetchone()
                    for sql, values in joined(beside) if row and row[0] == expect else ():
                        connection.execute(sql.replace("?", "%s"), values)
        except StoreFailed:
            self.close()
            raise
        base = row[0] if row else None
        if base != expect:
            self.close()
            raise HeadMoved(f"shard {self.shard} ends at {base}, its writer left it at {expect}")

    def size(self) -> int:
        """See audit.store.Writer.size."""
        with naming_failures():
            query = "SELECT coalesce(max(idx) + 1, 0) FROM entry WHERE shard = %s"
            row = self._connected().execute(query, (self._number,)).fetchone()
        return int(row[0]) if row else 0

    def reopen(self) -> int:
        """See audit.store.Writer.reopen."""
        self.close()
        self._open(wait=0.0)
        return self.size()

    def close(self) -> None:
        """See audit.store.Writer.close."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(psycopg.Error):
                connection.close()

    def _connected(self) -> psycopg.Connection[Any]:
        if self._connection is None:
            raise StoreFailed("PostgreSQL: the writer is closed until it is reopened")
        return self._connection

    def _open(self, wait: float) -> None:
        self._months, self._kept = set(), set()
        connection = self._connection = connect(self._url)
        register(connection)
        deadline = time.monotonic() + wait
        while not self._take_lease(connection):
            if time.monotonic() >= deadline:
                self.close()
                raise ShardTaken(f"shard {self.shard} has a living writer; one shard, one writer process")
            time.sleep(0.05)

    def _take_lease(self, connection: psycopg.Connection[Any]) -> bool:
        return take_lock(connection, self.shard)

    def _make_room(self, connection: psycopg.Connection[Any], month: int, ret: str) -> None:
        if month not in self._months:
            for table in ("side", "dek"):
                connection.execute(
                    f"CREATE TABLE IF NOT EXISTS {table}_{month:d} PARTITION OF {table}"
                    f" FOR VALUES FROM ({month:d}) TO ({month + 1:d})"
                )
            self._months.add(month)
        connection.execute("INSERT INTO kept (month, ret) VALUES (%s, %s) ON CONFLICT DO NOTHING", (month, ret))
        self._kept.add((month, ret))


def _columns(batch: Sequence[Prepared], shard: int, expect: int) -> dict[str, Any]:
    parts = [(offset, item, part) for offset, item in enumerate(batch) for part in item.parts]
    kinds, stamps, _, refs, leaves, bodies, *_ = zip(*batch, strict=True)
    columns: dict[str, Any] = {
        "shard": shard,
        "expect": expect,
        "kind": texts(kinds),
        "ts": bigints(stamps),
        "ref": bigints(refs),
        "lh": byteas(leaves),
        "body": byteas(bodies),
        "off": bigints([offset for offset, _, _ in parts]),
        "month": bigints([item.month for _, item, _ in parts]),
        "part": bigints([part.part for _, _, part in parts]),
        "tag": byteas([part.tag for _, _, part in parts]),
        "agent_tag": byteas([item.agent_tag for _, item, _ in parts]),
        "org": texts([item.org for _, item, _ in parts]),
        "activity": texts([item.activity for _, item, _ in parts]),
        "op": texts([item.op for _, item, _ in parts]),
        "pts": bigints([item.ts for _, item, _ in parts]),
        "ret": texts([item.ret for _, item, _ in parts]),
    }
    for name, position in (("s", 0), ("a", 1), ("t", 2)):
        columns["c" + name] = byteas([part.sealed[position] for _, _, part in parts])
        columns["w" + name] = byteas([part.wrapped[position] for _, _, part in parts])
    return columns
