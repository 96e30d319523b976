"""The permit register of a parking agency, of another age: it takes no call, it reads files that lie in import/ behind SFTP.

D  notice (32)  holder (11)  in life (1: J yes, N no)      cp1252, CR LF, 45 signs; T and the number of rows end it

A holder who is not in life has no permit any more: it is withdrawn, and stays so. One who is in life after all, because the act
named somebody else, has back what was withdrawn for that reason, and nothing else. A notice that was read is not read again; a file
that is not whole is put aside as a whole.
"""

from __future__ import annotations

import asyncio
import re
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from mock_sources.packages.acts import valid

LENGTH = 45
_ROW = re.compile(r"D([0-9a-f]{32})(\d{11})([JN])")
_SCHEMA = """
CREATE TABLE IF NOT EXISTS permit (plate TEXT PRIMARY KEY, holder TEXT NOT NULL, status TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS notice (notice TEXT PRIMARY KEY, holder TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS file (name TEXT PRIMARY KEY, state TEXT NOT NULL);
"""
_TURN = "UPDATE permit SET status = ? WHERE holder = ? AND status = ?"
_NOTICES = "SELECT count(*) FROM notice JOIN permit USING (holder) WHERE plate = ?"
_ACTIVE, _DIED = "active", "withdrawn: the holder died"


class Permits:
    """A SQLite file at `path`, and the folder whose files it reads."""

    def __init__(self, path: Path, inbox: Path) -> None:
        self._path, self._inbox = path, inbox
        path.parent.mkdir(parents=True, exist_ok=True)
        inbox.mkdir(parents=True, exist_ok=True)
        with closing(self._open()) as database:
            database.executescript(_SCHEMA)

    async def grant(self, said: Mapping[str, Any]) -> dict[str, Any]:
        """{plate, ssin, suspended?} -> {plate}. Raises KeyError or ValueError."""
        row = (str(said["plate"]), valid(str(said["ssin"])), "suspended" if said.get("suspended") else _ACTIVE)
        if not re.fullmatch(r"[A-Z0-9]{1,8}", row[0]):
            raise ValueError("a plate has at most eight letters and digits")
        with closing(self._open()) as database, database:
            database.execute(
                "INSERT INTO permit VALUES (?, ?, ?) ON CONFLICT (plate) DO UPDATE SET holder = ?2, status = ?3", row
            )
        return {"plate": row[0]}

    async def permit(self, plate: str) -> dict[str, Any]:
        """{status, notices, filesAside}: of one plate, its holder and the folder, after what lies there was read."""
        return await asyncio.to_thread(self._permit, plate)

    def _permit(self, plate: str) -> dict[str, Any]:
        self._read()
        with closing(self._open()) as database:
            found = database.execute("SELECT status FROM permit WHERE plate = ?", (plate,)).fetchone()
            told = database.execute(_NOTICES, (plate,)).fetchone()[0]
            aside = database.execute("SELECT count(*) FROM file WHERE state <> 'read'").fetchone()[0]
        return {"status": found[0] if found else None, "notices": told, "filesAside": aside}

    def _read(self) -> None:
        with closing(self._open()) as database:
            for path in sorted(self._inbox.glob("parking_deaths-*.txt")):
                with database:
                    database.execute("BEGIN IMMEDIATE")
                    if database.execute("SELECT 1 FROM file WHERE name = ?", (path.name,)).fetchone():
                        continue
                    state = "read"
                    try:
                        rows = parse(path.read_bytes())
                    except ValueError as error:
                        rows, state = [], str(error)
                    for row in rows:
                        _take(database, *row)
                    database.execute("INSERT INTO file VALUES (?, ?)", (path.name, state))

    def _open(self) -> sqlite3.Connection:
        return sqlite3.connect(self._path, timeout=10)


def parse(content: bytes) -> list[tuple[str, str, bool]]:
    """(notice, holder, in life) of each row. Raises ValueError for a file that is not whole."""
    lines = content.decode("cp1252").split("\r\n")
    if lines[-1] or any(len(line) != LENGTH for line in lines[:-1]):
        raise ValueError("lines of 45 signs")
    *rows, ending = lines[:-1] or [""]
    if not ending.startswith("T") or ending[1:7].strip() != str(len(rows)):
        raise ValueError("the last line tells the number of rows")
    found = []
    for row in rows:
        match = _ROW.fullmatch(row)
        if match is None:
            raise ValueError("no row of this register")
        found.append((match[1], valid(match[2]), match[3] == "J"))
    return found


def _take(database: sqlite3.Connection, notice: str, holder: str, in_life: bool) -> None:
    if database.execute("SELECT 1 FROM notice WHERE notice = ?", (notice,)).fetchone():
        return
    turn = (_ACTIVE, holder, _DIED) if in_life else (_DIED, holder, _ACTIVE)
    database.execute(_TURN, turn)
    database.execute("INSERT INTO notice VALUES (?, ?)", (notice, holder))
