"""The regional register of candidate tenants: it holds pseudonyms, and takes nothing in which a national number stands.

One candidate is one pseudonym, whichever company reports it. A candidature that comes twice stands there once.
"""

from __future__ import annotations

import asyncio
import re
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

_PSEUDONYM = re.compile(r"ps_[A-Za-z0-9_=-]{20,60}")
_NUMBER = re.compile(r"(?<!\d)\d{11}(?!\d)")
_SCHEMA = """
CREATE TABLE IF NOT EXISTS candidature (
  candidature TEXT PRIMARY KEY, candidate TEXT NOT NULL, company TEXT NOT NULL, rooms INTEGER NOT NULL, since TEXT NOT NULL);
"""
_EACH_ONCE = """
SELECT count(*), coalesce(sum(rooms), 0) FROM (SELECT rooms, min(since) FROM candidature GROUP BY candidate)
"""


class Candidates:
    """A SQLite file at `path`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        with closing(self._open()) as database:
            database.executescript(_SCHEMA)

    async def enter(self, fetched: Mapping[str, Any]) -> dict[str, Any]:
        """{items: [event, …]} -> {new, known, again}; all of it or nothing. `known`: that candidate has another candidature.

        Raises KeyError or ValueError for what has no place here.
        """
        return await asyncio.to_thread(self._enter, [_row(event) for event in fetched["items"]])

    async def register(self, what: str) -> dict[str, Any]:
        """{candidates, candidatures, rooms}: how many, and the rooms they need, each candidate once, by the first candidature."""
        del what
        with closing(self._open()) as database:
            found = database.execute(_EACH_ONCE).fetchone()
            total = database.execute("SELECT count(*) FROM candidature").fetchone()[0]
        return {"candidates": found[0], "candidatures": total, "rooms": found[1]}

    def _enter(self, rows: list[tuple[str, str, str, int, str]]) -> dict[str, Any]:
        counts = {"new": 0, "known": 0, "again": 0}
        with closing(self._open()) as database, database:
            for row in rows:
                counts[_take(database, row)] += 1
        return counts

    def _open(self) -> sqlite3.Connection:
        return sqlite3.connect(self._path, timeout=10)


def _row(event: Mapping[str, Any]) -> tuple[str, str, str, int, str]:
    data = event["data"]
    candidate, content = str(data["ssin"]), data["content"]
    if not _PSEUDONYM.fullmatch(candidate) or _NUMBER.search(str(data)):
        raise ValueError("a candidate is a pseudonym here, and no national number stands beside it")
    rooms, since = int(content["rooms"]), date.fromisoformat(str(content["since"]))
    if not 1 <= rooms <= 9:
        raise ValueError("one to nine bedrooms")
    return str(event["id"]), candidate, str(data["sender"]), rooms, since.isoformat()


def _take(database: sqlite3.Connection, row: tuple[str, str, str, int, str]) -> str:
    if database.execute("SELECT 1 FROM candidature WHERE candidature = ?", (row[0],)).fetchone():
        return "again"
    known = database.execute("SELECT 1 FROM candidature WHERE candidate = ?", (row[1],)).fetchone()
    database.execute("INSERT INTO candidature VALUES (?, ?, ?, ?, ?)", row)
    return "known" if known else "new"
