"""A file is taken in: checked whole, then row by row; good rows have their effect once, bad ones wait in quarantine.

    digest ─► seen before? ─► check the whole file ─► rows in batches: effect ─► position and waiting rows, one commit

A crash between an effect and its commit brings the effect again, under the same key: whoever has the effect (the outbox)
takes a key once. So no row is lost and none has its effect twice, wherever it stops.
"""

from __future__ import annotations

import asyncio
import hashlib
from bisect import bisect_left
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from integrator import clock
from integrator.adapters.book import Book, FileState, batches
from integrator.adapters.checking import Judged, Report, check, judge
from integrator.adapters.findings import FileRefused
from integrator.adapters.layout import Layout, Row
from integrator.adapters.reading import Position, rows
from integrator.database import Database
from integrator.errors import Issue, MalformedRequest

BATCH = 500  # rows between two commits


@dataclass(frozen=True, slots=True)
class Taken:
    """One good row, on its way to its effect."""

    key: str  # idempotency key: the same row of the same file has the same one for ever
    number: int  # of the row in its file, from 1
    values: dict[str, Any]


Effect = Callable[[Sequence[Taken]], Awaitable[None]]  # durable when it returns; a key it knows already is passed over
Seal = Callable[[str, str], str]  # use, text -> sealed text (and back)


@dataclass(frozen=True, slots=True)
class Result:
    """How a file ended."""

    state: str  # done | refused | already
    report: Report | None
    file: FileState


class Intake:
    """Takes files of one layout. One of them per adapter runs at a time; a second would only do the same again."""

    def __init__(
        self, layout: Layout, database: Database, effect: Effect, *, seal: Seal, unseal: Seal, now: clock.Now, batch: int = BATCH
    ) -> None:  # fmt: skip
        self._layout, self._database, self._effect = layout, database, effect
        self._seal, self._unseal, self._now, self._batch = seal, unseal, now, batch

    @property
    def _adapter(self) -> str:
        return self._layout.adapter

    async def take(self, path: Path) -> Result:
        """All of a file, or what is left of it. A refused file says why and had no effect; it may be sent again, mended."""
        digest = await asyncio.to_thread(digest_of, path)
        file = await self._database.run(lambda connection: Book(connection).begin(self._adapter, digest, self._now()))
        if file.state == "done":
            return Result("already", None, file)
        report = await asyncio.to_thread(check, self._layout, path)
        if report.refusal is not None:
            return await self._refused(digest, report, report.refusal)
        await self._load(path, file, report)
        await self._database.run(lambda connection: Book(connection).end(self._adapter, digest, self._now()))
        return Result("done", report, await self._known(digest))

    async def _load(self, path: Path, file: FileState, report: Report) -> None:
        good, bad = file.good, file.bad
        fetch = batches(self._behind(path, file.position, report), self._batch)
        while some := await asyncio.to_thread(fetch):
            taken = [
                Taken(key_of(self._adapter, file.digest, one.number), one.number, one.values)
                for one in some
                if not one.findings
            ]
            if taken:
                await self._effect(taken)
            good, bad = good + len(taken), bad + len(some) - len(taken)
            await self._database.run(partial(self._moved, file.digest, some, good, bad))

    def _moved(self, digest: str, some: Sequence[Judged], good: int, bad: int, connection: Any) -> None:
        """Position and waiting rows of one batch."""
        book = Book(connection)
        waiting = [
            (one.number, one.row.line, one.findings, self._seal("adapter", one.row.piece.decode("latin-1")))
            for one in some
            if one.findings
        ]
        if waiting:
            book.keep(self._adapter, digest, waiting, self._now())
        book.moved(self._adapter, digest, _behind(some[-1].number, some[-1].row), good, bad)

    def _behind(self, path: Path, position: Position, report: Report) -> Iterator[Judged]:
        """Rows behind a position, judged as the check judged them."""
        for number, row in enumerate(rows(self._layout, path, position), start=position.rows + 1):
            values, findings = judge(self._layout, row)
            at = bisect_left(report.bad, number)
            bad = at < len(report.bad) and report.bad[at] == number
            if number > report.rows or (findings and not bad):
                raise FileRefused("NOT_WHOLE", "the file changed while it was read")
            if bad and not findings:
                findings = (row.finding(None, "DOUBLE"),)  # which only the whole file tells
            yield Judged(number, row, {} if findings else values, findings)

    async def mend(self, digest: str, number: int, text: str) -> None:
        """A waiting row, written anew by a person, has its effect. Raises `MalformedRequest` when it is still not good."""
        waiting = await self._database.run(
            lambda connection: Book(connection).one_waiting(self._adapter, digest, number)
        )
        if waiting is None or waiting.state != "waiting":
            raise MalformedRequest(Issue("rejectedInput", "body", "/row", "no such row waits; look at the list again"))
        row = await asyncio.to_thread(self._one_row, text)
        values, findings = judge(self._layout, row)
        if findings:
            raise MalformedRequest(
                *(Issue("rejectedInput", "body", f"/{one.field or 'row'}", one.advice) for one in findings)
            )
        await self._effect([Taken(key_of(self._adapter, digest, number), number, values)])
        await self._database.run(lambda connection: Book(connection).settle(self._adapter, digest, number, "mended"))

    def piece(self, sealed: str) -> str:
        """What stood in a waiting row, for the person who mends it."""
        return self._unseal("adapter", sealed).encode("latin-1").decode(self._layout.encoding, "replace")

    def _one_row(self, text: str) -> Row:
        from integrator.adapters.mending import row_of

        return row_of(self._layout, text)

    async def _refused(self, digest: str, report: Report, refusal: FileRefused) -> Result:
        await self._database.run(
            lambda connection: Book(connection).end(self._adapter, digest, self._now(), refusal.reason)
        )
        return Result("refused", report, await self._known(digest))

    async def _known(self, digest: str) -> FileState:
        found = await self._database.run(lambda connection: Book(connection).file(self._adapter, digest))
        assert found is not None  # noqa: S101 (it was begun above)
        return found


def key_of(adapter: str, digest: str, number: int) -> str:
    """The idempotency key of a row: 32 hex digits.

    >>> key_of("permits", "00" * 32, 1) == key_of("permits", "00" * 32, 1) != key_of("permits", "00" * 32, 2)
    True
    """
    return hashlib.sha256(f"{adapter}/{digest}/{number}".encode()).hexdigest()[:32]


def digest_of(path: Path) -> str:
    """SHA-256 of a file, hex."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _behind(number: int, row: Row) -> Position:
    if row.offset is None or row.length is None:
        return Position(number)
    return Position(number, row.offset + row.length, row.line + max(1, row.piece.count(b"\n") + 1))
