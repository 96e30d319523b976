"""Contests: a citizen says that a line is not right, or asks who it was; the organisation's data protection officer answers.

    open ─► taken ─► answered            the officer takes it up, and answers within 30 days
       └──────┴────► withdrawn           by the citizen

Every step is an `annotate` entry in the ledger before it counts; what was written stands sealed there and here.
"""

from __future__ import annotations

import json
import os
import unicodedata
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

from sqlalchemy import (
    Column,
    Connection,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    delete,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

from audit import Draft, Subject
from audit.reports import Row
from integrator.consoles.database import Database, metadata
from integrator.consoles.looking import Desk, allowed_by
from integrator.consoles.people import Person
from integrator.consoles.rights import LookRefused
from integrator.consoles.vault import Vault
from integrator.errors import RequestRefused
from integrator.ids import new_id

DAYS = 30  # within which a contest is answered
MOST_OPEN = 20  # of one person at a time
KEPT = 3 * 366  # days after its end that a contest is kept here; its entries stay as long as the ledger keeps them
WORDS = (10, 1_000)  # characters
RETENTION = "Y10"
ACTIVITY = "https://ropa.integrator.example/audit_contest/v1"
KINDS = ("wrong", "who", "data", "other")
ENDED = ("answered", "withdrawn")
_BRUSSELS = ZoneInfo("Europe/Brussels")
_TRIES = 8

State = Literal["open", "taken", "answered", "withdrawn"]

contest_table = Table(
    "contest",
    metadata,
    Column("id", String(24), primary_key=True),
    Column("year", Integer, nullable=False),
    Column("number", Integer, nullable=False),
    Column("org", String(10), index=True),  # whose officer answers; none = the hub's own
    Column("tag", String(43), nullable=False, index=True),  # blind, of the citizen
    Column("state", String(12), nullable=False, index=True),
    Column("opened", String(10), nullable=False),
    Column("due", String(10), nullable=False),
    Column("closed", String(10)),
    Column("version", Integer, nullable=False),
    Column("sealed", Text, nullable=False),
    UniqueConstraint("year", "number"),
)


class ContestRefused(RequestRefused):
    """`reason`: TWICE (there is one under way about this line), MANY, ENDED (nothing can be done any more), MEANWHILE or
    WORDS (too few, or too many). Nothing was written.
    """

    code, where = "CONTEST_REFUSED", "C2"
    advice = "Look at the list of contests: it shows what is under way, and what may still be done."

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Contest:
    """One contest."""

    number: str  # 2026-0007
    kind: str  # of KINDS
    shard: str  # the line
    index: int
    ts: int  # when that was, µs
    service: str
    activity: str | None
    org: str | None
    words: str
    opened: date
    due: date
    state: State = "open"
    closed: date | None = None
    answer: str = ""
    subject: tuple[str, str] = ("", "")
    id: str = ""
    version: int = 0

    def left(self, today: date) -> int:
        """Days; negative when it is late."""
        return (self.due - today).days


class Contests:
    """All of them. `now()` in epoch seconds."""

    def __init__(self, database: Database, vault: Vault, desk: Desk, now: Callable[[], float]) -> None:
        self._database, self._vault, self._desk, self._now = database, vault, desk, now

    def today(self) -> date:
        return datetime.fromtimestamp(self._now(), _BRUSSELS).date()

    def tag(self, subject: Subject) -> str:
        """A citizen in the table: nothing without the key."""
        return self._vault.tag("citizen", f"{subject.type}|{subject.id}")

    async def begin(self, person: Person, row: Row, kind: str, words: str) -> Contest:
        """A citizen contests a line of his. Raises `ContestRefused`, `LedgerUnwritable`."""
        subject, words = person.subject, plain(words)
        if subject is None:
            raise LookRefused("NOT_YOUR_QUESTION")
        allowed_by(person, "contest")
        _enough(words, empty=kind == "who")
        tag = self.tag(subject)
        mine = [one for one in await self.of(tag) if one.state not in ENDED]
        if any((one.shard, one.index, one.kind) == (row.shard, row.index, kind) for one in mine):
            raise ContestRefused("TWICE")
        if len(mine) >= MOST_OPEN:
            raise ContestRefused("MANY")
        today = self.today()
        contest = Contest(
            "", kind, row.shard, row.index, row.ts, row.name, row.activity, row.org, words, today, today + timedelta(DAYS),
            subject=(subject.type, subject.id), id=new_id(12),
        )  # fmt: skip
        await self._record(contest, "contest.opened", person.id, "citizen", words)
        return await self._add(contest, tag)

    async def withdraw(self, contest: Contest, by: Person) -> Contest:
        allowed_by(by, "contest")
        return await self._step(contest, "withdrawn", by.id, "citizen")

    async def take(self, contest: Contest, by: str, role: str) -> Contest:
        return await self._step(contest, "taken", by, role)

    async def answer(self, contest: Contest, by: str, role: str, words: str) -> Contest:
        words = plain(words)
        _enough(words)
        return await self._step(replace(contest, answer=words), "answered", by, role, words)

    async def of(self, tag: str) -> list[Contest]:
        """Those of one citizen, newest first."""
        return await self._find(contest_table.c.tag == tag)

    async def at(self, org: str | None) -> list[Contest]:
        """Those that an organisation answers, or everybody's; newest first."""
        return await self._find(contest_table.c.org == org if org else contest_table.c.id.is_not(None))

    async def find(self, id_: str, *, tag: str | None = None, org: str | None = None) -> Contest | None:
        """One of them, if it is of this citizen, or of this organisation."""
        where = contest_table.c.id == id_
        if tag is not None:
            where &= contest_table.c.tag == tag
        if org is not None:
            where &= contest_table.c.org == org
        return next(iter(await self._find(where)), None)

    async def _step(self, contest: Contest, state: State, by: str, role: str, words: str = "") -> Contest:
        if contest.state in ENDED or contest.state == state:
            raise ContestRefused("ENDED")
        ended = self.today() if state in ENDED else None
        changed = replace(contest, state=state, closed=ended, version=contest.version + 1)
        await self._record(contest, f"contest.{state}", by, role, words)
        where = (contest_table.c.id == contest.id) & (contest_table.c.version == contest.version)
        values = self._columns(changed)
        done = await self._database.run(
            lambda connection: connection.execute(update(contest_table).where(where).values(values)).rowcount
        )
        if not done:
            raise ContestRefused("MEANWHILE")
        return changed

    async def _record(self, contest: Contest, step: str, by: str, role: str, words: str) -> None:
        """In clear stands which line and which organisation; who and what was written is sealed."""
        clear: dict[str, Any] = {
            "op": "dpv:Store", "status": "Ok", "initiator": "self" if role == "citizen" else "official",
            "dpl.core.processing_activity_id": ACTIVITY, "shard": contest.shard, "index": contest.index,
            "consumer": {"app": "audit-console", **({"org": contest.org} if contest.org else {})},
        }  # fmt: skip
        draft = Draft(
                type="annotate",
                trace_id=os.urandom(16).hex(),
                span_id=os.urandom(8).hex(),
                name=step,
                retention=RETENTION,
                clear=clear,
                committed={"justification": words} if words else {},
                subjects=[contest.subject],
                agent={"id": by, "role": role},
            )  # fmt: skip
        await self._desk.write(draft)

    async def _add(self, contest: Contest, tag: str) -> Contest:
        def write(connection: Connection) -> Contest:
            over = (contest.opened - timedelta(KEPT)).isoformat()
            connection.execute(delete(contest_table).where(contest_table.c.closed < over))
            year = contest.opened.year
            last = connection.execute(
                select(func.max(contest_table.c.number)).where(contest_table.c.year == year)
            ).scalar()
            number = (last or 0) + 1
            made = replace(contest, number=f"{year}-{number:04d}")
            connection.execute(insert(contest_table).values(year=year, number=number, tag=tag, **self._columns(made)))
            return made

        for _ in range(_TRIES):
            try:
                return await self._database.run(write)
            except IntegrityError:  # somebody else took the number
                continue
        raise ContestRefused("MEANWHILE")

    async def _find(self, where: Any) -> list[Contest]:
        query = select(contest_table).where(where).order_by(contest_table.c.year.desc(), contest_table.c.number.desc())
        rows = await self._database.run(lambda connection: connection.execute(query).all())
        return [self._read(row) for row in rows]

    def _columns(self, contest: Contest) -> dict[str, Any]:
        kept = {
            name: value
            for name, value in asdict(contest).items()
            if name not in ("state", "closed", "id", "version", "opened", "due")
        }
        return {
            "id": contest.id, "org": contest.org, "state": contest.state, "opened": contest.opened.isoformat(),
            "due": contest.due.isoformat(), "closed": contest.closed.isoformat() if contest.closed else None,
            "version": contest.version, "sealed": self._vault.seal("contest", json.dumps(kept)),
        }  # fmt: skip

    def _read(self, row: Any) -> Contest:
        kept = json.loads(self._vault.open("contest", row.sealed))
        kept["subject"] = tuple(kept["subject"])
        return Contest(
            **kept, state=row.state, opened=date.fromisoformat(row.opened), due=date.fromisoformat(row.due),
            closed=date.fromisoformat(row.closed) if row.closed else None, id=row.id, version=row.version,
        )  # fmt: skip


def plain(text: str) -> str:
    """Typed words as they are kept: composed letters, line ends, no other control characters."""
    words = unicodedata.normalize("NFC", text.replace("\r\n", "\n"))
    return "".join(one for one in words if one == "\n" or unicodedata.category(one)[0] != "C").strip()


def _enough(words: str, *, empty: bool = False) -> None:
    least, most = WORDS
    if not (least <= len(words) <= most or (empty and not words)):
        raise ContestRefused("WORDS")
