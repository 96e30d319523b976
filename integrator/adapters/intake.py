"""A file is taken in: checked whole, then row by row; good rows have their effect once, bad ones wait in quarantine.

    digest ─► seen before? ─► check the whole file ─► rows in batches: effect ─► position and waiting rows, one commit

A crash between an effect and its commit brings the effect again, under the same key: whoever has the effect (the outbox)
takes a key once. So no row is lost and none has its effect twice, wherever it stops.
"""

from __future__ import annotations

import asyncio
import hashlib
from bisect import bisect_left
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from integrator import clock
from integrator.adapters.book import Book, FileState, WaitingRow, batches
from integrator.adapters.checking import Judged, Report, check, judge
from integrator.adapters.findings import FileRefused
from integrator.adapters.layout import Layout, Row
from integrator.adapters.mending import heading, row_of, under_its_heading
from integrator.adapters.reading import Position, rows
from integrator.database import Database
from integrator.errors import Issue, MalformedRequest

BATCH = 500  # rows between two commits


@dataclass(frozen=True, slots=True)
class Taken:
    """One good row, on its way to its effect."""

    key: str  # idempotency key: the same row of the same file (or of the same view) has the same one for ever
    number: int  # of the row in its file, from 1
    values: dict[str, Any]
    about: str = ""  # of rows gathered: what they were gathered by


# Durable when it returns; a key it knows already is passed over. Key -> reason of those that were refused, which wait then.
Effect = Callable[[Sequence[Taken]], Awaitable[Mapping[str, str] | None]]
Seal = Callable[[str, str], str]  # use, text -> sealed text (and back)


