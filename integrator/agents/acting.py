"""What happened to agents reaches the ledger, and sessions of the consoles end: from the rows that the change itself left.

A process claims rows, writes them, and takes them away when their entries are durable; the others leave claimed rows alone.
One that dies in between leaves them to the next one when the claim is over: an entry may then stand there twice, with the
same trace id, never not at all.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from sqlalchemy import Connection, delete, func, select, update
from sqlalchemy.exc import SQLAlchemyError

from audit import Draft, LedgerError
from audit.log.years import Shelf
from integrator import clock
from integrator.agents.tables import act_table, console_table
from integrator.database import Database
from integrator.errors import LedgerUnwritable
from integrator.logs import log
from integrator.policy import Purpose

_AT_ONCE = 200
_EVERY = 1.0  # seconds between two looks for what the command line or a dead process left
CLAIM = 30.0  # seconds that claimed rows are left to whoever claimed them
PATIENCE = 10.0  # seconds that somebody waits for what another process is writing
_AGAIN = 0.05
_T = act_table.c

EndSessions = Callable[[str], Awaitable[object]]  # of one person, as the consoles know him


class Acts:
    """`record()` after every change; `keep_recording()` beside, as long as the hub runs."""

    def __init__(self, database: Database, shelf: Shelf, purpose: Purpose, now: clock.Now) -> None:
        self._database, self._shelf, self._purpose, self._now = database, shelf, purpose, now
        self._one = asyncio.Lock()
        self.end_sessions: EndSessions | None = None  # set by whoever has consoles

    async def record(self) -> None:
        """Everything that waits now, whoever writes it. Raises `LedgerUnwritable`: it still waits, and what it tells already holds."""
        async with self._one:
            last, waited = await self._database.run(_newest), 0.0
            while last is not None:
                rows, left = await self._database.run(partial(_claimed, last, self._now()))
                if rows:
                    await self._write(rows)
                elif not left:
                    return
                elif waited >= PATIENCE:
                    raise LedgerUnwritable("another process of this hub is writing it, and has not ended yet")
                else:
                    await asyncio.sleep(_AGAIN)
                    waited += _AGAIN

    async def keep_recording(self) -> None:
        """For ever, until cancelled."""
        while True:
            try:
                await self.record()
            except (LedgerUnwritable, SQLAlchemyError) as error:
                log.warning("agents_not_recorded", error=type(error).__name__)
            await asyncio.sleep(_EVERY)

    async def _write(self, rows: Sequence[Any]) -> None:
        mine = _T.id.in_([row.id for row in rows])
        try:
            await self._end_sessions([row for row in rows if row.what == "left"])
            await self._append([_draft(row, self._purpose) for row in rows])
        except BaseException:
            with suppress(SQLAlchemyError):  # the claim ends by itself
                await self._database.run(partial(_execute, update(act_table).where(mine).values(claimed=None)))
            raise
        await self._database.run(partial(_execute, delete(act_table).where(mine)))

    async def _append(self, drafts: list[Draft]) -> None:
        book = await self._shelf.begin()
        try:
            await book.ledger.append(drafts)
        except LedgerError as error:
            raise LedgerUnwritable("the ledger could not be written") from error
        finally:
            book.end()

    async def _end_sessions(self, left: Sequence[Any]) -> None:
        if self.end_sessions is None or not left:
            return
        query = select(console_table.c.person).where(console_table.c.agent.in_([row.agent for row in left]))
        persons = await self._database.run(lambda connection: connection.execute(query).scalars().all())
        for person in persons:
            await self.end_sessions(person)


def _execute(statement: Any, connection: Connection) -> None:
    connection.execute(statement)


def _newest(connection: Connection) -> int | None:
    return connection.execute(select(func.max(_T.id))).scalar()


def _claimed(last: int, now: float, connection: Connection) -> tuple[Sequence[Any], bool]:
    """Rows up to `last` that are this process's from now on; and, when there are none, whether others have some."""
    free = _T.claimed.is_(None) | (_T.claimed < now - CLAIM)
    some = select(_T.id).where(_T.id <= last, free).order_by(_T.id).limit(_AT_ONCE)
    claim = update(act_table).where(_T.id.in_(some), free).values(claimed=now).returning(_T.id)
    ids = list(connection.execute(claim).scalars())  # of two processes, the second finds them claimed
    rows = connection.execute(select(act_table).where(_T.id.in_(ids)).order_by(_T.id)).all()
    left = connection.execute(select(_T.id).where(_T.id <= last).limit(1)).first() is not None
    return rows, left


def _draft(row: Any, purpose: Purpose) -> Draft:
    """In clear: which organisation and application, and what kind of act; who, sealed for those who may know agents."""
    told = json.loads(row.told)
    by = told.pop("by")
    agent = {"id": row.agent, "unit": told.get("unit"), "role": " ".join(told.get("roles") or ()) or None}
    agent |= {name: told[name] for name in ("other", "delegation", "until") if name in told}
    agent |= {"by": by["agent"]} if by.get("agent") else {}
    kind = "delegation" if row.what in ("delegated", "revoked") else "agent"
    name = hashlib.sha256(f"{row.id} {row.at} {row.what} {row.agent}".encode()).hexdigest()  # written twice, it is seen
    return Draft(
        type="admin", trace_id=name[:32], span_id=name[32:48], name=f"{kind}.{row.what}", retention=purpose.retention,
        clear={
            "op": "dpv:Record", "status": "Ok", "initiator": "system", "start_time": clock.micros(row.at),
            "dpl.core.processing_activity_id": purpose.activity, "consumer": {"org": row.organisation, "app": by["application"]},
        },
        agent={name: value for name, value in agent.items() if value is not None},
    )  # fmt: skip
