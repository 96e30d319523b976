"""The look-up on the hot path: one statement, one index, no ORM, over connections of its own.

SQLite is read in the caller's thread: twenty microseconds are less than a thread costs. PostgreSQL is asked from a few
threads of ours, each with one prepared statement. Whatever fails is `DirectoryUnavailable`, never an empty answer.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any, Protocol

import psycopg

from integrator.directory.terms import DirectoryUnavailable

_HEAD = "coalesce((SELECT head FROM directory_number WHERE tag = {tag}), {tag})"
_OF = " FROM directory_registration WHERE superseded_at IS NULL AND tag = " + _HEAD
_QUALITIES = (
    "SELECT quality"
    + _OF
    + " AND organisation = {organisation} AND purpose = {purpose} AND starts <= {day} AND ends >= {day}"
)
_RECIPIENTS = "SELECT organisation, purpose, quality" + _OF + " AND starts <= {day} AND ends >= {day}"
_NAMES = ("tag", "organisation", "purpose", "day")
_THREADS = 4
_SECONDS = 2  # a look-up that takes longer is not waited for

Rows = Sequence[Sequence[Any]]


class Looking(Protocol):
    """Where look-ups go."""

    async def qualities(self, tag: bytes, organisation: str, purpose: str, day: date) -> Rows: ...
    async def recipients(self, tag: bytes, day: date) -> Rows: ...
    def close(self) -> None: ...


def open_looking(url: str) -> Looking:
    """For a database that exists and has its tables."""
    if url.startswith("sqlite:///"):
        return InThread(url.removeprefix("sqlite:///"))
    return InPostgres(url.replace("postgresql+psycopg:", "postgresql:", 1))


class InThread:
    """SQLite, read where the question is asked. WAL: a reader waits for nobody."""

    def __init__(self, path: str) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=_SECONDS)
        self._connection.execute("PRAGMA query_only=ON")
        self._lock = threading.Lock()
        named = {name: f":{name}" for name in _NAMES}
        self._qualities, self._recipients = _QUALITIES.format(**named), _RECIPIENTS.format(**named)

    async def qualities(self, tag: bytes, organisation: str, purpose: str, day: date) -> Rows:
        return self._ask(
            self._qualities, {"tag": tag, "organisation": organisation, "purpose": purpose, "day": day.isoformat()}
        )

    async def recipients(self, tag: bytes, day: date) -> Rows:
        return self._ask(self._recipients, {"tag": tag, "day": day.isoformat()})

    def _ask(self, statement: str, values: dict[str, Any]) -> Rows:
        try:
            with self._lock:
                return self._connection.execute(statement, values).fetchall()
        except sqlite3.Error as error:
            raise DirectoryUnavailable(type(error).__name__) from error

    def close(self) -> None:
        with self._lock:
            self._connection.close()


class InPostgres:
    """PostgreSQL, asked from threads of ours; a connection that broke is replaced once, then it is unavailable."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._pool = ThreadPoolExecutor(_THREADS, "directory")
        self._mine = threading.local()
        self._all: list[psycopg.Connection[Any]] = []
        named = {name: f"%({name})s" for name in _NAMES}
        self._qualities, self._recipients = _QUALITIES.format(**named), _RECIPIENTS.format(**named)

    async def qualities(self, tag: bytes, organisation: str, purpose: str, day: date) -> Rows:
        values = {"tag": tag, "organisation": organisation, "purpose": purpose, "day": day.isoformat()}
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._ask, self._qualities, values)

    async def recipients(self, tag: bytes, day: date) -> Rows:
        values = {"tag": tag, "day": day.isoformat()}
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._ask, self._recipients, values)

    def _ask(self, statement: str, values: dict[str, Any]) -> Rows:
        for attempt in (1, 2):
            try:
                return self._connection().execute(statement, values, prepare=True).fetchall()
            except psycopg.Error as error:
                self._drop()
                if attempt == 2 or not isinstance(error, psycopg.OperationalError):
                    raise DirectoryUnavailable(type(error).__name__) from error
        raise AssertionError

    def _connection(self) -> psycopg.Connection[Any]:
        known: psycopg.Connection[Any] | None = getattr(self._mine, "connection", None)
        if known is None:
            known = psycopg.connect(self._url, autocommit=True, connect_timeout=_SECONDS)
            known.execute(f"SET statement_timeout = {_SECONDS * 1000}")
            self._mine.connection = known
            self._all.append(known)
        return known

    def _drop(self) -> None:
        known = getattr(self._mine, "connection", None)
        if known is not None:
            self._mine.connection = None
            self._all.remove(known)
            known.close()

    def close(self) -> None:
        self._pool.shutdown()
        for one in self._all:
            one.close()
