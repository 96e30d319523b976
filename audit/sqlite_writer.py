"""The writing side of the SQLite engine: schema, connection, and the one writer of a shard."""

from __future__ import annotations

import fcntl
import os
import sqlite3
import time
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

from tenacity import retry, retry_if_exception, stop_after_delay, wait_random

from audit.beside import Statement, joined
from audit.entry import Prepared
from audit.errors import HeadMoved, ShardTaken, StoreFailed, UnsafeStore

VERSION = 2
# Partition dropping has no counterpart here: a month ends by DELETE, on a file that one machine can hold.
SCHEMA = """
CREATE TABLE IF NOT EXISTS shard (
    no INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, settled INTEGER NOT NULL DEFAULT 0) STRICT;
CREATE TABLE IF NOT EXISTS entry (
    shard INTEGER NOT NULL, idx INTEGER NOT NULL, ts INTEGER NOT NULL, kind TEXT NOT NULL, ref INTEGER,
    lh BLOB NOT NULL, body BLOB NOT NULL, PRIMARY KEY (shard, idx)) STRICT;
CREATE TABLE IF NOT EXISTS side (
    month INTEGER NOT NULL, shard INTEGER NOT NULL, idx INTEGER NOT NULL, part INTEGER NOT NULL,
    tag BLOB, agent_tag BLOB, org TEXT, activity TEXT, op TEXT, ts INTEGER NOT NULL, vis INTEGER NOT NULL DEFAULT 0,
    ret TEXT NOT NULL, ct_subject BLOB, ct_agent BLOB, ct_technical BLOB, PRIMARY KEY (month, shard, idx, part))
    WITHOUT ROWID, STRICT;
CREATE INDEX IF NOT EXISTS side_by_tag ON side (tag, ts) WHERE tag IS NOT NULL;
CREATE INDEX IF NOT EXISTS side_by_agent ON side (agent_tag, ts) WHERE agent_tag IS NOT NULL;
CREATE TABLE IF NOT EXISTS dek (
    month INTEGER NOT NULL, shard INTEGER NOT NULL, idx INTEGER NOT NULL, part INTEGER NOT NULL,
    wrapped_subject BLOB, wrapped_agent BLOB, wrapped_technical BLOB, PRIMARY KEY (month, shard, idx, part))
    WITHOUT ROWID, STRICT;
CREATE INDEX IF NOT EXISTS entry_rare ON entry (kind, ts) WHERE kind NOT IN ('intent', 'outcome');
CREATE TABLE IF NOT EXISTS kept (
    month INTEGER NOT NULL, ret TEXT NOT NULL, PRIMARY KEY (month, ret)) WITHOUT ROWID, STRICT;
CREATE TABLE IF NOT EXISTS alias (
    year INTEGER NOT NULL, old BLOB NOT NULL, new BLOB NOT NULL, PRIMARY KEY (old, new)) WITHOUT ROWID, STRICT;
CREATE INDEX IF NOT EXISTS alias_by_new ON alias (new);
"""
# From an older schema to the present one, in one transaction. A table is made anew rather than altered, so that a
# program of the older version that still runs fails (and refuses its exchanges) instead of writing rows without class.
MIGRATIONS = {
    1: f"""
DROP INDEX side_by_tag; DROP INDEX side_by_agent; ALTER TABLE side RENAME TO side_1;
{SCHEMA}
INSERT INTO side SELECT month, shard, idx, part, tag, agent_tag, org, activity, op, side_1.ts, vis,
    (SELECT json_extract(CAST(body AS TEXT), '$.ret') FROM entry e WHERE e.shard = side_1.shard AND e.idx = side_1.idx),
    ct_subject, ct_agent, ct_technical FROM side_1;
INSERT INTO kept SELECT DISTINCT month, ret FROM side;
DROP TABLE side_1;
"""
}
# A whole batch is one statement: sqlite3 gives the interpreter's lock away at every step and must win it back from a
# busy event loop, so a row at a time would make a commit last as long as the loop has work. Each row of `intake` is
# one part of one entry; the trigger puts it where it belongs, and stops everything when the shard does not end there.
_COLUMNS = (
    "shard, idx, ts, kind, ref, lh, body, month, part, tag, agent_tag, org, activity, op, ret,"
    " ct_subject, ct_agent, ct_technical, wrapped_subject, wrapped_agent, wrapped_technical"
)
_WIDTH = _COLUMNS.count(",") + 1
_MOVED = "the shard does not end there"
_INTAKE = f"""
CREATE TEMP VIEW intake ({_COLUMNS}) AS SELECT {", ".join(["NULL"] * _WIDTH)};
CREATE TEMP TRIGGER take INSTEAD OF INSERT ON intake WHEN NEW.idx IS NOT NULL BEGIN
    SELECT RAISE(ABORT, '{_MOVED}')
        WHERE NEW.part = 0 AND NEW.idx <> (SELECT coalesce(max(idx) + 1, 0) FROM entry WHERE shard = NEW.shard);
    INSERT INTO entry (shard, idx, ts, kind, ref, lh, body)
        SELECT NEW.shard, NEW.idx, NEW.ts, NEW.kind, NEW.ref, NEW.lh, NEW.body WHERE NEW.part = 0;
    INSERT INTO side
        (month, shard, idx, part, tag, agent_tag, org, activity, op, ts, ret, ct_subject, ct_agent, ct_technical)
        VALUES (NEW.month, NEW.shard, NEW.idx, NEW.part, NEW.tag, NEW.agent_tag, NEW.org, NEW.activity, NEW.op, NEW.ts,
                NEW.ret, NEW.ct_subject, NEW.ct_agent, NEW.ct_technical);
    INSERT INTO dek (month, shard, idx, part, wrapped_subject, wrapped_agent, wrapped_technical)
        SELECT NEW.month, NEW.shard, NEW.idx, NEW.part, NEW.wrapped_subject, NEW.wrapped_agent, NEW.wrapped_technical
        WHERE coalesce(NEW.wrapped_subject, NEW.wrapped_agent, NEW.wrapped_technical) IS NOT NULL;
END;
"""
_AT_ONCE = 1024  # rows in one statement; SQLite takes 32 766 values
# Every number of rows is a statement of its own, which stays prepared and takes about 4 kB a row. So there are few of
# them, and a batch is filled up with rows of nothing, which the trigger passes over.
_SIZES = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, _AT_ONCE)
_HEAD = "SELECT coalesce(max(idx) + 1, 0) FROM entry WHERE shard = ?"


