"""The ledger in one SQLite file: WAL, synchronous=FULL, one BEGIN IMMEDIATE per batch. One machine, local disk only.

Durability: with synchronous=FULL every commit is fsynced; NORMAL would lose acknowledged entries on power loss.
Network filesystems break both the locks of SQLite and our lease: never put the file there.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Lock
from typing import Any

from audit.engine import Engine
from audit.errors import UnsafeStore
from audit.sqlite_writer import (
    MIGRATIONS,
    SCHEMA,
    VERSION,
    SqliteWriter,
    connect,
    create_private,
    naming_failures,
    take_lock,
)

# sqlite3 gives the interpreter's lock away at every row and must win it back from a busy event loop: whoever follows the
# ledger while it grows asks for many entries in one row. SQLite keeps the order of a subquery for group_concat.
_AT_ONCE = 256  # entries
_LEAVES = (
    "SELECT group_concat(hex(lh), '') FROM (SELECT lh FROM entry WHERE shard = ? AND idx >= ? AND idx < ? ORDER BY idx)"
)
_BODIES = (
    "SELECT group_concat(idx || ':' || hex(lh) || ':' || hex(body), ';') FROM"
    " (SELECT idx, lh, body FROM entry WHERE shard = ? AND idx >= ? AND idx < ? ORDER BY idx)"
)


class SqliteStore(Engine):
    """Shards in one file (0600, made when absent). Implements audit.store.Store."""

    _open_intents = (
        "SELECT ?, idx, ts, kind, ref, lh, body FROM entry i WHERE shard = ? AND idx >= ? AND kind = 'intent'"
        " AND idx NOT IN (SELECT ref FROM entry WHERE shard = ? AND idx >= ? AND ref IS NOT NULL) ORDER BY idx"
    )
    _remember_settled = "UPDATE shard SET settled = max(settled, ?) WHERE no = ?"

    def __init__(self, path: str | Path) -> None:
        if not str(path) or ":memory:" in str(path):
            raise UnsafeStore("a ledger in memory is lost with the process; name a file")
        self.path = Path(path)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        create_private(self.path)
        self._lock = Lock()
        with naming_failures():
            self._reader = connect(str(self.path))
            try:
                self._prepare()
            except BaseException:
                self._reader.close()
                raise

    def _prepare(self) -> None:
        """Make the tables, or bring those of an older schema to ours. The version is read again under the lock."""
        if self._version() != VERSION:
            self._reader.execute("BEGIN IMMEDIATE")
            found = self._version()
            if found > VERSION:
                raise UnsafeStore(f"the file has ledger schema {found}, this program writes {VERSION}; use a newer one")
            script = "".join(MIGRATIONS[old] for old in range(found, VERSION)) if found else SCHEMA
            for statement in script.split(";"):
                self._reader.execute(statement)
            self._reader.execute(f"PRAGMA user_version={VERSION}")
            self._reader.execute("COMMIT")
        self._reader.execute("PRAGMA query_only=ON")

    def _version(self) -> int:
        return int(self._reader.execute("PRAGMA user_version").fetchone()[0])

    def writer(self, shard: str, *, wait: float = 5.0) -> SqliteWriter:
        """See audit.store.Store.writer. The lease is a lock on a file beside the database, freed by the kernel."""
        self._change(("INSERT INTO shard (name) VALUES (?) ON CONFLICT DO NOTHING", (shard,)))
        return SqliteWriter(self.path, shard, self._number(shard), wait)

    @contextmanager
    def chore(self, name: str) -> Iterator[bool]:
        """See audit.store.Store.chore. A lock on a file beside the database, freed by the kernel."""
        lock = take_lock(Path(f"{self.path}.{name}.lock"), wait=0.0)
        try:
            yield lock is not None
        finally:
            if lock is not None:
                os.close(lock)

    def leaves(self, shard: str, start: int, stop: int) -> list[bytes]:
        """See audit.store.Store.leaves. One row for all of them: see _AT_ONCE."""
        found: list[bytes] = []
        for first in range(start, stop, _AT_ONCE):
            [(text,)] = self._rows(_LEAVES, self._number(shard), first, min(stop, first + _AT_ONCE))
            joined = bytes.fromhex(text or "")
            found += [joined[at : at + 32] for at in range(0, len(joined), 32)]
        return found

    def bodies(self, shard: str, start: int, stop: int) -> Iterator[tuple[int, bytes, bytes]]:
        """See audit.store.Store.bodies. One row for all of them: see _AT_ONCE."""
        for first in range(start, stop, _AT_ONCE):
            [(text,)] = self._rows(_BODIES, self._number(shard), first, min(stop, first + _AT_ONCE))
            for entry in text.split(";") if text else ():
                index, leaf, body = entry.split(":")
                yield int(index), bytes.fromhex(leaf), bytes.fromhex(body)

    def close(self) -> None:
        """See audit.store.Store.close."""
        with self._lock:
            self._reader.close()

    def _rows(self, query: str, *values: Any) -> list[Any]:
        with self._lock, naming_failures():
            return self._reader.execute(query, values).fetchall()

    def _stream(self, query: str, *values: Any) -> Iterator[tuple[Any, ...]]:
        with naming_failures(), closing(connect(str(self.path))) as connection:
            yield from connection.execute(query, values)

    def _change(self, *statements: tuple[str, Sequence[Any]]) -> list[int]:
        """What is deleted is overwritten with zeros, and leaves the write-ahead log as soon as no reader needs it."""
        with naming_failures(), closing(connect(str(self.path))) as connection:
            connection.execute("PRAGMA secure_delete=ON")
            connection.execute("BEGIN IMMEDIATE")
            touched = [connection.execute(query, values).rowcount for query, values in statements]
            connection.execute("COMMIT")
        return touched
