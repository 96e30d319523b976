"""The outbox: what was accepted and is not delivered yet, in the ledger's own database.

    accepted ─► waiting ─► leased ─► delivered                 rows are added and settled beside ledger entries only
                   ▲          ├────► waiting (again, later) · unknown (the other side is asked)
                   └─ redrive ┴────► dead (with a reason) · expired

Order: of two messages in one lane (same recipient, same subject) the later is not given out while the earlier is open.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, and_, case, exists, func, select, text, update

from audit import EntryAltered, KeyMissing, Statement
from integrator import clock
from integrator.database import Database
from integrator.delivery.sealing import Sealing
from integrator.delivery.tables import (
    IS_AWAITING,
    IS_CARRIED,
    IS_FETCHED,
    IS_OPEN,
    IS_STANDING,
    MESSAGE,
    SETTLE,
    SETTLE_ROW,
)
from integrator.delivery.terms import Held

MOST_WRITES = 8  # that one answer sets going; as in the schema of services

_EARLIER = MESSAGE.alias("earlier")
_BLOCKED = exists().where(
    _EARLIER.c.lane == MESSAGE.c.lane,
    _EARLIER.c.id < MESSAGE.c.id,
    text("earlier.state IN ('waiting', 'unknown')"),  # as in the partial index, word for word
)


class Outbox:
    """Reads, and leases; every other change is a statement that commits beside an entry."""

    def __init__(self, database: Database, sealing: Sealing, now: clock.Now) -> None:
        self.database, self.sealing, self._now = database, sealing, now

    def ms(self) -> int:
        """ms since 1970."""
        return int(self._now() * 1000)

    async def lease(self, count: int, seconds: float, closed: Collection[str] = ()) -> list[Held]:
        """At most `count` messages that are due, the first of its lane each, for so long. `closed`: recipients left alone.

        Several relays may ask at the same time, each gets others. A lease that ends unsettled is given out again, as `lost`.
        """
        now, until = self.ms(), self.ms() + int(seconds * 1000)
        due = and_(
            IS_CARRIED, MESSAGE.c.due <= now, MESSAGE.c.leased_until <= now, ~_BLOCKED
        )  # fmt: skip
        if closed:
            due = and_(due, MESSAGE.c.recipient.not_in(sorted(closed)))
        rows = await self.database.run(_leasing(due, now, count, until))
        return [self.held(row, mark, until) for row, mark in rows]

    async def take(self, uids: Sequence[str], seconds: float) -> list[Held]:
        """Messages by name, those that are due and free now: for whoever was told of them by a broker."""
        now, until = self.ms(), self.ms() + int(seconds * 1000)
        due = and_(IS_OPEN, MESSAGE.c.uid.in_(uids), MESSAGE.c.due <= now, MESSAGE.c.leased_until <= now, ~_BLOCKED)
        rows = await self.database.run(_leasing(due, now, len(uids), until))
        return [self.held(row, mark, until) for row, mark in rows]

    async def due(self, count: int, closed: Collection[str] = ()) -> list[tuple[str, int]]:
        """(uid, attempts so far) of what could be leased now; nothing is leased."""
        now = self.ms()
        found = select(MESSAGE.c.uid, MESSAGE.c.attempts).where(
            IS_CARRIED, MESSAGE.c.due <= now, MESSAGE.c.leased_until <= now, ~_BLOCKED
        )  # fmt: skip
        if closed:
            found = found.where(MESSAGE.c.recipient.not_in(sorted(closed)))
        rows = await self.database.run(lambda c: c.execute(found.order_by(MESSAGE.c.id).limit(count)).all())
        return [(row[0], row[1]) for row in rows]

    def settled(self, held: Held, state: str, *, due: int | None = None, reason: str | None = None) -> Statement:
        """The row that says what became of it: to be committed beside the entry that says so."""
        ended = None if state in ("waiting", "unknown") else self.ms()
        return Statement(SETTLE, SETTLE_ROW, (held.id, held.lease, state, due or held.deadline, reason, ended))

    async def find(self, uid: str) -> Any:
        """The row of one message, sealed as it lies there; None when there is none."""
        rows = await self.database.run(
            lambda c: c.execute(select(MESSAGE).where(MESSAGE.c.uid == uid)).mappings().all()
        )
        return rows[0] if rows else None

    async def awaits(self, uid: str) -> bool:
        """Whether an answer to that message is still awaited."""
        row = await self.find(uid)
        return row is not None and row["answer"] == "awaiting"

    def name_after(self, uid: str, number: int) -> str:
        """The uid of what the answer to that message sets going: the same however often it is answered."""
        return self.sealing.tag("then", uid, str(number)).hex()

    async def after(self, uid: str) -> list[tuple[int, str, str, str | None]]:
        """(id, service, state, reason) of what the answer to that message set going, in its order."""
        m, names = MESSAGE.c, [self.name_after(uid, number) for number in range(MOST_WRITES)]
        query = select(m.id, m.service, m.state, m.reason).where(m.uid.in_(names)).order_by(m.id)
        rows = await self.database.run(lambda c: c.execute(query).all())
        return [(row[0], row[1], row[2], row[3]) for row in rows]

    async def overdue(self, count: int, seconds: float) -> list[Held]:
        """Messages that nobody came for in time; leased, so that their end is recorded once. Answers no longer awaited end too."""
        now = self.ms()
        late = (
            update(MESSAGE).where(IS_AWAITING, MESSAGE.c.answer_by <= now)
            .values(answer="expired", sealed=case((MESSAGE.c.state == "delivered", None), else_=MESSAGE.c.sealed))
        )  # fmt: skip
        await self.database.run(lambda c: c.execute(late))
        over = and_(IS_FETCHED, MESSAGE.c.deadline <= now, MESSAGE.c.leased_until <= now)
        rows = await self.database.run(_leasing(over, now, count, now + int(seconds * 1000)))
        return [self.held(row, mark) for row, mark in rows]

    async def counts(self) -> dict[str, tuple[int, int]]:
        """state -> (messages, ms since 1970 of the oldest acceptance among them), of what is open or dead."""
        query = select(MESSAGE.c.state, func.count(), func.min(MESSAGE.c.created)).where(IS_STANDING)
        query = query.group_by(MESSAGE.c.state)
        rows = await self.database.run(lambda c: c.execute(query).all())
        return {row[0]: (int(row[1]), int(row[2])) for row in rows}

    async def forget(self, before: int) -> int:
        """Drop what ended before that moment: until then a repeated key gets its first answer. Returns how many."""
        over = MESSAGE.c.state.in_(("delivered", "expired", "purged"))
        awaited = func.coalesce(MESSAGE.c.answer, "") == "awaiting"
        gone = MESSAGE.delete().where(over, MESSAGE.c.ended < before, ~awaited)
        return int(await self.database.run(lambda c: c.execute(gone).rowcount))

    def held(self, row: Any, lease: str, until: int = 0) -> Held:
        """A row as whoever delivers it sees it; one whose values cannot be opened says so, and holds up no other."""
        values, readable = self._opened(row)
        return Held(
            row["id"], row["uid"], row["service"], row["kind"], row["mode"], row["recipient"], row["org"], row["app"],
            row["purpose"], row["sender_org"], row["trace"], values.get("keys", {}), values.get("content", {}),
            row["created"], row["deadline"], row["attempts"] + 1, row["leased_by"] is not None or row["state"] == "unknown", lease,
            values.get("dossier"), row["question"], values.get("agent"), until, readable,
        )  # fmt: skip

    def _opened(self, row: Any) -> tuple[Mapping[str, Any], bool]:
        try:
            return (self.sealing.open(row["sealed"], row["uid"], row["created"]) if row["sealed"] else {}), True
        except (KeyMissing, EntryAltered):
            return {}, False


def _leasing(due: Any, now: int, count: int, until: int) -> Callable[[Connection], list[tuple[Mapping[str, Any], str]]]:
    """Look, then take what is still free: on SQLite two processes may have looked at once, PostgreSQL skips locked rows."""

    def work(connection: Connection) -> list[tuple[Mapping[str, Any], str]]:
        found = select(MESSAGE).where(due).order_by(MESSAGE.c.id).limit(count)
        rows: Sequence[Any] = connection.execute(found.with_for_update(skip_locked=True, of=MESSAGE)).mappings().all()
        if not rows:
            return []
        mark = os.urandom(8).hex()
        taken = connection.execute(
            update(MESSAGE)
            .where(MESSAGE.c.id.in_([row["id"] for row in rows]), MESSAGE.c.leased_until <= now, IS_OPEN)
            .values(leased_by=mark, leased_until=until, attempts=MESSAGE.c.attempts + 1)
            .returning(MESSAGE.c.id)
        )
        mine = set(taken.scalars())
        return [(row, mark) for row in rows if row["id"] in mine]

    return work
