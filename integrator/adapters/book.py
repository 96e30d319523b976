"""What is remembered of files: which were taken in, how far, and which rows wait. One row of a file is one number for ever.

No name of a file is kept (packages put people in them); its content is known by its digest, and waiting rows are sealed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from integrator.adapters.findings import Finding
from integrator.adapters.reading import Position

_meta = sa.MetaData()
_files = sa.Table(
    "adapter_file", _meta,
    sa.Column("adapter", sa.String, primary_key=True), sa.Column("digest", sa.String, primary_key=True),
    sa.Column("state", sa.String), sa.Column("reason", sa.String), sa.Column("good", sa.BigInteger),
    sa.Column("bad", sa.BigInteger), sa.Column("rows", sa.BigInteger), sa.Column("offset", sa.BigInteger),
    sa.Column("line", sa.BigInteger), sa.Column("began", sa.Float), sa.Column("ended", sa.Float),
)  # fmt: skip
_waiting = sa.Table(
    "adapter_waiting", _meta,
    sa.Column("adapter", sa.String, primary_key=True), sa.Column("digest", sa.String, primary_key=True),
    sa.Column("number", sa.BigInteger, primary_key=True), sa.Column("line", sa.BigInteger), sa.Column("state", sa.String),
    sa.Column("reasons", sa.Text), sa.Column("piece", sa.Text), sa.Column("since", sa.Float),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class FileState:
    """How far one file came."""

    digest: str
    state: str  # taking | done | refused
    reason: str | None  # of a refusal
    good: int
    bad: int
    position: Position


@dataclass(frozen=True, slots=True)
class WaitingRow:
    """One row in quarantine."""

    digest: str
    number: int
    line: int
    state: str  # waiting | due | mended | dropped
    reasons: tuple[tuple[str | None, str], ...]  # field, reason
    piece: str  # sealed


class Book:
    """The statements over one connection; a transaction is the caller's (`database.run(lambda c: Book(c).…)`)."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def begin(self, adapter: str, digest: str, now: float) -> FileState:
        """The file as it stands; a file never seen begins. Two who begin the same file get the same state."""
        found = self.file(adapter, digest)
        if found is None:
            self._connection.execute(
                _files.insert().values(
                    adapter=adapter, digest=digest, state="taking", good=0, bad=0, rows=0, offset=0, line=1, began=now
                )
            )
            found = FileState(digest, "taking", None, 0, 0, Position())
        return found

    def file(self, adapter: str, digest: str) -> FileState | None:
        query = _files.select().where(_files.c.adapter == adapter, _files.c.digest == digest)
        return next(map(_file, self._connection.execute(query).mappings()), None)

    def files(self, adapter: str) -> list[FileState]:
        query = _files.select().where(_files.c.adapter == adapter).order_by(_files.c.began.desc())
        return [_file(one) for one in self._connection.execute(query).mappings()]

    def latest(self, adapter: str) -> float | None:
        """When the newest file began to be taken in, in seconds since 1970; None when none ever did."""
        found = self._connection.execute(sa.select(sa.func.max(_files.c.began)).where(_files.c.adapter == adapter))
        began: float | None = found.scalar()
        return began

    def moved(self, adapter: str, digest: str, position: Position, good: int, bad: int) -> None:
        self._change(
            adapter, digest, rows=position.rows, offset=position.offset, line=position.line, good=good, bad=bad
        )

    def end(self, adapter: str, digest: str, now: float, reason: str | None = None) -> None:
        self._change(adapter, digest, state="refused" if reason else "done", reason=reason, ended=now)

    def keep(
        self, adapter: str, digest: str, rows: Sequence[tuple[int, int, Sequence[Finding], str]], now: float
    ) -> None:
        """Rows into quarantine: number, line, what is wrong, sealed piece. Those that are there already stay."""
        known = {
            number
            for (number,) in self._connection.execute(
                sa.select(_waiting.c.number).where(
                    _waiting.c.adapter == adapter, _waiting.c.digest == digest,
                    _waiting.c.number.in_([number for number, *_ in rows]),
                )
            )
        }  # fmt: skip
        new = [
            {
                "adapter": adapter, "digest": digest, "number": number, "line": line, "state": "waiting",
                "reasons": json.dumps([[one.field, one.reason] for one in findings]), "piece": piece, "since": now,
            }
            for number, line, findings, piece in rows
            if number not in known
        ]  # fmt: skip
        if new:
            self._connection.execute(_waiting.insert(), new)

    def waiting(self, adapter: str, state: str = "waiting", limit: int = 1_000) -> list[WaitingRow]:
        query = _waiting.select().where(_waiting.c.adapter == adapter, _waiting.c.state == state)
        query = query.order_by(_waiting.c.since, _waiting.c.digest, _waiting.c.number).limit(limit)
        return [_row(one) for one in self._connection.execute(query).mappings()]

    def one_waiting(self, adapter: str, digest: str, number: int) -> WaitingRow | None:
        query = _waiting.select().where(
            _waiting.c.adapter == adapter, _waiting.c.digest == digest, _waiting.c.number == number
        )
        return next(map(_row, self._connection.execute(query).mappings()), None)

    def settle(self, adapter: str, digest: str, number: int, state: str, was: str = "waiting") -> bool:
        """`mended` or `dropped`; False when it waits no more. What stood there is not kept."""
        return self._turn(adapter, digest, number, was, state=state, piece="")

    def due(self, adapter: str, digest: str, number: int, piece: str | None = None) -> bool:
        """To be driven once more: as it stands, or as somebody mended it (sealed). False when it does not wait."""
        changed = {} if piece is None else {"piece": piece}
        return self._turn(adapter, digest, number, "waiting", state="due", **changed)

    def again(self, adapter: str, digest: str, number: int, reason: str) -> bool:
        """Refused anew: it waits, for this reason now."""
        return self._turn(
            adapter, digest, number, "due", state="waiting", reasons=json.dumps([[None, reason]])
        )  # fmt: skip

    def forget(self, adapter: str, before: float) -> int:
        """Rows that waited since before that moment are given up, their values gone. Returns how many."""
        done = self._connection.execute(
            _waiting.update()
            .where(_waiting.c.adapter == adapter, _waiting.c.state == "waiting", _waiting.c.since < before)
            .values(state="dropped", piece="")
        )
        return int(done.rowcount)

    def counts(self, adapter: str) -> dict[str, int]:
        """state of waiting rows -> how many."""
        query = sa.select(_waiting.c.state, sa.func.count()).where(_waiting.c.adapter == adapter)
        rows = self._connection.execute(query.group_by(_waiting.c.state))
        return {state: int(count) for state, count in rows}

    def _turn(self, adapter: str, digest: str, number: int, was: str, **values: Any) -> bool:
        done = self._connection.execute(
            _waiting.update()
            .where(
                _waiting.c.adapter == adapter, _waiting.c.digest == digest, _waiting.c.number == number,
                _waiting.c.state == was,
            )
            .values(**values)
        )  # fmt: skip
        return bool(done.rowcount)

    def _change(self, adapter: str, digest: str, **values: Any) -> None:
        self._connection.execute(
            _files.update().where(_files.c.adapter == adapter, _files.c.digest == digest).values(**values)
        )


def batches(found: Iterator[Any], size: int) -> Callable[[], list[Any]]:
    """The next `size` of an iterator, for a thread to fetch."""

    def fetch() -> list[Any]:
        some = []
        for one in found:
            some.append(one)
            if len(some) == size:
                break
        return some

    return fetch


def _file(row: Any) -> FileState:
    position = Position(row["rows"], row["offset"], row["line"])
    return FileState(row["digest"], row["state"], row["reason"], row["good"], row["bad"], position)


def _row(row: Any) -> WaitingRow:
    reasons = tuple((name, reason) for name, reason in json.loads(row["reasons"]))
    return WaitingRow(row["digest"], row["number"], row["line"], row["state"], reasons, row["piece"])
