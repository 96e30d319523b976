"""Packages that are asked page by page. A page becomes a file of ours, and goes the way of every file.

    position ─► fetch ─► rows that were not met ─► journal: page ─► work/<digest> ─► intake ─► journal: position, rows met

The position moves when every row of the page had its effect or waits. Killed before that, the page lies in work/ and is
finished first; it is not fetched again, so that what waits of it waits once. A row's key is the digest of the row, so
that a row met twice has one effect, and one that changed has another.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Protocol, TypeVar

from integrator.adapters.drops import Drop
from integrator.adapters.ways.failing import WayFailed
from integrator.adapters.ways.journal import Journal
from integrator.adapters.ways.looks import Looks
from integrator.database import Database

T = TypeVar("T")
_DAY = 86_400.0
_KNOWN = 1_000  # pages of nothing but known rows that one look goes through


@dataclass(frozen=True, slots=True)
class Page:
    """What a package gave at once."""

    rows: Sequence[Any]  # objects of plain JSON values; anything else waits as no row
    position: Any  # JSON: where to go on when these rows are settled
    more: bool  # whether there is more now
    forget: float | None = None  # rows of a lower place will not be met again
    again: float | None = None  # the place of rows that were met before; None: where they stood
    finding: str | None = None  # something is wrong beside these rows, a code of findings.ADVICE


class Pages(Protocol):
    """One package. `fetch` goes on behind the page before; after `again` it begins at the position once more."""

    async def fetch(self, position: Any) -> Page:
        """Raises `WayFailed`."""

    def again(self) -> None: ...

    async def close(self) -> None: ...

    def place(self, row: Any) -> float:
        """Of a row, on the scale of `Page.forget`."""


@dataclass(slots=True)
class Polled:
    """The way into a package that is asked. One of them runs at a time (`Drop.alone`)."""

    adapter: str
    pages: Pages
    database: Database
    drop: Drop
    now: Callable[[], float]
    tell: Callable[..., None]
    looks: Looks = field(init=False)
    _later: float = 0.0  # when to look again

    def __post_init__(self) -> None:
        self.looks = Looks(self.adapter, self.database, self.now, self.tell)

    async def close(self) -> None:
        await self.pages.close()

    async def bring(self) -> bool:
        """Whether something of it lies in work/ now."""
        if self.now() < self._later:
            return False
        try:
            return await self._bring()
        except WayFailed as failed:
            self._later = self.now() + failed.later
            self.pages.again()
            await self.looks.told(failed.reason)
            return False
        except BaseException:
            self.pages.again()
            raise

    async def settled(self, path: Path, state: str) -> None:
        """The page in work/ was taken in, or refused."""
        if state == "refused":
            await self._run(lambda journal: journal.leave(path.name))
            self.pages.again()
            return
        lines = (await asyncio.to_thread(path.read_bytes)).splitlines(keepends=True)
        rows = {digest_of(line): self.pages.place(json.loads(line.decode("utf-8", "surrogatepass"))) for line in lines}
        await self._run(lambda journal: journal.settle(path.name, rows))

    async def _bring(self) -> bool:
        for _ in range(_KNOWN):
            state = await self._run(Journal.state)
            page = await self.pages.fetch(state.position)
            lines = {digest_of(line): line for line in map(line_of, page.rows)}
            fresh = await self._run(partial(Journal.unknown, digests=list(lines)))
            if page.again is not None:
                known = [digest for digest in lines if digest not in fresh]
                await self._run(partial(Journal.again, digests=known, place=page.again, below=page.again - _DAY))
            if fresh:
                content = b"".join(line for digest, line in lines.items() if digest in fresh)
                await self.looks.told(None, more=True)
                await self._run(partial(Journal.begin, page=digest_of(content), beyond=page.position))
                await asyncio.to_thread(self._land, content)
                return True
            if page.position != state.position:
                await self._run(partial(Journal.moved, position=page.position))
            if not page.more:
                await self._ended(page)
                return False
        return False

    async def _ended(self, page: Page) -> None:
        if page.forget is not None:
            await self._run(partial(Journal.forget, below=page.forget))
        await self.looks.told(page.finding)

    def _land(self, content: bytes) -> None:
        landing = self.drop.landing()
        landing.write(content)
        landing.keep()

    async def _run(self, work: Callable[[Journal], T]) -> T:
        return await self.database.run(lambda connection: work(Journal(connection, self.adapter)))


def line_of(row: Any) -> bytes:
    """A row as it lies in work/: the same values are the same bytes. Half signs of UTF-16 stay, for the check to find."""
    return json.dumps(row, ensure_ascii=False, sort_keys=True, allow_nan=False).encode("utf-8", "surrogatepass") + b"\n"


def digest_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


async def collected(pages: Pages, path: Path, most: int) -> str | None:
    """Rows of a look from the beginning, into a file as they would lie in work/; what is wrong beside them. Nothing is kept.

    Raises `WayFailed`.
    """
    count, finding = 0, None
    try:
        with path.open("wb") as file:
            while count < most:
                page = await pages.fetch(None)
                file.writelines(map(line_of, page.rows[: most - count]))
                count, finding = count + len(page.rows), page.finding or finding
                if not page.more:
                    break
    finally:
        await pages.close()
    return finding
