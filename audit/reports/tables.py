"""The reports' own door to the database: read the ledger's tables, keep a few tables of their own beside them.

SQL here is the part that both engines speak, with `?` for values. The reports' tables hold nothing that cannot be
counted again from the ledger: on SQLite they are a file of their own (`<ledger>.reports`), so that counting never
holds the one write lock of the ledger; on PostgreSQL they stand in the same schema.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, LifoQueue
from threading import Lock
from typing import Any, Protocol

import psycopg
from psycopg.types.numeric import Int8

from audit import postgres_writer, sqlite_writer
from audit.errors import StoreFailed
from audit.postgres import PostgresStore
from audit.sqlite import SqliteStore
from audit.store import Store

Rows = list[tuple[Any, ...]]
Write = tuple[str, Sequence[Sequence[Any]]]  # a statement, and the values of each of its executions
Fence = tuple[str, Sequence[Any]]
Question = tuple[str, Sequence[Any]]


class Tables(Protocol):
    """Reading from any thread; writing is one transaction, all or nothing. Raises StoreFailed when the engine is down."""

    def rows(self, query: str, *values: Any) -> Rows:
        """Every row of a query."""
        ...

    def write(self, writes: Iterable[Write], fence: Fence | None = None) -> bool:
        """Do the writes in one transaction; with a fence only if that, done first, changes a row: else nothing, False."""
        ...

    def close(self) -> None:
        """Close what is open."""
        ...


def open_tables(store: Store, schema: Sequence[str], often: Sequence[Question] = ()) -> Tables:
    """Open the tables beside a store, made from `schema` when absent. Raises StoreFailed, TypeError for another engine.

    `often`: what will be asked often; asked once now, where that makes it ready.
    """
    if isinstance(store, SqliteStore):
        return _Sqlite(store.path, schema)
    if isinstance(store, PostgresStore):
        return _Postgres(store.url, schema, often)
    raise TypeError(f"reports know SQLite and PostgreSQL, not {type(store).__name__}")


class _Sqlite:
    def __init__(self, path: Path, schema: Sequence[str]) -> None:
        self._path = path
        self._beside = Path(f"{path}.reports")
        self._idle: LifoQueue[sqlite3.Connection] = LifoQueue()
        self._lock = Lock()
        sqlite_writer.create_private(self._beside)
        with sqlite_writer.naming_failures():
            self._writer = sqlite_writer.connect(str(self._beside))
            # What is lost in a power cut is counted again: the cursor goes back with the counts.
            self._writer.execute("PRAGMA synchronous=NORMAL")
            for statement in schema:
                self._writer.execute(statement)

    def rows(self, query: str, *values: Any) -> Rows:
        """See Tables.rows."""
        with self._reader() as connection, sqlite_writer.naming_failures():
            return connection.execute(query, values).fetchall()

    def write(self, writes: Iterable[Write], fence: Fence | None = None) -> bool:
        """See Tables.write."""
        with self._lock, sqlite_writer.naming_failures():
            connection = self._writer
            connection.execute("BEGIN IMMEDIATE")
            try:
                held = fence is None or connection.execute(*fence).rowcount == 1
                for statement, values in writes if held else ():
                    connection.executemany(statement, values)
                connection.execute("COMMIT" if held else "ROLLBACK")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
        return held

    def close(self) -> None:
        """See Tables.close."""
        with self._lock:
            self._writer.close()
        while True:
            try:
                self._idle.get_nowait().close()
            except Empty:
                return

    @contextmanager
    def _reader(self) -> Iterator[sqlite3.Connection]:
        """A connection for this question alone: a long report keeps nobody waiting."""
        try:
            connection = self._idle.get_nowait()
        except Empty:
            with sqlite_writer.naming_failures():
                connection = sqlite_writer.connect(str(self._path))
                connection.execute("ATTACH ? AS reports", (str(self._beside),))
                connection.execute("PRAGMA query_only=ON")
        try:
            yield connection
        except BaseException:
            connection.close()
            raise
        self._idle.put(connection)


class _Postgres:
    def __init__(self, url: str, schema: Sequence[str], often: Sequence[Question]) -> None:
        self._url = url
        self._idle: LifoQueue[psycopg.Connection[Any]] = LifoQueue()
        with self._connection() as connection, postgres_writer.naming_failures(), connection.transaction():
            connection.execute("SELECT pg_advisory_xact_lock(7310466283012)")  # made by one at a time
            for statement in schema:
                # SQLite takes an integer of any size; here a count, a time or an index needs eight bytes.
                connection.execute(_words(statement.replace("INTEGER", "BIGINT").replace("WITHOUT ROWID", "")))
        for query, values in often:
            self.rows(query, *values)

    def rows(self, query: str, *values: Any) -> Rows:
        """See Tables.rows."""
        with self._connection() as connection, postgres_writer.naming_failures():
            return connection.execute(_words(query), _typed(values), prepare=True).fetchall()

    def write(self, writes: Iterable[Write], fence: Fence | None = None) -> bool:
        """See Tables.write."""
        with self._connection() as connection, postgres_writer.naming_failures(), connection.transaction() as whole:
            cursor = connection.cursor()
            held = fence is None or cursor.execute(_words(fence[0]), fence[1]).rowcount == 1
            if not held:
                raise psycopg.Rollback(whole)
            for statement, values in writes:
                cursor.executemany(_words(statement), values)
        return held

    def close(self) -> None:
        """See Tables.close."""
        while True:
            try:
                self._idle.get_nowait().close()
            except Empty:
                return

    @contextmanager
    def _connection(self) -> Iterator[psycopg.Connection[Any]]:
        connection: psycopg.Connection[Any] | None
        try:
            connection = self._idle.get_nowait()
        except Empty:
            connection = None
        if connection is None or connection.closed:
            connection = postgres_writer.connect(self._url)
            with postgres_writer.naming_failures():
                connection.execute(_SESSION)
        try:
            yield connection
        except StoreFailed:
            connection.close()  # a server that was restarted: the next question connects anew
            raise
        except BaseException:
            connection.close()
            raise
        self._idle.put(connection)


# Ten years are 120 partitions, and planning over them takes longer than the answer: a plan is made once and kept, with
# the year chosen when it runs. It must not depend on how busy a person is: rows come in the order of an index, no more of
# them than the page needs.
_SESSION = """
SET plan_cache_mode = force_generic_plan; SET enable_sort = off; SET enable_bitmapscan = off; SET enable_hashjoin = off;
SET enable_mergejoin = off; SET jit = off
"""


def _typed(values: Sequence[Any]) -> list[Any]:
    """A small number and a large one are of one type: else each would have a plan of its own."""
    return [Int8(value) if type(value) is int else value for value in values]


def _words(query: str) -> Any:
    return query.replace("?", "%s")
