"""One adapter at work: what fell into its folder is taken in, what somebody mended is driven, what is old is forgotten.

async with Post(…).manned():  turn() ─► turn() ─► …        nothing else takes from this folder meanwhile
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from integrator.adapters.book import Book
from integrator.adapters.drops import Drop, DropTaken
from integrator.adapters.findings import FileRefused
from integrator.adapters.intake import Intake, Result, Stopped
from integrator.adapters.serving import Serving
from integrator.adapters.ways.failing import WayFailed
from integrator.database import Database
from integrator.errors import SourceError

_DAY = 86_400.0
_PAUSES, _LONGEST = 5, 300.0  # until a source that could not say is asked again: pauses the first time; seconds at most
Told = Callable[..., None]  # event, then words of the log: never a name of a file or a value


class Way(Protocol):
    """How what a package has gets into work/, where it is no folder of ours."""

    async def bring(self) -> bool:
        """Whether something of it lies in work/ now. What is wrong with the package is told, not raised."""

    async def settled(self, path: Path, state: str) -> None:
        """A file of work/ was taken in (done, already) or refused."""

    async def close(self) -> None:
        """Let go of what is open; the next `bring` opens it again."""


@dataclass(slots=True)
class Post:
    """A drop, and the intake of what falls into it."""

    adapter: str
    drop: Drop
    intake: Intake
    database: Database
    now: Callable[[], float]
    tell: Told
    way: Way | None = None  # None: the package writes into the drop itself
    keep_days: float = 7.0  # files that were settled
    waiting_days: float = 90.0  # rows in quarantine
    then: Callable[[], Awaitable[None]] | None = None  # what follows once everything whole was taken in
    _tidied: float = field(default=0.0)
    _strange: int = field(default=0)

    @asynccontextmanager
    async def manned(self) -> AsyncIterator[None]:
        """Raises `DropTaken` when somebody else takes from this folder."""
        with self.drop.alone():
            try:
                yield
            finally:
                if self.way is not None:
                    await self.way.close()

    async def turn(self) -> list[Result]:
        """Everything that is whole by now. Raises `Stopped` when the effect cannot go on: the next turn goes on from there."""
        await self.intake.drive()
        results = await self._taken()  # what a killed process left, too
        while self.way is not None and await self.way.bring():
            results += await self._taken()
        if self.then is not None:
            await self.then()
        await self._look_after()
        return results

    async def _taken(self) -> list[Result]:
        results = []
        for path in await asyncio.to_thread(self.drop.look):
            try:
                result = await self.intake.take(path)
            except FileRefused as refused:  # seen by the check first; here only when the disk fails us
                self.tell("adapter_file_refused", connector=self.adapter, reason=refused.reason)
                await self._settled(path, "refused")
                continue
            await self._settled(path, result.state)
            self._told(result)
            results.append(result)
        return results

    async def _settled(self, path: Path, state: str) -> None:
        if self.way is not None:
            await self.way.settled(path, state)
        await asyncio.to_thread(self.drop.settled, path, state)

    async def watch(self, pause: float) -> None:
        """Turn after turn, until cancelled; what fails is told and tried again."""
        taken = False
        while True:
            try:
                async with self.manned():
                    taken = False
                    await self._turns(pause)
            except DropTaken:
                if not taken:
                    self.tell("adapter_folder_taken", connector=self.adapter)
                taken = True
            await asyncio.sleep(pause)

    async def _turns(self, pause: float) -> None:
        await _on_and_on(self.turn, self.adapter, self.tell, pause)

    async def _look_after(self) -> None:
        strange = await asyncio.to_thread(self.drop.strange)
        if strange != self._strange:
            self.tell("adapter_folder_holds_no_files", connector=self.adapter, count=strange)
        self._strange = strange
        now = self.now()
        if now - self._tidied < 3600:
            return
        self._tidied = now
        await asyncio.to_thread(self.drop.forget, self.keep_days * _DAY)
        given_up = await self.database.run(lambda c: Book(c).forget(self.adapter, now - self.waiting_days * _DAY))
        if given_up:
            self.tell("adapter_rows_given_up", connector=self.adapter, count=given_up)

    def _told(self, result: Result) -> None:
        why = {"reason": result.file.reason} if result.file.reason else {}
        self.tell("adapter_file", connector=self.adapter, state=result.state, count=result.file.good, **why)
        if result.file.bad and result.state == "done":
            self.tell("adapter_rows_waiting", connector=self.adapter, count=result.file.bad)


@dataclass(slots=True)
class Outgoing:
    """Files for a package, one after the other."""

    adapter: str
    drop: Drop  # for its lock: one process writes
    serving: Serving
    tell: Told
    waiting_days: float = 90.0  # messages in quarantine
    _tidied: float = -3600.0

    @asynccontextmanager
    async def manned(self) -> AsyncIterator[None]:
        """Raises `DropTaken` when somebody else writes for this package."""
        with self.drop.alone():
            try:
                yield
            finally:
                await self.serving.shelf.close()

    async def turn(self) -> int:
        """Everything there is now. Returns how many rows were written."""
        written = 0
        await self._look_after()
        while rows := await self.serving.turn():
            self.tell("adapter_file_written", connector=self.adapter, count=rows)
            written += rows
        return written

    async def watch(self, pause: float) -> None:
        """Turn after turn, until cancelled; what fails is told and tried again."""
        while True:
            with suppress(DropTaken):
                async with self.manned():
                    await self._turns(pause)
            await asyncio.sleep(pause)

    async def _turns(self, pause: float) -> None:
        await _on_and_on(self.turn, self.adapter, self.tell, pause)

    async def _look_after(self) -> None:
        """Once an hour: messages that the package could not hold are given up when they waited too long."""
        now, days = self.serving.now(), self.waiting_days
        if now - self._tidied < 3600:
            return
        self._tidied = now
        given_up = await self.serving.database.run(lambda c: Book(c).forget(self.adapter, now - days * _DAY))
        if given_up:
            self.tell("adapter_rows_given_up", connector=self.adapter, count=given_up)


async def _on_and_on(
    turn: Callable[[], Awaitable[Any]], adapter: str, tell: Told, pause: float, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
) -> None:  # fmt: skip
    """Turn after turn. What goes wrong is told once, until it is over or something else goes wrong."""
    said, down = "", 0  # `down`: turns that a source stopped, since one went well
    while True:
        wrong, rest = "", pause
        try:
            await turn()
            down = 0
        except Exception as error:  # a post that died silently would be files that nobody reads
            cause = error.__cause__ if isinstance(error, Stopped) else error
            wrong = type(cause).__name__
            if wrong != said:
                why = {"reason": error.reason} if isinstance(error, WayFailed) else {}
                tell("adapter_stopped", connector=adapter, error=wrong, **why)
            if isinstance(cause, SourceError):  # each asking again is recorded: not as often as one looks
                down += 1
                rest = seldom(pause, down)
        said = wrong
        await sleep(rest)


def seldom(pause: float, down: int) -> float:
    """Seconds until a source is asked again that could not say for the `down`th time: twice as long each time, up to five minutes.

    Not spread at random: one post asks it.

    >>> [seldom(2.0, down) for down in (1, 2, 3, 99)]
    [10.0, 20.0, 40.0, 300.0]
    """
    first = min(_PAUSES * pause, _LONGEST)
    return max(pause, min(first * 2.0 ** min(down - 1, 30), _LONGEST))
