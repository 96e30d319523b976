"""The look-up on the hot path: one statement, one index, no ORM, over connections of its own.

SQLite is read in the caller's thread, PostgreSQL waited for on the event loop: both are less than a thread would cost.
Whatever fails is `DirectoryUnavailable`, never an empty answer.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from collections.abc import Sequence
from datetime import date
from typing import Any, Protocol

import psycopg
from psycopg.pq import ExecStatus, Format
from psycopg.pq.abc import PGconn

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
_PLACES = {
    "tag": "$1::bytea",
    "day": "$2::text",
    "organisation": "$3::text",
    "purpose": "$4::text",
}  # as libpq counts them
_SECONDS = 2  # a look-up that takes longer is not waited for, the wait for its turn included
_PAUSE = 1.0  # seconds in which a database that did not answer is not asked again

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
    """PostgreSQL, waited for on the event loop: one connection, two prepared statements, run by libpq itself.

    A thread or a cursor would cost more than the look-up. A connection that broke is replaced once; then, or when it takes
    too long, the directory is unavailable. From then on one look-up at a time finds out whether it is back, and all others
    fail at once: exchanges that need it are refused in milliseconds, not after a queue.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._turn = asyncio.Lock()
        self._connection: psycopg.Connection[Any] | None = None
        self._again: float | None = None  # of a database that did not answer: when it may be asked again (monotonic)

    async def qualities(self, tag: bytes, organisation: str, purpose: str, day: date) -> Rows:
        return await self._ask(b"qualities", [tag, day.isoformat().encode(), organisation.encode(), purpose.encode()])

    async def recipients(self, tag: bytes, day: date) -> Rows:
        return await self._ask(b"recipients", [tag, day.isoformat().encode()])

    async def _ask(self, statement: bytes, values: list[bytes]) -> Rows:
        self._fail_fast(asked=self._turn.locked())
        held = False
        try:
            async with asyncio.timeout(_SECONDS), self._turn:
                self._fail_fast(asked=False)
                held = True
                rows = await self._once_more(statement, values)
                self._again = None
                return rows
        except (psycopg.Error, OSError, TimeoutError) as error:
            if held:
                self._again = time.monotonic() + _PAUSE
            raise DirectoryUnavailable(type(error).__name__) from error

    def _fail_fast(self, *, asked: bool) -> None:
        """`asked`: somebody finds out at this moment. Raises `DirectoryUnavailable` where waiting would be for nothing."""
        if self._again is not None and (asked or time.monotonic() < self._again):
            raise DirectoryUnavailable("NotAsked")

    async def _once_more(self, statement: bytes, values: list[bytes]) -> Rows:
        """Over the connection that there is, and over a new one when that broke."""
        for attempt in (1, 2):
            try:
                known = self._connection or await self._connect()
                return await _run(known.pgconn, statement, values)
            except (psycopg.Error, OSError):
                self.close()
                if attempt == 2:
                    raise
            except BaseException:
                self.close()  # whoever asked went away in the middle: what comes now is nobody's answer
                raise
        raise AssertionError

    async def _connect(self) -> psycopg.Connection[Any]:
        known = await asyncio.to_thread(self._open)
        for name, statement in ((b"qualities", _QUALITIES), (b"recipients", _RECIPIENTS)):
            known.pgconn.prepare(name, statement.format(**_PLACES).encode())
        known.pgconn.nonblocking = 1
        self._connection = known
        return known

    def _open(self) -> psycopg.Connection[Any]:
        return psycopg.connect(self._url, autocommit=True, connect_timeout=_SECONDS)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


async def _run(connection: PGconn, statement: bytes, values: list[bytes]) -> Rows:
    """One prepared statement. Raises `psycopg.Error`."""
    connection.send_query_prepared(statement, values, [Format.BINARY] + [Format.TEXT] * (len(values) - 1))
    if connection.flush():  # a hundred bytes that do not fit in a socket's buffer: nobody reads at the other end
        raise psycopg.OperationalError("the look-up could not be sent")
    loop = asyncio.get_running_loop()
    while connection.is_busy():
        readable: asyncio.Future[None] = loop.create_future()
        loop.add_reader(connection.socket, _wake, readable)
        try:
            await readable
        finally:
            loop.remove_reader(connection.socket)
        connection.consume_input()
    rows: list[list[str]] = []
    failed = False
    while (result := connection.get_result()) is not None:
        failed |= result.status != ExecStatus.TUPLES_OK
        rows += [
            [(result.get_value(row, column) or b"").decode() for column in range(result.nfields)]
            for row in range(result.ntuples)
        ]
    if failed:  # its words may quote what was asked, so they stop here
        raise psycopg.OperationalError("the look-up failed")
    return rows


def _wake(waiting: asyncio.Future[None]) -> None:
    if not waiting.done():
        waiting.set_result(None)
