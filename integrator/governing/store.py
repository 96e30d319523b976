"""Where proposals wait. Every change of what is or will be in force raises the revision, which each node watches.

Each method is one transaction; methods that move something say whether it was still where it was thought to be.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, and_, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from integrator.database import Database
from integrator.governing.tables import (
    Draft,
    Proposal,
    Suspension,
    Vote,
    proposal_table,
    revision_table,
    suspension_table,
    text_table,
    vote_table,
)

LEASE = 10  # seconds a node has to bring a text into force before another one does it
SHOWN = 200
AHEAD = ("approved", "activating", "active")
APPROVED = (*AHEAD, "superseded")
ROOM = "governing"
_P, _T, _V, _S = proposal_table.c, text_table.c, vote_table.c, suspension_table.c


class Store:
    """All proposals and suspensions of a hub, however many processes it has. Methods block."""

    def __init__(self, database: Database) -> None:
        self.database = database

    # --- what is in force

    def revision(self) -> int:
        """Grows with every change of what is, or will be, in force."""
        return int(self.database.now(lambda c: c.execute(select(revision_table.c.n)).scalar_one()))

    def in_force(self) -> tuple[int, dict[str, Draft], list[tuple[str, str | None]]]:
        """(revision, the newest active text of each purpose that has one, what is suspended), as of one moment."""

        def read(connection: Connection) -> tuple[int, dict[str, Draft], list[tuple[str, str | None]]]:
            if connection.dialect.name == "postgresql":
                connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            n = connection.execute(select(revision_table.c.n)).scalar_one()
            query = select(text_table).join(proposal_table, _P.id == _T.proposal).where(_P.state == "active")
            texts = {row.purpose: _draft(row) for row in connection.execute(query.order_by(_P.place))}
            standing = select(_S.authorisation, _S.org).where(_S.state != "lifted")
            return int(n), texts, [(row.authorisation, row.org) for row in connection.execute(standing)]

        return self.database.now(read)

    def heads(self) -> dict[str, tuple[str, int]]:
        """Of each purpose with an approved text: the digest of the last one, and when it takes effect."""
        return self.database.now(_heads)

    def approved(self) -> dict[str, bytes]:
        """Of each purpose with an approved text: the last one, in force by now or not."""
        query = select(text_table).join(proposal_table, _P.id == _T.proposal).where(_P.state.in_(APPROVED))
        rows = self.database.now(lambda c: c.execute(query.order_by(_P.place)).all())
        return {row.purpose: bytes(row.text) for row in rows}

    def text(self, digest: str) -> bytes | None:
        """The text of a digest (64 hex) that was ever proposed."""
        query = select(_T.text).where(_T.digest == digest).limit(1)
        found = self.database.now(lambda c: c.execute(query).scalar())
        return None if found is None else bytes(found)

    # --- proposals

    def add(self, one: Proposal) -> None:
        row = {
            "id": one.id, "state": one.state, "effective": one.effective, "reason": one.reason, "proof": json.dumps(one.proof),
            "proposer": one.proposer, "proposer_name": one.proposer_name, "proposed": one.proposed,
        }  # fmt: skip
        texts = [{"proposal": one.id, **asdict(draft)} for draft in one.drafts]

        def write(connection: Connection) -> None:
            connection.execute(insert(proposal_table).values(row))
            connection.execute(insert(text_table), texts)

        self.database.now(write)

    def find(self, id_: str) -> Proposal | None:
        found = self.database.now(lambda c: _read(c, _P.id == id_))
        return found[0] if found else None

    def newest(self) -> list[Proposal]:
        """What waits or is to come first, then the last that were decided."""
        rows: list[Proposal] = self.database.now(lambda c: _read(c, _P.id.is_not(None), SHOWN))
        order = {"proposed": 0, "approved": 1, "activating": 1}
        return sorted(rows, key=lambda one: order.get(one.state, 2))

    def history(self, purpose: str) -> list[Proposal]:
        """Every proposal that touched a purpose, newest first."""
        touched = select(_T.proposal).where(_T.purpose == purpose)
        return self.database.now(lambda c: _read(c, _P.id.in_(touched), SHOWN))

    def vote(self, id_: str, vote: Vote) -> bool:
        """Note an approval; False when this person gave one before."""
        row = {"proposal": id_, **asdict(vote)}
        try:
            self.database.now(lambda c: c.execute(insert(vote_table).values(row)))
        except IntegrityError:
            return False
        return True

    def approve(self, one: Proposal) -> str:
        """proposed ─► approved, behind everything approved before; "" or the reason why not (SETTLED, REBASE, TOO_EARLY)."""

        def write(connection: Connection) -> str:
            _lock(connection)  # one approval at a time
            heads = _heads(connection)
            for draft in one.drafts:
                head, effective = heads.get(draft.purpose, (draft.replaces, 0))
                if head != draft.replaces:
                    return "REBASE"
                if one.effective < effective:
                    return "TOO_EARLY"
            where = and_(_P.id == one.id, _P.state == "proposed")
            place = select(revision_table.c.n + 1).scalar_subquery()
            moved = connection.execute(update(proposal_table).where(where).values(state="approved", place=place))
            if moved.rowcount != 1:
                return "SETTLED"
            _raise(connection)
            return ""

        return self.database.now(write)

    def move(self, id_: str, before: str, after: str, **values: Any) -> bool:
        """From one state to another; False when it is in another by now."""

        def write(connection: Connection) -> bool:
            where = and_(_P.id == id_, _P.state == before)
            moved = connection.execute(update(proposal_table).where(where).values(state=after, **values)).rowcount == 1
            if moved:
                _raise(connection)
            return moved

        return self.database.now(write)

    def hinder(self, id_: str, words: str) -> None:
        """Back from activating, with what stands in the way."""
        where = and_(_P.id == id_, _P.state == "activating")
        values = {"state": "approved", "claimed": None, "words": words}
        self.database.now(lambda c: c.execute(update(proposal_table).where(where).values(**values)))

    def ripe(self) -> list[Proposal]:
        """Approved by two and not moved on: whoever wrote the second approval died before the next line."""
        return [one for one in self.database.now(lambda c: _read(c, _P.state == "proposed")) if one.ripe]

    def due(self, now: int) -> list[Proposal]:
        """What takes effect by now and is not in force yet, in the order of approval."""
        late = and_(_P.state == "activating", _P.claimed < now - LEASE)
        where = and_(or_(_P.state == "approved", late), _P.effective <= now)
        return sorted(self.database.now(lambda c: _read(c, where)), key=lambda one: one.place or 0)

    def claim(self, id_: str, now: int) -> bool:
        """One node brings it into force; when that node dies, another may after a while."""
        late = and_(_P.state == "activating", _P.claimed < now - LEASE)
        where = and_(_P.id == id_, or_(_P.state == "approved", late))
        change = update(proposal_table).where(where).values(state="activating", claimed=now)
        return self.database.now(lambda c: c.execute(change).rowcount) == 1

    def activate(self, one: Proposal, superseded: list[Proposal], now: int) -> None:
        """In force from here on; what it replaces whole is over."""

        def write(connection: Connection) -> None:
            where = and_(_P.id == one.id, _P.state == "activating")
            if connection.execute(update(proposal_table).where(where).values(state="active", words=None)).rowcount:
                for old in superseded:
                    done = update(proposal_table).where(_P.id == old.id, _P.state == "active")
                    connection.execute(done.values(state="superseded", ended=now))
                _raise(connection)

        self.database.now(write)

    def superseded_by(self, one: Proposal) -> list[Proposal]:
        """Active proposals all of whose texts have a newer one once `one` is in force."""
        active: list[Proposal] = self.database.now(lambda c: _read(c, _P.state == "active"))
        newest: dict[str, int] = {}
        for other in [*active, one]:
            for purpose in other.purposes:
                newest[purpose] = max(newest.get(purpose, 0), other.place or 0)
        return [
            other for other in active if other.id != one.id and all(newest[code] > (other.place or 0) for code in other.purposes)
        ]  # fmt: skip

    def stood_upon(self, one: Proposal) -> bool:
        """Whether an approved text was written from one of this proposal's."""
        digests = [draft.digest for draft in one.drafts]
        query = (
            select(_T.proposal)
            .join(proposal_table, _P.id == _T.proposal)
            .where(_T.replaces.in_(digests), _P.state.in_(AHEAD), _P.id != one.id)
        )
        return self.database.now(lambda c: c.execute(query).first()) is not None

    # --- suspensions

    def suspend(self, one: Suspension) -> bool:
        """Take away from the next look of each node on; False when the same is suspended already."""

        def write(connection: Connection) -> bool:
            _lock(connection)
            same = and_(
                _S.authorisation == one.authorisation,
                _S.state != "lifted",
                _S.org == one.org if one.org else _S.org.is_(None),
            )
            if connection.execute(select(_S.id).where(same)).first() is not None:
                return False
            connection.execute(insert(suspension_table).values(asdict(one)))
            _raise(connection)
            return True

        return self.database.now(write)

    def suspension(self, id_: str) -> Suspension | None:
        query = select(suspension_table).where(_S.id == id_)
        row = self.database.now(lambda c: c.execute(query).one_or_none())
        return Suspension(**row._mapping) if row is not None else None

    def suspensions(self) -> list[Suspension]:
        """What stands, then the last that were lifted."""
        query = select(suspension_table).order_by(_S.since.desc()).limit(SHOWN)
        rows = self.database.now(lambda c: c.execute(query).all())
        return sorted((Suspension(**row._mapping) for row in rows), key=lambda one: one.state == "lifted")

    def change_suspension(self, id_: str, before: str, values: Mapping[str, Any]) -> bool:
        """From one state to another; False when it is in another by now."""

        def write(connection: Connection) -> bool:
            where = and_(_S.id == id_, _S.state == before)
            moved = connection.execute(update(suspension_table).where(where).values(**values)).rowcount == 1
            if moved:
                _raise(connection)
            return moved

        return self.database.now(write)