class Stopped(Exception):
    """The effect cannot go on: the hub or its ledger is down, a limit is reached. What was settled by then stays settled."""

    def __init__(self, settled: frozenset[str], refused: Mapping[str, str]) -> None:
        super().__init__("stopped")
        self.settled, self.refused = settled, refused  # keys, refused ones among them; key -> reason


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
        try:
            await self._load(path, file, report)
        except FileRefused as refused:
            if not self._layout.whole:
                raise
            return await self._refused(digest, report, refused)
        await self._database.run(lambda connection: Book(connection).end(self._adapter, digest, self._now()))
        return Result("done", report, await self._known(digest))

    async def _load(self, path: Path, file: FileState, report: Report) -> None:
        good, bad, above = file.good, file.bad, heading(self._layout, path)
        size = report.rows if self._layout.whole else self._batch
        fetch = batches(self._behind(path, file.position, report), size)
        while some := await asyncio.to_thread(fetch):
            stopped: Stopped | None = None
            try:
                refused = await self._effected(file.digest, some)
            except Stopped as stop:
                some, refused, stopped = self._settled(file.digest, some, stop), stop.refused, stop
            some = [self._told(file.digest, one, refused) for one in some]
            wrong = sum(bool(one.findings) for one in some)
            good, bad = good + len(some) - wrong, bad + wrong
            if some:
                await self._database.run(partial(self._moved, file.digest, above, some, good, bad))
            if stopped is not None:
                raise stopped

    async def _effected(self, digest: str, some: Sequence[Judged]) -> Mapping[str, str]:
        taken = [
            Taken(self._key(digest, one), one.number, one.values)
            for one in some
            if not one.findings
        ]  # fmt: skip
        return (await self._effect(taken) or {}) if taken else {}

    def _key(self, digest: str, one: Judged) -> str:
        """Of a row by its place in the file, or by itself where it has no place of its own."""
        return key_of(self._adapter, one.row.itself or digest, 0 if one.row.itself else one.number)

    def _settled(self, digest: str, some: Sequence[Judged], stop: Stopped) -> list[Judged]:
        """The rows before the first that is not settled: so far the position moves."""
        whole = []
        for one in some:
            if not one.findings and self._key(digest, one) not in stop.settled:
                break
            whole.append(one)
        return whole

    def _told(self, digest: str, one: Judged, refused: Mapping[str, str]) -> Judged:
        """A row that the hub refused waits, as one that is wrong does."""
        reason = refused.get(self._key(digest, one)) if refused and not one.findings else None
        return one if reason is None else Judged(one.number, one.row, {}, (one.row.finding(None, reason),))

    def _moved(self, digest: str, above: bytes, some: Sequence[Judged], good: int, bad: int, connection: Any) -> None:
        """Position and waiting rows of one batch."""
        book = Book(connection)
        waiting = [
            (one.number, one.row.line, one.findings, self._seal("adapter", (above + one.row.piece).decode("latin-1")))
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

    async def offer(self, digest: str, number: int, text: str, before: Callable[[], object] | None = None) -> None:
        """A waiting row as a person wrote it anew is due. Raises `MalformedRequest` when it is still not good.

        `before`: done in a thread once the row is good, ahead of anything that stays; what it raises leaves all as it was.
        """
        waiting = await self._database.run(lambda c: Book(c).one_waiting(self._adapter, digest, number))
        if waiting is None or waiting.state != "waiting":
            raise _not_there()
        text = under_its_heading(text, self.piece(waiting.piece))
        row = await asyncio.to_thread(self._one_row, text)
        _, findings = judge(self._layout, row)
        if findings:
            raise MalformedRequest(
                *(Issue("rejectedInput", "body", f"/{one.field or 'row'}", one.advice) for one in findings)
            )
        piece = self._seal("adapter", text.encode(self._layout.encoding, "replace").decode("latin-1"))
        if before is not None:
            await asyncio.to_thread(before)
        if not await self._database.run(lambda c: Book(c).due(self._adapter, digest, number, piece)):
            raise _not_there()

    async def drive(self, digest: str | None = None, number: int | None = None) -> dict[str, str]:
        """Rows that are due have their effect; those that are refused (key -> reason) wait again. Raises `Stopped`."""
        due = await self._database.run(lambda c: Book(c).waiting(self._adapter, "due"))
        told: dict[str, str] = {}
        for one in due:
            if digest is None or (one.digest, one.number) == (digest, number):
                told |= await self._drive(one)
        return told

    async def _drive(self, one: WaitingRow) -> Mapping[str, str]:
        row = await asyncio.to_thread(self._one_row, self.piece(one.piece))
        values, findings = judge(self._layout, row)
        key = key_of(self._adapter, one.digest, one.number)
        refused: Mapping[str, str] = (
            {key: findings[0].reason} if findings else await self._effect([Taken(key, one.number, values)]) or {}
        )
        if refused:
            await self._database.run(lambda c: Book(c).again(self._adapter, one.digest, one.number, refused[key]))
        else:
            await self._database.run(lambda c: Book(c).settle(self._adapter, one.digest, one.number, "mended", "due"))
        return refused

    def piece(self, sealed: str) -> str:
        """What stood in a waiting row, for the person who mends it."""
        return self._unseal("adapter", sealed).encode("latin-1").decode(self._layout.encoding, "replace")

    def _one_row(self, text: str) -> Row:
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


def _not_there() -> MalformedRequest:
    return MalformedRequest(Issue("rejectedInput", "body", "/row", "no such row waits; look at the list again"))


def key_of(adapter: str, digest: str, number: int) -> str:
    """The idempotency key of a row, as a UUID: elsewhere eleven digits in a row are taken for somebody's number.

    >>> key_of("permits", "00" * 32, 1)
    'f84abf8d-f7e3-9202-8ec4-e8225233bbab'
    """
    told = hashlib.sha256(f"{adapter}/{digest}/{number}".encode()).hexdigest()
    return f"{told[:8]}-{told[8:12]}-{told[12:16]}-{told[16:20]}-{told[20:32]}"


def digest_of(path: Path) -> str:
    """SHA-256 of a file, hex."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _behind(number: int, row: Row) -> Position:
    if row.offset is None or row.length is None:
        return Position(number)
    return Position(number, row.offset + row.length, row.line + max(1, row.piece.count(b"\n") + 1))
