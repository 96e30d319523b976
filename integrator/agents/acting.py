"""What happened to agents reaches the ledger, and sessions of the consoles end: from the rows that the change itself left.

A row goes when its entry is durable. A process that dies in between leaves it to the next one: an entry may then stand
there twice, never not at all.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any

from sqlalchemy import Connection, delete, select
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

EndSessions = Callable[[str], Awaitable[object]]  # of one person, as the consoles know him


class Acts:
    """`record()` after every change; `keep_recording()` beside, as long as the hub runs."""

    def __init__(self, database: Database, shelf: Shelf, purpose: Purpose) -> None:
        self._database, self._shelf, self._purpose = database, shelf, purpose
        self._one = asyncio.Lock()
        self.end_sessions: EndSessions | None = None  # set by whoever has consoles

    async def record(self) -> None:
        """Everything that waits. Raises `LedgerUnwritable`: it still waits, and what it tells already holds."""
        async with self._one:
            while rows := await self._database.run(_waiting):
                await self._end_sessions([row for row in rows if row.what == "left"])
                await self._append([_draft(row, self._purpose) for row in rows])
                done = delete(act_table).where(act_table.c.id.in_([row.id for row in rows]))
                await self._database.run(partial(_execute, done))

    async def keep_recording(self) -> None:
        """For ever, until cancelled."""
        while True:
            try:
                await self.record()
            except (LedgerUnwritable, SQLAlchemyError) as error:
                log.warning("agents_not_recorded", error=type(error).__name__)
            await asyncio.sleep(_EVERY)

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


def _waiting(connection: Any) -> Any:
    return connection.execute(select(act_table).order_by(act_table.c.id).limit(_AT_ONCE)).all()


def _draft(row: Any, purpose: Purpose) -> Draft:
    """In clear: which organisation and application, and what kind of act; who, sealed for those who may know agents."""
    told = json.loads(row.told)
    by = told.pop("by")
    agent = {"id": row.agent, "unit": told.get("unit"), "role": " ".join(told.get("roles") or ()) or None}
    agent |= {name: told[name] for name in ("other", "delegation", "until") if name in told}
    agent |= {"by": by["agent"]} if by.get("agent") else {}
    kind = "delegation" if row.what in ("delegated", "revoked") else "agent"
    return Draft(
        type="admin", trace_id=os.urandom(16).hex(), span_id=os.urandom(8).hex(), name=f"{kind}.{row.what}", retention=purpose.retention,
        clear={
            "op": "dpv:Record", "status": "Ok", "initiator": "system", "start_time": clock.micros(row.at),
            "dpl.core.processing_activity_id": purpose.activity, "consumer": {"org": row.organisation, "app": by["application"]},
        },
        agent={name: value for name, value in agent.items() if value is not None},
    )  # fmt: skip
