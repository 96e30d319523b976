"""What happened to somebody, as answers told it or a source announced it: a death, a move, a change. One row of each.

Kept are a keyed tag, the day, and for a move the municipality that was moved to. Whoever holds only the database can
name nobody. What an answer tells later replaces what was known.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import BigInteger as Big
from sqlalchemy import Column, Connection, MetaData, String, Table, delete, insert, select

from integrator.database import Database
from integrator.watching.tags import Tagger

metadata = MetaData()
happening_table = Table(
    "watching_happening", metadata, Column("kind", String(16), primary_key=True), Column("tag", String(32), primary_key=True),
    Column("place", String(16), nullable=False), Column("at", Big, nullable=False),
)  # fmt: skip
DEATH, MOVE, CHANGE = "death", "move", "change"
_REMEMBERED = 10_000  # what this process wrote, so that it need not write it again


class Happenings:
    """Times are µs since 1970."""

    def __init__(self, database: Database, tagger: Tagger) -> None:
        self._database, self._tagger = database, tagger
        self._written: dict[tuple[str, bytes], tuple[str, int]] = {}
        table = happening_table.c
        moved = database.now(lambda one: one.execute(select(table.tag).where(table.kind == MOVE)).scalars().all())
        self._moved = set(moved)

    def at(self, kind: str, person: bytes) -> tuple[int, str] | None:
        """(when, where) the newest of this kind happened to a person (a tag). Blocks."""
        table = happening_table.c
        query = select(table.at, table.place).where(table.kind == kind, table.tag == person.hex())
        row = self._database.now(lambda connection: connection.execute(query).one_or_none())
        return (int(row[0]), str(row[1])) if row else None

    def tell(self, kind: str, number: str, at: int, place: str = "") -> None:
        """It happened. Blocks; durable when this returns."""
        self._put(kind, self._tagger.person(number), place, at)

    async def learn(self, number: str, home: str | None, values: Mapping[str, Any], facts: Mapping[str, Any]) -> None:
        """What an answer gave about the person asked for; `home`: municipality of who asked. Usually nothing new."""
        died, municipality = _day(values.get("deathDate")), facts.get("municipality")
        if died is None and (home is None or municipality is None):
            return
        person = self._tagger.person(number)
        if died is not None:
            await self._keep(DEATH, person, "", died)
        elif municipality == home and person.hex() in self._moved:
            await self._database.run(lambda connection: self._drop(connection, person))
        elif municipality != home and (since := _day((values.get("address") or {}).get("startDate"))) is not None:
            await self._keep(MOVE, person, str(municipality), since)

    async def _keep(self, kind: str, person: bytes, place: str, at: int) -> None:
        if self._written.get((kind, person)) != (place, at):
            await self._database.run(lambda connection: self._replace(connection, kind, person, place, at))
            self._remember(kind, person, place, at)

    def _put(self, kind: str, person: bytes, place: str, at: int) -> None:
        self._database.now(lambda connection: self._replace(connection, kind, person, place, at))
        self._remember(kind, person, place, at)

    def _remember(self, kind: str, person: bytes, place: str, at: int) -> None:
        if len(self._written) >= _REMEMBERED:
            self._written.clear()
        self._written[kind, person] = place, at
        if kind == MOVE:
            self._moved.add(person.hex())

    def _replace(self, connection: Connection, kind: str, person: bytes, place: str, at: int) -> None:
        connection.execute(_of(kind, person))
        connection.execute(insert(happening_table).values(kind=kind, tag=person.hex(), place=place, at=at))

    def _drop(self, connection: Connection, person: bytes) -> None:
        connection.execute(_of(MOVE, person))
        self._moved.discard(person.hex())
        self._written.pop((MOVE, person), None)


def _of(kind: str, person: bytes) -> Any:
    table = happening_table.c
    return delete(happening_table).where(table.kind == kind, table.tag == person.hex())


def _day(written: Any) -> int | None:
    """The midnight (UTC) that a date begins with; None for what is no whole date.

    >>> _day("1970-01-02"), _day("1984-00-00"), _day(None)
    (86400000000, None, None)
    """
    try:
        day = date.fromisoformat(written)
    except (TypeError, ValueError):
        return None
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 1_000_000
