"""The table of emergencies. Blocks: called in a thread. Raises `SQLAlchemyError`."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import sqlalchemy as sa
from sqlalchemy import Connection

from integrator.database import Database

_meta = sa.MetaData()
TABLE = sa.Table(
    "emergencies",
    _meta,
    *(sa.Column(name, sa.String, primary_key=name == "id") for name in ("id", "trace", "organisation", "application")),
    *(sa.Column(name, sa.String) for name in ("agent", "purpose", "service", "broken")),
    *(sa.Column(name, sa.Float) for name in ("at", "due")),
    sa.Column("state", sa.String),
    sa.Column("second", sa.String),
    *(sa.Column(name, sa.Float) for name in ("decided", "escalated", "recorded")),
    sa.Column("shard", sa.String),
    sa.Column("place", sa.BigInteger),
    sa.Column("on_behalf_of", sa.String),
    sa.Column("vouched", sa.Boolean),
    sa.Column("claimed", sa.Float),
)
CLAIM = 60.0  # seconds that one is left to the process that claimed it
_LOCK = 0x656D6572  # of PostgreSQL, for counting and adding as one


@dataclass(frozen=True, slots=True)
class Emergency:
    """One question that passed a condition it failed."""

    id: str  # 16 hex
    trace: str
    organisation: str
    application: str
    agent: str
    purpose: str
    service: str
    broken: str  # the reason it would have been refused with
    at: float
    due: float
    state: str = "open"  # open | confirmed | rejected
    second: str | None = None
    decided: float | None = None
    escalated: float | None = None
    recorded: float | None = None  # when the decision stood in the ledger
    shard: str | None = None  # of its intent; None when the hub died before it was written
    place: int | None = None
    on_behalf_of: str | None = None  # the colleague the agent acted for
    vouched: bool = False  # the agent's own issuer says who he is; else only the application does
    claimed: float | None = None  # when a process took it to write about it

    @property
    def agents(self) -> frozenset[str]:
        """Whose emergency it is: nobody of them is its second person."""
        return frozenset({self.agent} | ({self.on_behalf_of} if self.on_behalf_of else set()))


@dataclass(frozen=True, slots=True)
class Most:
    """How many emergencies somebody may have."""

    a_day: int  # in 24 hours
    waiting: int  # that nobody decided on yet


class Store:
    """What is kept of emergencies."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def add(self, one: Emergency, *, since: float, of_agent: Most, of_application: Most) -> bool:
        """Keep it, durably; False, and nothing is kept, when the agent or the application already has as many since then, or open.

        An application may invent as many agents as it likes: its own count is what bounds it.
        """
        here = TABLE.c.organisation == one.organisation
        counted = ((TABLE.c.agent == one.agent, of_agent), (TABLE.c.application == one.application, of_application))

        def work(connection: Connection) -> bool:
            if self.database.dialect == "postgresql":
                connection.execute(sa.text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
            # On SQLite writing first takes the lock; whoever is refused leaves nothing behind.
            connection.execute(sa.insert(TABLE).values(asdict(one)))
            fits = True
            for whose, most in counted:
                count = sa.select(sa.func.count()).where(here, whose)
                today = connection.execute(count.where(TABLE.c.at > since)).scalar_one()
                unseen = connection.execute(count.where(TABLE.c.state == "open")).scalar_one()
                fits = fits and today <= most.a_day and unseen <= most.waiting
            if not fits:
                connection.execute(sa.delete(TABLE).where(TABLE.c.id == one.id))
            return fits

        return self.database.now(work)

    def find(self, id_: str) -> Emergency | None:
        found = self._read(TABLE.c.id == id_)
        return found[0] if found else None

    def known(self, organisation: str | None, state: str | None = None) -> list[Emergency]:
        """Newest first; of one organisation, or (None) of all."""
        where = [TABLE.c.organisation == organisation] if organisation is not None else []
        return self._read(*where, *([TABLE.c.state == state] if state else ()))

    def overdue(self, now: float) -> list[Emergency]:
        """Open ones whose time is over, and of which that was not told yet."""
        return self._read(TABLE.c.state == "open", TABLE.c.due <= now, TABLE.c.escalated.is_(None))

    def undecided(self) -> int:
        """How many wait for a second person (metrics)."""
        query = sa.select(sa.func.count()).where(TABLE.c.state == "open")
        return int(self.database.now(lambda connection: connection.execute(query).scalar_one()))

    def unrecorded(self) -> list[Emergency]:
        """Decisions that do not stand in the ledger yet."""
        return self._read(TABLE.c.state != "open", TABLE.c.recorded.is_(None))

    def decide(self, id_: str, state: str, second: str, now: float) -> bool:
        """False when somebody else was first."""
        return self._set(id_, TABLE.c.state == "open", state=state, second=second, decided=now)

    def drop(self, id_: str) -> None:
        """It came to nothing: nothing was asked of any source."""
        self.database.now(lambda connection: connection.execute(sa.delete(TABLE).where(TABLE.c.id == id_)))

    def placed(self, id_: str, shard: str, index: int) -> None:
        """Its intent stands there."""
        self._set(id_, sa.true(), shard=shard, place=index)

    def claim(self, one: Emergency, now: float) -> bool:
        """Whether it is this process that writes about it, as it was read; of several that ask, one hears yes."""
        free = TABLE.c.claimed.is_(None) | (TABLE.c.claimed < now - CLAIM)
        as_read = sa.and_(TABLE.c.state == one.state, TABLE.c.recorded.is_(None))
        untold = TABLE.c.escalated.is_(None) if one.state == "open" else sa.true()
        return self._set(one.id, free & as_read & untold, claimed=now)

    def release(self, id_: str) -> None:
        """It could not be written: whoever comes next may."""
        self._set(id_, sa.true(), claimed=None)

    def escalated(self, id_: str, now: float) -> None:
        """That nobody decided in time was told."""
        self._set(id_, TABLE.c.escalated.is_(None), escalated=now, claimed=None)

    def recorded(self, id_: str, now: float) -> None:
        """The decision stands in the ledger."""
        self._set(id_, TABLE.c.recorded.is_(None), recorded=now, claimed=None)

    def _set(self, id_: str, where: sa.ColumnElement[bool], **values: object) -> bool:
        update = sa.update(TABLE).where(TABLE.c.id == id_, where).values(values)
        return bool(self.database.now(lambda connection: connection.execute(update).rowcount))

    def _read(self, *where: sa.ColumnElement[bool]) -> list[Emergency]:
        query = sa.select(TABLE).where(*where).order_by(TABLE.c.at.desc(), TABLE.c.id)
        return self.database.now(
            lambda connection: [Emergency(**row) for row in connection.execute(query).mappings().all()]
        )