@lru_cache(maxsize=len(_SIZES))
def _insert(rows: int) -> str:
    row = f"({','.join('?' * _WIDTH)})"
    return f"INSERT INTO intake ({_COLUMNS}) VALUES {','.join([row] * rows)}"


@contextmanager
def naming_failures() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise StoreFailed(f"SQLite: {getattr(error, 'sqlite_errorname', type(error).__name__)}") from error


def create_private(path: Path) -> None:
    """Make an empty file that only its owner reads (0600), unless it is there.

    It MUST NOT be opened when it is there: POSIX drops all locks a process holds on a file when it closes any descriptor
    of it. SQLite elsewhere would then believe to be alone and unlink the write-ahead log under our connections.
    """
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))


def connect(path: str) -> sqlite3.Connection:
    connection = sqlite3.connect(
        path, timeout=5.0, isolation_level=None, check_same_thread=False, cached_statements=256
    )
    try:
        mode = become_wal(connection)
        connection.execute("PRAGMA synchronous=FULL")
        # Pages at the edge of a table change with every commit: they are copied into the file once, not four times.
        connection.execute("PRAGMA wal_autocheckpoint=4000")  # pages, 16 MB
        if mode != "wal":
            raise UnsafeStore(f"SQLite stays in journal mode {mode}; a ledger needs a file on a local disk")
    except BaseException:
        connection.close()
        raise
    return connection


def _busy(error: BaseException) -> bool:
    return isinstance(error, sqlite3.OperationalError) and error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY


# Two who open a new file at once would wait for one another: SQLite then says `busy` at once, whatever the time-out is.
@retry(retry=retry_if_exception(_busy), wait=wait_random(0.002, 0.05), stop=stop_after_delay(20), reraise=True)
def become_wal(connection: sqlite3.Connection) -> str:
    """Write-ahead logging; the journal mode that the file has then."""
    return str(connection.execute("PRAGMA journal_mode=WAL").fetchone()[0])


