"""A population package whose manager opened two views: every change of address that a clerk entered, with the moment of it,
and every address that somebody declared and that is still to be looked into."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mock_sources.clock import Clock

_SCHEMA = """
PRAGMA journal_mode=WAL;
CREATE TABLE IF NOT EXISTS address_change (
  change_id INTEGER PRIMARY KEY AUTOINCREMENT, changed_at TEXT NOT NULL, nrn TEXT NOT NULL, dossier TEXT,
  moved_on TEXT NOT NULL, street TEXT, clerk TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS address_declaration (
  declaration_id INTEGER PRIMARY KEY AUTOINCREMENT, entered_at TEXT NOT NULL, nrn TEXT NOT NULL, dossier TEXT NOT NULL,
  declared_on TEXT NOT NULL, street TEXT NOT NULL, house_number TEXT NOT NULL, post_code TEXT NOT NULL, remark TEXT);
CREATE VIEW IF NOT EXISTS v_declarations AS
  SELECT declaration_id, entered_at, nrn, dossier, declared_on, street, house_number, post_code, remark FROM address_declaration;
CREATE VIEW IF NOT EXISTS v_address_changes AS
  SELECT change_id, changed_at, nrn, dossier, moved_on, street, clerk FROM address_change;
"""
_ENTER = "INSERT INTO address_change (changed_at, nrn, dossier, moved_on, street, clerk) VALUES (?, ?, ?, ?, ?, ?)"

_DECLARE = (
    "INSERT INTO address_declaration (entered_at, nrn, dossier, declared_on, street, house_number, post_code, remark)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)


class Population:
    """The package's database, a SQLite file at `path`."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self.path, self._clock = path, clock
        path.parent.mkdir(parents=True, exist_ok=True)
        with self._open() as database:
            database.executescript(_SCHEMA)
        database.close()

    async def enter(self, change: Mapping[str, Any]) -> dict[str, Any]:
        """{ssin, movedOn, street?, dossier?, clerk?} -> {change}. Raises KeyError for what is missing."""
        return {"change": await asyncio.to_thread(self._enter, change)}

    async def declare(self, said: Mapping[str, Any]) -> dict[str, Any]:
        """{ssin, dossier, declaredOn, street, number, postCode, remark?} -> {declaration}. Raises KeyError."""
        row = (
            self._now(), str(said["ssin"]), str(said["dossier"]), str(said["declaredOn"]), str(said["street"]),
            str(said["number"]), str(said["postCode"]), said.get("remark"),
        )  # fmt: skip
        return {"declaration": await asyncio.to_thread(self._insert, _DECLARE, row)}

    def _enter(self, change: Mapping[str, Any]) -> int:
        row = (
            self._now(), str(change["ssin"]), change.get("dossier"),
            str(change["movedOn"]), change.get("street"), str(change.get("clerk", "ann")),
        )  # fmt: skip
        return self._insert(_ENTER, row)

    def _now(self) -> str:
        return self._clock().strftime("%Y-%m-%d %H:%M:%S")

    def _insert(self, statement: str, row: tuple[Any, ...]) -> int:
        with self._open() as database:
            number = database.execute(statement, row).lastrowid
        database.close()
        return number or 0

    def _open(self) -> sqlite3.Connection:
        return sqlite3.connect(self.path, timeout=10)
