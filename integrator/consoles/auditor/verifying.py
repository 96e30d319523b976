"""Verifications as auditors start and read them: one at a time, its progress, and every verdict kept."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, Column, Connection, String, Table, Text, insert, select, update

from integrator.consoles.auditor.process import Found, Told, VerificationBroken
from integrator.consoles.database import Database, metadata
from integrator.ids import new_id
from integrator.logs import log

_SHOWN = 20

run_table = Table(
    "console_verification",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("began", BigInteger, nullable=False, index=True),  # epoch seconds
    Column("ended", BigInteger),
    Column("by_name", Text, nullable=False),
    Column("reach", String(8), nullable=False),  # all | new
    Column("state", String(8), nullable=False),  # running | good | wrong | broken
    Column("entries", BigInteger, nullable=False, default=0),
    Column("verdicts", Text),  # JSON; places and hashes, nobody's data
    Column("marks", Text),  # JSON: where the next one may go on
)


@dataclass(frozen=True, slots=True)
class Run:
    """One verification."""

    id: str
    began: int
    ended: int | None
    by: str
    reach: str
    state: str
    entries: int
    verdicts: tuple[Mapping[str, Any], ...]


Work = Callable[[Mapping[str, Any], Told], Found]  # (marks to go on from, told) -> verdicts, marks; blocks


class Verifying:
    """Runs of one hub. `work` verifies (process.Apart, of the hub's own settings), `stop` cuts it off. `now()` in epoch seconds."""

    def __init__(
        self, database: Database, work: Work, now: Callable[[], float], stop: Callable[[], None] = lambda: None
    ) -> None:
        self._database, self._work, self._now, self._stop = database, work, now, stop
        self._running: asyncio.Task[None] | None = None
        self._id = ""
        self._progress = (0, 0)

    async def start(self, by: str, reach: str) -> str:
        """Begin one, unless one is running; the number of the one that runs. `reach`: all, or new since the last good one."""
        if self._running is not None and not self._running.done():
            return self._id
        self._id, self._progress = new_id(8), (0, 0)
        row = {"id": self._id, "began": int(self._now()), "by_name": by, "reach": reach, "state": "running", "entries": 0}  # fmt: skip
        self._running = asyncio.create_task(self._run(self._id, row))
        return self._id

    def progress(self, id_: str) -> tuple[int, int] | None:
        """Entries done and in all of the one that runs in this process; None for any other."""
        running = id_ == self._id and self._running is not None and not self._running.done()
        return self._progress if running else None

    async def run(self, id_: str) -> Run | None:
        rows = await self._rows(select(run_table).where(run_table.c.id == id_))
        return rows[0] if rows else None

    async def newest(self) -> list[Run]:
        """The last ones, newest first."""
        return await self._rows(select(run_table).order_by(run_table.c.began.desc()).limit(_SHOWN))

    async def close(self) -> None:
        """Cut off the one that runs: the hub ends and does not wait for it."""
        self._stop()
        await self.wait()

    async def wait(self) -> None:
        """Until the one that runs is over."""
        if self._running is not None:
            await self._running

    async def _run(self, id_: str, row: dict[str, Any]) -> None:
        await self._database.run(lambda connection: connection.execute(insert(run_table).values(row)))
        since = await self._marks() if row["reach"] == "new" else {}
        values: dict[str, Any]
        try:
            verdicts, marks = await asyncio.to_thread(self._work, since, self._told)
            wrong = any(one["findings"] for one in verdicts)
            values = {"state": "wrong" if wrong else "good", "verdicts": json.dumps(verdicts)}
            values |= {"marks": json.dumps(marks)} if not wrong else {}
        except VerificationBroken as error:
            log.warning("verification_broken", error=str(error))
            values = {"state": "broken"}
        values |= {"ended": int(self._now()), "entries": self._progress[1]}
        change = update(run_table).where(run_table.c.id == id_).values(values)
        await self._database.run(lambda connection: connection.execute(change))

    def _told(self, done: int, total: int) -> None:
        self._progress = (done, total)

    async def _marks(self) -> Mapping[str, Any]:
        query = select(run_table.c.marks).where(run_table.c.state == "good").order_by(run_table.c.began.desc()).limit(1)
        found = await self._database.run(lambda connection: connection.execute(query).scalar_one_or_none())
        return dict(json.loads(found)) if found else {}

    async def _rows(self, query: Any) -> list[Run]:
        def read(connection: Connection) -> list[Any]:
            return list(connection.execute(query))

        return [
            Run(row.id, row.began, row.ended, row.by_name, row.reach, row.state, row.entries, tuple(json.loads(row.verdicts or "[]")))
            for row in await self._database.run(read)
        ]  # fmt: skip