class SqliteWriter:
    """The one writer of a shard in a SQLite file. Implements audit.store.Writer."""

    def __init__(self, path: Path, shard: str, number: int, wait: float) -> None:
        self.shard = shard
        self._path = path
        self._number = number
        self._poisoned = False
        self._kept: set[tuple[int, str]] = set()  # (month, class) that are listed
        self._connection: sqlite3.Connection | None = None
        self._lease = take_lock(Path(f"{path}.{number}.lock"), wait)
        if self._lease is None:
            raise ShardTaken(f"shard {shard} has a living writer; one shard, one writer process")
        try:
            self.reopen()
        except BaseException:
            self.close()
            raise

    def append(self, batch: Sequence[Prepared], expect: int, beside: Sequence[Statement] = ()) -> None:
        """See audit.store.Writer.append."""
        connection = self._connection
        if connection is None:
            raise StoreFailed("SQLite: the writer is closed until it is reopened")
        try:
            for month, ret in {(item.month, item.ret) for item in batch} - self._kept:
                connection.execute("INSERT INTO kept (month, ret) VALUES (?, ?) ON CONFLICT DO NOTHING", (month, ret))
                self._kept.add((month, ret))
            self._store(connection, _values(self._number, batch, expect), beside)
        except sqlite3.Error as error:
            name = getattr(error, "sqlite_errorname", type(error).__name__)
            # After a failed fsync the kernel may drop the pages and call the next fsync a success: believe nothing.
            self._poisoned |= name.endswith("_FSYNC")
            head = expect if self._poisoned else self._stored_head(connection, expect)
            self._drop()
            if head != expect:
                raise HeadMoved(f"shard {self.shard} ends at {head}, its writer left it at {expect}") from error
            raise StoreFailed(f"SQLite: {name}") from error

    def _stored_head(self, connection: sqlite3.Connection, otherwise: int) -> int:
        """Where the shard really ends after a failure; rows of the transaction that failed do not count."""
        with suppress(sqlite3.Error):
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            return self._head(connection)
        return otherwise

    def _store(self, connection: sqlite3.Connection, values: list[Any], beside: Sequence[Statement]) -> None:
        """`values`: _WIDTH of them for each row."""
        most = _AT_ONCE * _WIDTH
        if len(values) <= most and not beside:
            connection.execute(*_filled_up(values))
            return
        connection.execute("BEGIN IMMEDIATE")
        for start in range(0, len(values), most):
            connection.execute(*_filled_up(values[start : start + most]))
        for sql, bound in joined(beside):
            connection.execute(sql, bound)
        connection.execute("COMMIT")

    def size(self) -> int:
        """See audit.store.Writer.size."""
        if self._connection is None:
            raise StoreFailed("SQLite: the writer is closed until it is reopened")
        with naming_failures():
            return self._head(self._connection)

    def reopen(self) -> int:
        """See audit.store.Writer.reopen. After a failed fsync it never succeeds: check the disk, then restart."""
        if self._poisoned:
            raise StoreFailed("SQLite: an fsync failed; check the disk and restart the process")
        self._drop()
        with naming_failures():
            self._kept = set()
            self._connection = connect(str(self._path))
            self._connection.executescript(_INTAKE)
        return self.size()

    def close(self) -> None:
        """See audit.store.Writer.close."""
        self._drop()
        if self._lease is not None:
            os.close(self._lease)
            self._lease = None

    def _head(self, connection: sqlite3.Connection) -> int:
        return int(connection.execute(_HEAD, (self._number,)).fetchone()[0])

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(sqlite3.Error):
                connection.close()  # rolls back what was not committed


def take_lock(path: Path, wait: float) -> int | None:
    """Descriptor of a locked file, which the kernel frees with the process; None when another process keeps it."""
    descriptor = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    deadline = time.monotonic() + wait
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                os.close(descriptor)
                return None
            time.sleep(0.05)
        else:
            return descriptor


def _filled_up(values: list[Any]) -> tuple[str, list[Any]]:
    """The statement for so many rows, or the next larger one, and its values."""
    rows = len(values) // _WIDTH
    size = _SIZES[bisect_left(_SIZES, rows)]
    return _insert(size), values + [None] * ((size - rows) * _WIDTH)


def _values(shard: int, batch: Sequence[Prepared], head: int) -> list[Any]:
    """One row after another, in the order of _COLUMNS."""
    values: list[Any] = []
    for index, item in enumerate(batch, head):
        kind, ts, month, ref, leaf, body, org, activity, op, agent_tag, ret, parts = item
        for part, tag, sealed, wrapped in parts:
            entry = (leaf, body) if part == 0 else (None, None)
            values += (shard, index, ts, kind, ref, *entry, month, part, tag, agent_tag, org, activity, op, ret)
            values += sealed
            values += wrapped
    return values
