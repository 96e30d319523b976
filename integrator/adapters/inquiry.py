"""Rows become questions, answers become rows of a file: each row is answered once, however often anything stops.

    row ─► ask ─► answer, durable ─► page of answers ─► Serving writes the file, once
            └─ nobody knows: open, asked again until its time is over; then the row says so. Never a no.

A kill between question and answer asks again, which changes nothing: what counts is the first answer that is durable.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from integrator.adapters.asking import Asking
from integrator.adapters.completing import ANSWER
from integrator.adapters.intake import Seal, Stopped, Taken, key_of
from integrator.adapters.questions import Pending, Questions
from integrator.adapters.serving import Page
from integrator.database import Database

LINES = 4  # questions under way; a hub lets one application have twelve
_PAGE = 500


@dataclass(frozen=True, slots=True)
class Said:
    """What came of asking once."""

    outcome: str  # answered | notFound | unknown | refused
    answer: Mapping[str, Any]  # what `answer.NAME` is
    reason: str | None = None


Ask = Callable[[Mapping[str, Any]], Awaitable[Said]]  # raises when the hub cannot go on now


class Inquiry:
    """`Effect` of an intake: a row is settled when it was answered or is open. A refused one waits in quarantine."""

    def __init__(
        self, part: Asking, key: Sequence[str], database: Database, ask: Ask,
        *, seal: Seal, unseal: Seal, tag: Seal, now: Callable[[], float],
    ) -> None:  # fmt: skip
        """`tag`: the same text gives the same one, and nobody without its key can try texts."""
        self._part, self._key, self._database, self._ask = part, tuple(key), database, ask
        self._seal, self._unseal, self._tag, self._now = seal, unseal, tag, now
        self._lines = asyncio.Semaphore(LINES)

    async def __call__(self, rows: Sequence[Taken]) -> Mapping[str, str]:
        ids = {row.key: self._id(row) for row in rows}
        known = await self._database.run(lambda c: self._book(c).known(list(ids.values())))
        refused, settled = dict[str, str](), set[str]()
        fresh: dict[str, Taken] = {}
        for row in rows:
            before = known.get(ids[row.key]) or (
                self._digest(fresh[ids[row.key]].values) if ids[row.key] in fresh else None
            )
            if before is None:
                fresh[ids[row.key]] = row
                continue
            settled.add(row.key)
            if before != self._digest(row.values):
                refused[row.key] = "KEY_REUSED"
        found = await asyncio.gather(
            *(self._first(id_, row) for id_, row in fresh.items()), return_exceptions=True
        )  # fmt: skip
        failed: BaseException | None = None
        for row, one in zip(fresh.values(), found, strict=True):
            if isinstance(one, BaseException):
                failed = failed or one
                continue
            settled.add(row.key)
            if one is not None:
                refused[row.key] = one
        if failed is not None:
            raise Stopped(frozenset(settled), refused) from failed
        return refused

    async def turn(self) -> int:
        """Those that are due are asked again. Returns how many were answered. Raises `Stopped`."""
        now = self._now()
        due = await self._database.run(lambda c: self._book(c).due(now, _PAGE))
        found = await asyncio.gather(*(self._again(one) for one in due), return_exceptions=True)
        failed = next((one for one in found if isinstance(one, BaseException)), None)
        if failed is not None:
            raise Stopped(frozenset(), {}) from failed
        return sum(one for one in found if isinstance(one, int))

    async def fetch(self, cursor: str | None) -> Page:
        """`Fetch` of a serving: answers that the package does not have; the cursor acknowledges those of before."""
        if cursor is not None:
            await self._database.run(lambda c: self._book(c).told(int(cursor)))
        page = await self._database.run(lambda c: self._book(c).page(_PAGE))
        return [self._told(id_, answer) for id_, answer, _ in page], str(page[-1][2]) if page else None

    def _told(self, id_: str, sealed: str) -> Mapping[str, Any]:
        """As an event that a question was asked for: `completing.reach` finds `row.x` in its data, and `answer.x`."""
        told = json.loads(self._unseal("adapter", sealed))
        return {"id": id_, ANSWER: told.pop("answer"), "data": told}

    async def _first(self, id_: str, row: Taken) -> str | None:
        """Why it is refused; None: it is answered, or open."""
        said = await self._asked(row.values)
        if said.outcome == "refused":
            return said.reason or "REFUSED"
        now, part = self._now(), self._part
        sealed = self._seal("adapter", json.dumps(row.values, default=str))
        answer = None if said.outcome == "unknown" else self._event(row.values, said)

        def kept(connection: Any) -> None:
            book = self._book(connection)
            book.keep(id_, self._digest(row.values), sealed, now + part.after, now + part.until)
            if answer is not None:
                book.answered(id_, answer)

        await self._database.run(kept)
        return None

    async def _again(self, one: Pending) -> int:
        """What is refused by now is not known either: an authorisation that ended says nothing about anybody."""
        row = json.loads(self._unseal("adapter", one.row))
        said = await self._asked(row)
        if said.outcome in ("unknown", "refused"):
            if self._now() < one.until:
                await self._database.run(lambda c: self._book(c).again(one.id, self._now() + self._part.after))
                return 0
            said = Said("unknown", said.answer, said.reason)
        await self._database.run(partial(self._answered, one.id, self._event(row, said)))
        return 1

    async def _asked(self, row: Mapping[str, Any]) -> Said:
        async with self._lines:
            return await self._ask(self._part.body(row))

    def _answered(self, id_: str, answer: str, connection: Any) -> None:
        self._book(connection).answered(id_, answer)

    def _event(self, row: Mapping[str, Any], said: Said) -> str:
        """Sealed: what a row of the answers may be made of."""
        told = {"row": dict(row), "outcome": said.outcome, "answer": dict(said.answer)}
        if said.reason is not None:
            told["reason"] = said.reason
        return self._seal("adapter", json.dumps(told, default=str))

    def _id(self, row: Taken) -> str:
        """The same question has the same one in every file: by the key of the layout, else by its place."""
        if not self._key:
            return row.key
        named = json.dumps([row.values.get(name) for name in self._key], default=str)
        return key_of(self._part.adapter, self._tag("adapter key", named), 0)

    def _digest(self, values: Mapping[str, Any]) -> str:
        """Tells whether the same was asked; a national number stands in it."""
        return self._tag("adapter row", json.dumps(values, sort_keys=True, default=str))

    def _book(self, connection: Any) -> Questions:
        return Questions(connection, self._part.adapter)
