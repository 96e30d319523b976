"""The orders that wait for a second person, and what became of them: one table. What is asked lies sealed in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, Column, Connection, String, Table, Text, and_, delete, insert, or_, select, update

from integrator.consoles.database import Database, metadata
from integrator.consoles.orders.wanted import Wanted
from integrator.consoles.vault import Vault
from integrator.ids import new_id

LAPSES = 14 * 86_400  # seconds an order waits for its second person
_DRAFTS = 86_400  # seconds a draft is kept
_STUCK = 600  # seconds after which carrying out is taken to have been cut off; doing it again does no harm
_SHOWN = 50

order_table = Table(
    "console_order",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("action", String(16), nullable=False),
    Column("org", String(10), index=True),  # of whose lines only; None = the hub's
    Column("state", String(16), nullable=False, index=True),  # draft asked doing done refused withdrawn
    Column("sealed", Text, nullable=False),
    Column("asker", String(64), nullable=False),
    Column("asker_name", Text, nullable=False),
    Column("asked", BigInteger, nullable=False),
    Column("second", String(64)),
    Column("second_name", Text),
    Column("decided", BigInteger),
    Column("words", Text),  # sealed: why it was refused
    Column("entries", Text),  # of the ledger, that say it was done: SHARD/INDEX …
)


@dataclass(frozen=True, slots=True)
class Asked:
    """One order, its state, and who stands behind it. Times in epoch seconds."""

    id: str
    state: str
    wanted: Wanted
    org: str | None
    asker: str
    asker_name: str
    asked: int
    second: str | None = None
    second_name: str | None = None
    decided: int | None = None
    words: str = ""
    entries: tuple[str, ...] = ()


class Pile:
    """All orders."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database, self._vault = database, vault

    async def lay(self, wanted: Wanted, org: str | None, asker: str, name: str, now: int) -> str:
        """A new draft; its number. Drafts that nobody sent are thrown away."""
        id_ = new_id(8)
        row = {
            "id": id_, "action": wanted.action, "org": org, "state": "draft", "asker": asker, "asker_name": name,
            "asked": now, "sealed": self._vault.seal("order", wanted.text()),
        }  # fmt: skip

        def write(connection: Connection) -> None:
            old = and_(order_table.c.state == "draft", order_table.c.asked < now - _DRAFTS)
            connection.execute(delete(order_table).where(old))
            connection.execute(insert(order_table).values(row))

        await self._database.run(write)
        return id_

    async def find(self, id_: str, now: int) -> Asked | None:
        query = select(order_table).where(order_table.c.id == id_)
        row = await self._database.run(lambda connection: connection.execute(query).one_or_none())
        return self._open(row, now) if row else None

    async def newest(self, now: int) -> list[Asked]:
        """All that wait, then the last that were decided; no drafts."""
        table = order_table.c
        waiting = select(order_table).where(table.state.in_(("asked", "doing"))).order_by(table.asked)
        decided = select(order_table).where(table.decided.is_not(None), table.state.not_in(("asked", "doing")))
        decided = decided.order_by(table.decided.desc()).limit(_SHOWN)

        def read(connection: Connection) -> list[Any]:
            return [*connection.execute(waiting), *connection.execute(decided)]

        return [self._open(row, now) for row in await self._database.run(read)]

    async def move(
        self, id_: str, before: str, after: str, now: int, *, words: str | None = None, **values: Any
    ) -> bool:
        """From one state to another; False when it is in another by now, so that no order is carried out twice at once."""
        table = order_table.c
        fits = table.state == before
        if before == "asked":
            fits = or_(
                and_(fits, table.asked > now - LAPSES), and_(table.state == "doing", table.decided < now - _STUCK)
            )
        if words is not None:
            values["words"] = self._vault.seal("order words", words)
        change = update(order_table).where(table.id == id_, fits).values(state=after, **values)
        return await self._database.run(lambda connection: connection.execute(change).rowcount == 1)

    async def drop(self, id_: str) -> None:
        """Throw a draft away."""
        gone = delete(order_table).where(order_table.c.id == id_, order_table.c.state == "draft")
        await self._database.run(lambda connection: connection.execute(gone))

    def _open(self, row: Any, now: int) -> Asked:
        state = row.state
        if state == "asked" and row.asked <= now - LAPSES:
            state = "lapsed"
        if state == "doing" and row.decided < now - _STUCK:
            state = "asked"
        words = self._vault.open("order words", row.words) if row.words else ""
        return Asked(
            row.id, state, Wanted.parse(self._vault.open("order", row.sealed)), row.org, row.asker, row.asker_name,
            row.asked, row.second, row.second_name, row.decided, words, tuple((row.entries or "").split()),
        )  # fmt: skip
