"""What happened to somebody, as answers told it or a source announced it: a death, a move, a change. One row of each.

Kept are a keyed tag, the day, and for a move the municipality that was moved to. Whoever holds only the database can
name nobody. What an answer tells later replaces what was known; a move is forgotten when the person turns out to live
elsewhere than where it led to. Several hubs share the table: which moves stand in it is read anew every few minutes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import BigInteger as Big
from sqlalchemy import Column, Connection, MetaData, String, Table, delete, insert, select
from sqlalchemy.exc import SQLAlchemyError

from integrator import clock
from integrator.database import Database
from integrator.logs import log
from integrator.watching.tags import Tagger

metadata = MetaData()
happening_table = Table(
    "watching_happening", metadata, Column("kind", String(16), primary_key=True), Column("tag", String(32), primary_key=True),
    Column("place", String(16), nullable=False), Column("at", Big, nullable=False),
)  # fmt: skip
DEATH, MOVE, CHANGE = "death", "move", "change"
_REMEMBERED = 10_000  # what this process wrote, so that it need not write it again
_ANEW = 300.0  # seconds after which the moves that others wrote or dropped are read
_PATIENCE = 0.5  # seconds that an answer waits for that; reading goes on, and what it finds is known from then on


class Happenings:
    """Times are µs since 1970."""

    def __init__(self, database: Database, tagger: Tagger, now: clock.Now = clock.system) -> None:
        self._database, self._tagger, self._now = database, tagger, now
        self._written: dict[tuple[str, bytes], tuple[str, int]] = {}  # of deaths and changes
        self._moved, self._read = database.now(_moves), now()  # tag -> (place, at), as of when
        self._reading: asyncio.Task[None] | None = None

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
        elif municipality is not None:
            await self._lives(person, str(municipality), home, _day((values.get("address") or {}).get("startDate")))

    async def _lives(self, person: bytes, municipality: str, home: str | None, since: int | None) -> None:
        if self._now() - self._read >= _ANEW:
            self._read = self._now()  # first: nobody else reads meanwhile
            self._reading = asyncio.create_task(self._read_anew())
            await asyncio.wait({self._reading}, timeout=_PATIENCE)
        known = self._moved.get(person.hex())
        if municipality != home:
            if since is not None and known != (municipality, since):
                await self._database.run(lambda one: self._replace(one, MOVE, person, municipality, since))
                self._remember(MOVE, person, municipality, since)
        elif known is not None and known[0] != municipality:
            await self._database.run(lambda one: one.execute(_elsewhere(person, municipality)))
            self._moved.pop(person.hex(), None)

    async def _read_anew(self) -> None:
        try:
            self._moved = await self._database.run(_moves)
        except SQLAlchemyError as error:  # what was known before does for another while
            log.warning("moves_not_read", error=type(error).__name__)

    async def _keep(self, kind: str, person: bytes, place: str, at: int) -> None:
        if self._written.get((kind, person)) != (place, at):
            await self._database.run(lambda connection: self._replace(connection, kind, person, place, at))
            self._remember(kind, person, place, at)

    def _put(self, kind: str, person: bytes, place: str, at: int) -> None:
        self._database.now(lambda connection: self._replace(connection, kind, person, place, at))
        self._remember(kind, person, place, at)

    def _remember(self, kind: str, person: bytes, place: str, at: int) -> None:
        if kind == MOVE:
            self._moved[person.hex()] = place, at
            return
        if len(self._written) >= _REMEMBERED:
            self._written.clear()
        self._written[kind, person] = place, at

    def _replace(self, connection: Connection, kind: str, person: bytes, place: str, at: int) -> None:
        connection.execute(_of(kind, person))
        connection.execute(insert(happening_table).values(kind=kind, tag=person.hex(), place=place, at=at))


def _of(kind: str, person: bytes) -> Any:
    table = happening_table.c
    return delete(happening_table).where(table.kind == kind, table.tag == person.hex())


def _elsewhere(person: bytes, municipality: str) -> Any:
    """Forget a move of theirs to anywhere else than where they live."""
    return _of(MOVE, person).where(happening_table.c.place != municipality)


def _moves(connection: Connection) -> dict[str, tuple[str, int]]:
    table = happening_table.c
    rows = connection.execute(select(table.tag, table.place, table.at).where(table.kind == MOVE))
    return {tag: (place, at) for tag, place, at in rows}


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