def _heads(connection: Connection) -> dict[str, tuple[str, int]]:
    query = (
        select(_T.purpose, _T.digest, _P.effective)
        .join(proposal_table, _P.id == _T.proposal)
        .where(_P.state.in_(APPROVED))
        .order_by(_P.place)
    )
    return {row.purpose: (row.digest, int(row.effective)) for row in connection.execute(query)}


def _lock(connection: Connection) -> None:
    """Until the end of the transaction nobody else changes what is, or will be, in force."""
    connection.execute(update(revision_table).values(n=revision_table.c.n))


def _raise(connection: Connection) -> None:
    connection.execute(update(revision_table).values(n=revision_table.c.n + 1))


def _read(connection: Connection, where: Any, limit: int | None = None) -> list[Proposal]:
    query = select(proposal_table).where(where).order_by(_P.proposed.desc(), _P.id)
    rows = connection.execute(query.limit(limit) if limit else query).all()
    ids = [row.id for row in rows]
    drafts: dict[str, list[Draft]] = {}
    votes: dict[str, list[Vote]] = {}
    for row in connection.execute(select(text_table).where(_T.proposal.in_(ids)).order_by(_T.purpose)):
        drafts.setdefault(row.proposal, []).append(_draft(row))
    for row in connection.execute(select(vote_table).where(_V.proposal.in_(ids)).order_by(_V.voted, _V.person)):
        votes.setdefault(row.proposal, []).append(Vote(row.person, row.name, row.officer, row.voted))
    return [
        Proposal(
            row.id, row.state, row.effective, row.reason, json.loads(row.proof), row.proposer, row.proposer_name, row.proposed,
            tuple(drafts.get(row.id, ())), tuple(votes.get(row.id, ())), row.place, row.ended, row.words or "",
        )
        for row in rows
    ]  # fmt: skip


def _draft(row: Any) -> Draft:
    return Draft(row.purpose, row.replaces, row.digest, bytes(row.text))


__all__ = ["AHEAD", "ROOM", "Store"]
