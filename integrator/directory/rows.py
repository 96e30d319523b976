"""Rows read and written: versions of registrations, in one transaction of the caller's. Blocks; for a thread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from secrets import token_urlsafe
from typing import Any

from sqlalchemy import Connection, and_, case, func, insert, or_, select, text, update

from integrator.directory.periods import Period
from integrator.directory.seals import Seals
from integrator.directory.tables import number, registration
from integrator.directory.terms import Key, Registration

_NOW = registration.c.superseded_at.is_(None)
_PLACE = func.coalesce(registration.c.place, registration.c.seq)
_WRITERS = 0x64697265  # any number of ours: the advisory lock between those who write and who join two numbers


@dataclass(frozen=True, slots=True)
class Row:
    """A version, with where it stands."""

    seq: int
    tag: bytes
    told: Registration


class Rows:
    """The tables as the directory sees them, within one transaction."""

    def __init__(self, connection: Connection, seals: Seals) -> None:
        self._connection, self._seals = connection, seals

    # --- one after the other --------------------------------------------------------------------------------------

    def hold(self, tag: bytes, *, joining: bool = False) -> bytes:
        """Be the only writer about this person until the transaction ends, and return the tag he is kept under.

        MUST come first: what is read afterwards cannot change any more.
        """
        if self._connection.dialect.name == "sqlite":
            # A statement that writes takes the file's only write lock, also where it finds nothing to change.
            self._connection.execute(update(number).where(number.c.tag == b"").values(head=b""))
            return self.head(tag)
        lock = "pg_advisory_xact_lock" if joining else "pg_advisory_xact_lock_shared"
        self._connection.execute(text(f"SELECT {lock}(:all)"), {"all": _WRITERS})
        head = self.head(tag)
        self._connection.execute(
            text("SELECT pg_advisory_xact_lock(:one)"), {"one": int.from_bytes(head[:8], signed=True)}
        )
        return head

    def head(self, tag: bytes) -> bytes:
        """The tag of the newest number of the same person."""
        found = self._connection.scalar(select(number.c.head).where(number.c.tag == tag))
        return tag if found is None else bytes(found)

    def newest(self, tag: bytes) -> str | None:
        """The number that replaced one, the last of them; None where none did."""
        sealed = self._connection.scalar(select(number.c.sealed).where(number.c.tag == tag))
        return None if sealed is None else str(self._seals.open("", sealed)["ssin"])

    # --- reading --------------------------------------------------------------------------------------------------

    def current(self, head: bytes, key: Key | None = None) -> list[Row]:
        """What the directory says now about a person; with a key (its subject apart), under that key alone."""
        wanted = [registration.c.tag == head, _NOW]
        if key is not None:
            wanted += [
                registration.c.organisation == key.organisation,
                registration.c.purpose == key.purpose,
                registration.c.quality == key.quality,
            ]
        return self._rows(and_(*wanted), order=registration.c.starts)

    def own(
        self,
        organisation: str,
        purpose: str,
        *,
        tags: Sequence[bytes] | None = None,
        quality: str | None = None,
        day: date | None = None,
        known: int | None = None,
        after: str | None = None,
        limit: int = 100,
    ) -> list[Row]:
        """Registrations of one organisation for one purpose, in the order they were first recorded.

        `tags`: of one person's numbers. `known`: as the directory said at that moment (µs); now otherwise. `after`: the id
        of the last of the page before: what changed since then keeps its place, so no page skips anything.
        """
        table = registration.c
        wanted = [table.organisation == organisation, table.purpose == purpose]
        if tags is not None:
            wanted.append(table.tag.in_(tags))
        if quality is not None:
            wanted.append(table.quality == quality)
        if day is not None:
            wanted += [table.starts <= day.isoformat(), table.ends >= day.isoformat()]
        if known is None:
            wanted.append(_NOW)
        else:
            wanted += [table.recorded_at <= known, or_(_NOW, table.superseded_at > known)]
        if after is not None:
            last = select(func.min(_PLACE)).where(
                table.id == after, table.organisation == organisation, table.purpose == purpose
            )
            wanted.append(func.coalesce(last.scalar_subquery(), 2**62) < _PLACE)
        return self._rows(and_(*wanted), order=_PLACE, limit=limit)

    def counts(self, day: date, soon: date, organisation: str | None) -> list[tuple[str, str, str, int, int]]:
        """(organisation, purpose, quality, in force on `day`, of which end by `soon`); no row is opened."""
        table = registration.c
        wanted = [_NOW, table.starts <= day.isoformat(), table.ends >= day.isoformat()]
        if organisation is not None:
            wanted.append(table.organisation == organisation)
        ending = func.sum(case((table.ends <= soon.isoformat(), 1), else_=0))
        by = (table.organisation, table.purpose, table.quality)
        statement = select(*by, func.count(), ending).where(and_(*wanted)).group_by(*by).order_by(*by)
        return [(str(o), str(p), str(q), int(n), int(e)) for o, p, q, n, e in self._connection.execute(statement)]

    def numbers(self, head: bytes) -> list[bytes]:
        """Every tag that leads to this person, the newest first."""
        older = self._connection.scalars(select(number.c.tag).where(number.c.head == head))
        return [head, *(bytes(one) for one in older)]

    def _rows(self, wanted: Any, *, order: Any, limit: int | None = None) -> list[Row]:
        statement = select(registration).where(wanted).order_by(order).limit(limit)
        return [self._row(one) for one in self._connection.execute(statement).mappings()]

    def _row(self, one: Any) -> Row:
        kept = self._seals.open(one["organisation"], one["sealed"])
        key = Key(one["organisation"], kept["ssin"], one["purpose"], one["quality"])
        period = Period(date.fromisoformat(one["starts"]), date.fromisoformat(one["ends"]))
        ended = one["superseded_at"]
        told = Registration(
            one["id"], key, period, kept.get("dossier"), one["origin"], one["recorded_at"] / 1e6,
            None if ended is None else ended / 1e6, kept.get("replacedBy"),
        )  # fmt: skip
        return Row(one["seq"], bytes(one["tag"]), told)

    # --- writing --------------------------------------------------------------------------------------------------

    def add(self, told: Registration, head: bytes) -> None:
        """A new version, under the tag of the person and in the place of those before it."""
        kept = {"ssin": told.key.subject, "dossier": told.dossier, "replacedBy": told.replaced_by}
        values = {name: value for name, value in kept.items() if value is not None}
        place = select(func.min(_PLACE)).where(registration.c.id == told.id).scalar_subquery()
        self._connection.execute(
            insert(registration).values(
                place=place, id=told.id, organisation=told.key.organisation, tag=head, purpose=told.key.purpose, quality=told.key.quality,
                starts=told.period.starts.isoformat(), ends=told.period.ends.isoformat(),
                sealed=self._seals.seal(told.key.organisation, values), origin=told.origin,
                recorded_at=micros(told.recorded_at),
            )
        )  # fmt: skip

    def supersede(self, rows: Sequence[Row], now: float) -> None:
        """These versions are the past from now on."""
        if rows:
            chosen = registration.c.seq.in_([row.seq for row in rows])
            self._connection.execute(update(registration).where(chosen).values(superseded_at=micros(now)))

    def join(self, old: bytes, new: bytes, ssin: str, now: float) -> None:
        """From now on `old`, and whatever led to it, leads to `new`, whose number is `ssin`."""
        sealed = self._seals.seal("", {"ssin": ssin})
        self._connection.execute(update(number).where(number.c.head == old).values(head=new, sealed=sealed))
        self._connection.execute(insert(number).values(tag=old, head=new, sealed=sealed, recorded_at=micros(now)))


def new_id() -> str:
    """Random: tells nothing of whom, of whose or of when."""
    return token_urlsafe(16)


def micros(seconds: float) -> int:
    return round(seconds * 1_000_000)
