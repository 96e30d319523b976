"""Sessions: kept here, not in the browser, which holds only a random number; we hold only its hash.

A session ends after 30 minutes without a click, after 8 hours anyway, when its person signs out, or when they sign out
everywhere. Signing in always begins a new one, so a number planted in a browser before is worth nothing after.

Two requests of one session at the same time lose nothing: each writes what it changed onto what the other left.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import BigInteger, Column, Connection, Integer, String, Table, Text, delete, insert, select, update

from integrator.consoles.database import Database, metadata
from integrator.consoles.mandates.store import in_force
from integrator.consoles.people import Person
from integrator.consoles.vault import SealBroken, Vault, digest
from integrator.errors import HubBusy

IDLE = 30 * 60  # seconds
LONGEST = 8 * 3600
_TRIES = 16
_SEEN = 30  # a click within so many seconds of the last is not written down again

session_table = Table(
    "console_session",
    metadata,
    Column("id", String(64), primary_key=True),  # hash of what the browser holds
    Column("person", String(64), nullable=False, index=True),
    Column("sealed", Text, nullable=False),  # Person
    Column("data", Text, nullable=False),  # sealed too: it may hold the number somebody asks about
    Column("began", BigInteger, nullable=False),
    Column("seen", BigInteger, nullable=False, index=True),
    Column("version", Integer, nullable=False, default=0),
)


@dataclass(slots=True)
class Session:
    """One session while a page is made. What a room puts into `data` (JSON) is kept until the session ends."""

    token: str
    person: Person
    data: dict[str, Any] = field(default_factory=dict)
    before: str = "{}"  # data as it was read
    who: str = ""  # person as it was read

    @property
    def changed(self) -> bool:
        return json.dumps(self.data) != self.before or self.person.text() != self.who


class Sessions:
    """All of them. `now()` in epoch seconds."""

    def __init__(self, database: Database, vault: Vault, now: Callable[[], float]) -> None:
        self._database, self._vault, self._now = database, vault, now

    async def begin(self, person: Person, data: dict[str, Any] | None = None) -> Session:
        """A new session with a new number; what is over is swept away on the way."""
        session, now = Session(secrets.token_urlsafe(32), person, data or {}), int(self._now())
        row = {
            "id": digest(session.token), "person": person.id, "sealed": self._vault.seal("person", person.text()),
            "data": self._vault.seal("session", json.dumps(session.data)), "began": now, "seen": now,
        }  # fmt: skip
        session.before, session.who = json.dumps(session.data), person.text()

        def write(connection: Connection) -> None:
            table = session_table.c
            connection.execute(delete(session_table).where((table.seen < now - IDLE) | (table.began < now - LONGEST)))
            connection.execute(insert(session_table).values(row))

        await self._database.run(write)
        return session

    async def find(self, token: str) -> Session | None:
        """The session of a browser's number, unless it is over."""
        now = int(self._now())

        def read(connection: Connection) -> Any:
            row = connection.execute(select(session_table).where(session_table.c.id == digest(token))).one_or_none()
            if row is None or row.seen < now - IDLE or row.began < now - LONGEST:
                return None
            if row.seen < now - _SEEN:
                connection.execute(update(session_table).where(session_table.c.id == row.id).values(seen=now))
            try:
                data = json.loads(self._vault.open("session", row.data))
                person = Person.read(self._vault.open("person", row.sealed))
            except SealBroken:
                return None  # the key was replaced: everybody signs in anew
            who = person.text()
            if person.acting is not None and not in_force(connection, person.acting.mandate, _day(now)):
                person = person.themself()  # the mandate ended: from this click on
            return Session(token, person, data, json.dumps(data), who)

        found: Session | None = await self._database.run(read)
        return found

    async def save(self, session: Session) -> None:
        """Keep what changed in `data` and `person`. Raises `HubBusy` when others write all the time."""
        where, who = session_table.c.id == digest(session.token), session.person.text()
        for _ in range(_TRIES):
            row = await self._database.run(lambda one: one.execute(select(session_table).where(where)).one_or_none())
            if row is None:
                return  # signed out meanwhile
            theirs = json.loads(self._vault.open("session", row.data))
            merged = merge(json.loads(session.before), theirs, session.data)
            values = {"data": self._vault.seal("session", json.dumps(merged)), "version": row.version + 1}
            if who != session.who:
                values["sealed"] = self._vault.seal("person", who)
            mine = update(session_table).where(where, session_table.c.version == row.version).values(values)
            if await self._database.run(lambda one, mine=mine: one.execute(mine).rowcount):  # type: ignore[misc]
                session.data, session.before, session.who = merged, json.dumps(merged), who
                return
        raise HubBusy("this session is written by many requests at once")

    async def end(self, session: Session) -> None:
        """Sign out here."""
        where = session_table.c.id == digest(session.token)
        await self._database.run(lambda connection: connection.execute(delete(session_table).where(where)))

    async def end_all(self, person: str) -> int:
        """Sign out everywhere; how many sessions that were."""
        return await self._database.run(lambda connection: end_all(connection, person))


def merge(before: dict[str, Any], theirs: dict[str, Any], ours: dict[str, Any]) -> dict[str, Any]:
    """What two requests that read the same left, together: each name as whoever changed it wrote it, ours where both did.

    Of lists that both grew, both ends stay.

    >>> merge({"a": 1, "said": []}, {"a": 1, "said": ["x"], "b": 2}, {"said": ["y"], "c": 3})
    {'said': ['x', 'y'], 'b': 2, 'c': 3}
    """
    merged = dict(theirs)
    for name in before.keys() | ours.keys():
        old, new, other = before.get(name), ours.get(name), theirs.get(name)
        if new == old:
            continue
        if name not in ours:
            merged.pop(name, None)
        elif (
            isinstance(new, list) and isinstance(other, list) and other != old and new[: len(old or ())] == (old or [])
        ):
            merged[name] = other + new[len(old or ()) :]
        else:
            merged[name] = new
    return merged


def _day(now: int) -> date:
    return datetime.fromtimestamp(now, UTC).date()


def end_all(connection: Connection, person: str) -> int:
    """End every session of one person; for who already holds a transaction."""
    return connection.execute(delete(session_table).where(session_table.c.person == person)).rowcount
