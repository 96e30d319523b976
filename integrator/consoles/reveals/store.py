"""What was asked and what was decided. The reason is sealed: it may speak of a person."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import BigInteger, Column, Integer, Row, String, Table, Text, insert, select, update

from integrator.consoles.database import Database, metadata
from integrator.consoles.vault import Vault
from integrator.ids import new_id

State = Literal["asked", "granted", "refused"]
_USE = "reveal"
MOST = 200

reveal_table = Table(
    "reveal",
    metadata,
    Column("id", String(24), primary_key=True),
    Column("shard", String(200), nullable=False),
    Column("index", BigInteger, nullable=False),
    Column("org", String(10)),  # whose agent
    Column("state", String(10), nullable=False),
    Column("days", Integer, nullable=False),
    Column("asked_by", String(64), nullable=False, index=True),
    Column("asked_name", String(100), nullable=False),
    Column("asked_at", BigInteger, nullable=False),  # epoch seconds
    Column("reason", Text, nullable=False),  # sealed
    Column("decided_by", String(64)),
    Column("decided_name", String(100)),
    Column("decided_at", BigInteger),
    Column("until", BigInteger),
)


@dataclass(frozen=True, slots=True)
class Reveal:
    """One request to open the name behind one entry."""

    id: str
    shard: str
    index: int
    org: str | None
    state: State
    days: int
    asked_by: str
    asked_name: str
    asked_at: int
    reason: str
    decided_by: str | None = None
    decided_name: str | None = None
    decided_at: int | None = None
    until: int | None = None  # epoch seconds

    def open(self, now: float) -> bool:
        """Whether the name is open by now."""
        return self.state == "granted" and self.until is not None and now < self.until


class Store:
    """All of them."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database, self._vault = database, vault

    async def add(self, one: Reveal) -> Reveal:
        row = {name: getattr(one, name) for name in one.__slots__} | {"id": new_id(12)}
        sealed = row | {"reason": self._vault.seal(_USE, one.reason)}
        await self._database.run(lambda connection: connection.execute(insert(reveal_table).values(sealed)))
        return Reveal(**row)

    async def find(self, id_: str) -> Reveal | None:
        query = select(reveal_table).where(reveal_table.c.id == id_)
        row = await self._database.run(lambda connection: connection.execute(query).one_or_none())
        return self._read(row) if row is not None else None

    async def all(self, org: str | None, *, every: bool) -> list[Reveal]:
        """Newest first; of one organisation, or of everybody."""
        query = select(reveal_table).order_by(reveal_table.c.asked_at.desc()).limit(MOST)
        query = query if every else query.where(reveal_table.c.org == org)
        return [self._read(row) for row in await self._database.run(lambda connection: connection.execute(query).all())]

    async def decide(self, one: Reveal, values: dict[str, Any]) -> bool:
        """Write a decision, once; False when somebody decided before."""
        where = (reveal_table.c.id == one.id) & (reveal_table.c.state == "asked")
        changed = update(reveal_table).where(where).values(values)
        return bool(await self._database.run(lambda connection: connection.execute(changed).rowcount))

    def granted(self, person: str, shard: str, index: int, now: float) -> bool:
        """Whether a name is open to somebody now. Blocks."""
        table = reveal_table.c
        where = (table.asked_by == person) & (table.shard == shard) & (table.index == index)
        query = select(table.id).where(where & (table.state == "granted") & (table.until > now)).limit(1)
        return self._database.now(lambda connection: connection.execute(query).first()) is not None

    def _read(self, row: Row[Any]) -> Reveal:
        return Reveal(**{**row._mapping, "reason": self._vault.open(_USE, row.reason)})
