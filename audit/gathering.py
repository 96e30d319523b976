"""How the appends of one event loop come to the writer together, and how their callers are woken."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import NamedTuple

from audit.beside import Statement
from audit.entry import Commit, Prepared, Record
from audit.errors import LedgerUnwritable

BATCH = 512  # entries in one transaction, unless a single call brings more
TURNS = 3  # of the event loop between the first append and the batch; no time, only what is ready anyway


class Waiting(NamedTuple):
    entries: list[Prepared]
    future: asyncio.Future[list[Record]] | Future[list[Record]]
    loop: asyncio.AbstractEventLoop | None  # None: a thread waits
    beside: Sequence[Statement] = ()  # rows of others, in the same transaction


class Group:
    """The appends of one event loop, handed to the writer together: one batch under way, the next one gathers meanwhile.

    Without it the writer would wake for every append and fight the busy loop for the interpreter at each of them.
    """

    def __init__(
        self, hand_over: Callable[[list[Waiting]], None], settle: Callable[[list[Waiting], Exception], None]
    ) -> None:
        # Not the loop itself: one that is closed must be free to go.
        self._hand_over, self._settle = hand_over, settle
        self._gathered: list[Waiting] = []
        self._under_way = False  # handed over, or about to be at the end of this turn of the loop

    def add(self, waiting: Waiting) -> None:
        self._gathered.append(waiting)
        if not self._under_way:
            self._under_way = True
            self._gather(TURNS)

    def done(self, failure: Exception | None) -> None:
        """The batch under way is settled; when it failed, those behind it are told as well and do not wait for the store."""
        self._under_way = False
        if failure is not None:
            behind, self._gathered = self._gathered, []
            if behind:
                self._settle(behind, failure)
        elif self._gathered:
            self._under_way = True
            self._gather(TURNS)

    def _gather(self, turns: int) -> None:
        """Let the loop do what it has at hand first: those answers and questions join, and an idle loop waits for nothing."""
        if turns:
            asyncio.get_running_loop().call_soon(self._gather, turns - 1)
        else:
            self._flush()

    def _flush(self) -> None:
        batch: list[Waiting] = []
        count = 0
        for waiting in self._gathered:
            if batch and count + len(waiting.entries) > BATCH:
                break
            batch.append(waiting)
            count += len(waiting.entries)
        del self._gathered[: len(batch)]
        self._hand_over(batch)


def count_of(appends: list[Waiting]) -> int:
    return sum([len(waiting.entries) for waiting in appends])


def wake(
    members: list[tuple[Waiting, int | Exception]], commit: Commit | None = None, group: Group | None = None
) -> None:
    """Runs in the thread of the waiting loop, once for all members of a batch that wait there."""
    for (entries, future, *_), result in members:
        if future.done():  # its task was cancelled
            continue
        if isinstance(result, int):
            future.set_result(
                [Record(index, entry.leaf, entry.ts, commit) for index, entry in enumerate(entries, result)]
            )
        else:
            error = LedgerUnwritable(str(result) or type(result).__name__)
            error.__cause__ = result
            future.set_exception(error)
    if group is not None:
        group.done(next((result for _, result in members if isinstance(result, Exception)), None))
