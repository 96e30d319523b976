"""What a witness remembers, durably: per log the largest checkpoint it ever cosigned.

One SQLite file, WAL with synchronous=FULL: what `settle` returned from survives a power cut. Looking and writing are one
`BEGIN IMMEDIATE` transaction, so no two requests, threads or processes can both believe the same old size.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from audit.sqlite_writer import become_wal

_SCHEMA = """
CREATE TABLE IF NOT EXISTS log (
    origin TEXT PRIMARY KEY,
    size   INTEGER NOT NULL CHECK (size >= 0),
    root   BLOB NOT NULL CHECK (length(root) = 32),
    note   BLOB NOT NULL  -- the checkpoint as cosigned: the log's signature that was verified, and ours
) STRICT;
CREATE TRIGGER IF NOT EXISTS only_grows BEFORE UPDATE ON log
WHEN NEW.size < OLD.size OR (NEW.size = OLD.size AND NEW.root <> OLD.root)
BEGIN SELECT RAISE(ABORT, 'a witness never goes back and never signs a second root'); END;
CREATE TRIGGER IF NOT EXISTS never_forgets BEFORE DELETE ON log
BEGIN SELECT RAISE(ABORT, 'a witness never forgets a log'); END;
"""
_BUSY = 10.0  # seconds to wait for another process of this witness


@dataclass(frozen=True, slots=True)
class Seen:
    """The largest checkpoint cosigned of one log; size 0 and no note when none was."""

    size: int
    root: bytes
    note: bytes = b""


class Memory:
    """Safe for threads (one lock) and processes (SQLite's)."""

    def __init__(self, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._lock = threading.Lock()
        self._db = sqlite3.connect(file, timeout=_BUSY, isolation_level=None, check_same_thread=False)
        become_wal(self._db)
        self._db.execute("PRAGMA synchronous=FULL")
        self._db.executescript(_SCHEMA)

    def last(self, origin: str) -> Seen | None:
        """What was cosigned last, or None."""
        with self._lock:
            return self._read(origin)

    def settle(self, origin: str, decide: Callable[[Seen | None], Seen]) -> Seen:
        """Replace what is remembered by what `decide` makes of it; durable when this returns.

        `decide` sees the present state inside the transaction. When it raises, nothing changes and its error passes on.
        """
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                new = decide(self._read(origin))
                self._db.execute(
                    "INSERT INTO log VALUES (?, ?, ?, ?) ON CONFLICT (origin) DO UPDATE"
                    " SET size = excluded.size, root = excluded.root, note = excluded.note",
                    (origin, new.size, new.root, new.note),
                )
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise
            return new

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._db.close()

    def _read(self, origin: str) -> Seen | None:
        row = self._db.execute("SELECT size, root, note FROM log WHERE origin = ?", (origin,)).fetchone()
        return None if row is None else Seen(*row)
