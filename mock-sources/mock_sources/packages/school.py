"""The package of a school service: who asked first comes first, by the moment the form was sent, not by when it got here.

Two of one microsecond are told apart by the number of the form. One that comes late keeps the place its moment gives it.
"""

from __future__ import annotations

import asyncio
import re
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

_SCHEMA = """
CREATE TABLE IF NOT EXISTS enrolment (
  form TEXT PRIMARY KEY, school TEXT NOT NULL, child TEXT NOT NULL, submitted_at TEXT NOT NULL,
  UNIQUE (school, child));
"""
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")


class SchoolDesk:
    """The package's queues, a SQLite file at `path`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        with closing(self._open()) as database:
            database.executescript(_SCHEMA)

    async def enter(self, fetched: Mapping[str, Any]) -> dict[str, Any]:
        """{items: [event, …]} -> {new, known, doubles}; all of it or nothing. A double: the child is in that queue already.

        Raises KeyError or ValueError for nonsense.
        """
        return await asyncio.to_thread(self._enter, [_row(event) for event in fetched["items"]])

    async def queue(self, school: str) -> dict[str, Any]:
        """{queue: [{form, submittedAt}, …]} in the order in which places are given."""
        return await asyncio.to_thread(self._queue, school)

    def _enter(self, rows: list[tuple[str, str, str, str]]) -> dict[str, Any]:
        counts = {"new": 0, "known": 0, "doubles": 0}
        with closing(self._open()) as database, database:
            for row in rows:
                counts[_enter(database, row)] += 1
        return counts

    def _queue(self, school: str) -> dict[str, Any]:
        query = "SELECT form, submitted_at FROM enrolment WHERE school = ? ORDER BY submitted_at, form"
        with closing(self._open()) as database:
            found = database.execute(query, (school,)).fetchall()
        return {"queue": [{"form": form, "submittedAt": moment} for form, moment in found]}

    def _open(self) -> sqlite3.Connection:
        return sqlite3.connect(self._path, timeout=10)


def _row(event: Mapping[str, Any]) -> tuple[str, str, str, str]:
    data = event["data"]
    content, child = data["content"], str(data["ssin"])
    moment, form, school = str(content["submittedAt"]), str(content["form"]), str(content["school"])
    if not _MOMENT.fullmatch(moment):
        raise ValueError("submittedAt has no microseconds: nobody could say who was first")
    datetime.fromisoformat(moment)
    if not (form and school.isdigit() and len(child) == 11 and child.isdigit()):
        raise ValueError("a form, a school and a child")
    return form, school, child, moment


def _enter(database: sqlite3.Connection, row: tuple[str, str, str, str]) -> str:
    form, school, child, moment = row
    known = database.execute("SELECT school, child, submitted_at FROM enrolment WHERE form = ?", (form,)).fetchone()
    if known is not None:
        if known != (school, child, moment):
            raise ValueError("another enrolment bears that number")
        return "known"
    earlier = database.execute(
        "SELECT form, submitted_at FROM enrolment WHERE school = ? AND child = ?", (school, child)
    ).fetchone()
    if earlier is None:
        database.execute("INSERT INTO enrolment VALUES (?, ?, ?, ?)", row)
        return "new"
    if (moment, form) < (earlier[1], earlier[0]):  # the first form of a child counts
        database.execute("DELETE FROM enrolment WHERE form = ?", (earlier[0],))
        database.execute("INSERT INTO enrolment VALUES (?, ?, ?, ?)", row)
    return "doubles"
