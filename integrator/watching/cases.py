"""Which case of which organisation is open, as its application says: what makes a look explainable, or not any more.

Kept are keyed tags of the reference and of the person. An organisation that keeps no cases here is believed when it
names one; one that does is held to what it said.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, Column, Connection, MetaData, String, Table, insert, or_, select, update

from integrator.database import Database
from integrator.watching.tags import Tagger

metadata = MetaData()
case_table = Table(
    "watching_case", metadata, Column("org", String(10), primary_key=True), Column("tag", String(32), primary_key=True),
    Column("person", String(32)), Column("opened", BigInteger, nullable=False), Column("closed", BigInteger),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class State:
    """A case. Times are µs since 1970; `closed` None = open."""

    opened: int
    closed: int | None

    def open_at(self, ts: int) -> bool:
        return self.closed is None or ts <= self.closed


class Cases:
    """Every method blocks."""

    def __init__(self, database: Database, tagger: Tagger) -> None:
        self._database, self._tagger = database, tagger

    def open(self, org: str, reference: str, at: int, number: str | None = None) -> State:
        """A case is open from now on, or again. `number`: whose it is, when that is one person."""
        tag, person = self._tag(org, reference), self._tagger.person(number).hex() if number else None

        def write(connection: Connection) -> State:
            known = connection.execute(_one(org, tag)).one_or_none()
            if known is None:
                connection.execute(insert(case_table).values(org=org, tag=tag, person=person, opened=at))
                return State(at, None)
            chosen: dict[str, Any] = {"closed": None} | ({"person": person} if person else {})
            connection.execute(update(case_table).where(*_is(org, tag)).values(chosen))
            return State(int(known.opened), None)

        return self._database.now(write)

    def close(self, org: str, reference: str, at: int) -> State | None:
        """A case is over; None when nobody ever said it was open. Closed twice, the first time counts."""
        tag = self._tag(org, reference)

        def write(connection: Connection) -> State | None:
            known = connection.execute(_one(org, tag)).one_or_none()
            if known is None:
                return None
            if known.closed is not None:
                return State(int(known.opened), int(known.closed))
            connection.execute(update(case_table).where(*_is(org, tag)).values(closed=at))
            return State(int(known.opened), at)

        return self._database.now(write)

    def state(self, org: str, reference: str) -> State | None:
        """What was said of a case."""
        row = self._database.now(lambda one: one.execute(_one(org, self._tag(org, reference))).one_or_none())
        return State(int(row.opened), None if row.closed is None else int(row.closed)) if row else None

    def about(self, org: str, number: str, at: int) -> bool:
        """Whether the organisation had an open case of this person then."""
        table = case_table.c
        query = select(table.tag).where(
            table.person == self._tagger.person(number).hex(), table.org == org, table.opened <= at,
            or_(table.closed.is_(None), table.closed >= at),
        ).limit(1)  # fmt: skip
        return self._database.now(lambda connection: connection.execute(query).first()) is not None

    def kept_by(self, org: str) -> bool:
        """Whether the organisation ever told of a case."""
        query = select(case_table.c.tag).where(case_table.c.org == org).limit(1)
        return self._database.now(lambda connection: connection.execute(query).first()) is not None

    def _tag(self, org: str, reference: str) -> str:
        return self._tagger.tag("case", f"{org}|{reference}").hex()


def _is(org: str, tag: str) -> tuple[Any, Any]:
    return case_table.c.org == org, case_table.c.tag == tag


def _one(org: str, tag: str) -> Any:
    return select(case_table.c.opened, case_table.c.closed).where(*_is(org, tag))
