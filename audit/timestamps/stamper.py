"""Has the newest anchor checkpoint stamped by every authority, once a minute when it grew; nobody ever waits for it.

Each authority has a thread of its own, so that one that hangs delays no other. Only the newest checkpoint is stamped:
by consistency it covers all before it, so nothing is to be caught up after an outage.

    <anchor>/timestamp/<size>-<tsa>.tsr     every raw response
    <anchor>/stamped/<tsa>                  the checkpoint it stamped last: the one to put into evidence (newest.py)

    nothing stamped for 15 minutes by one of them   alarm: a log line every time, health, a metric
    nothing stamped for 4 hours by any of them      `overdue`: the hub may refuse new exchanges (0 hours = never)
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from audit.errors import LedgerError
from audit.posting import Unreachable
from audit.timestamps.tsa import Stamp
from audit.waiting import Anchor, Waiting, anchor_of
from audit.worker import Tell, Worker, by_logging


class Writes(Protocol):
    """Where stamps are kept: audit.log's Publication."""

    def write(self, path: str, data: bytes) -> None: ...


class Authority(Protocol):
    """Who stamps: audit.timestamps.tsa.Tsa."""

    @property
    def name(self) -> str: ...
    def stamp(self, text: bytes) -> Stamp: ...


@dataclass(frozen=True, slots=True)
class TsaStatus:
    """How one authority does."""

    name: str
    size: int  # anchor size it stamped last; -1 = never
    stamped_at: float | None  # epoch seconds, by its own clock
    age: float | None  # seconds since then; None = never
    waiting: float  # seconds that something unstamped has waited; 0 = nothing waits
    failures: int  # since the process began
    reason: str  # of the last failure: its type; "" after a success
    detail: str  # the same in words, for operators
    alarm: bool


@dataclass(frozen=True, slots=True)
class StamperStatus:
    """How time stamping does; `overdue` = long enough without any stamp that new exchanges are to be refused."""

    tsas: tuple[TsaStatus, ...]
    alarm: bool
    overdue: bool


class Stamper:
    """Give its `on_anchor` to the Publisher. Without authorities it does nothing, and its status says so."""

    def __init__(
        self,
        tsas: Sequence[Authority],
        publication: Writes,
        state: Path,
        *,
        every: float = 60.0,
        alarm_after: float = 900.0,
        stop_after: float = 14_400.0,
        clock: Callable[[], float] = time.time,
        tell: Tell = by_logging,
    ) -> None:
        """Seconds everywhere. `state`: folder that remembers since when a stamp is due."""
        self._stop_after = stop_after
        self._lines = [
            _Line(tsa, publication, Waiting(state / f"{tsa.name}.json", clock), every, alarm_after, clock, tell)
            for tsa in tsas
        ]
        self._workers = [
            Worker(f"stamp-{line.name}", line.step, every=min(every, 10.0), failed=line.failed) for line in self._lines
        ]

    def on_anchor(self, note: bytes) -> None:
        """A new anchor checkpoint was published. Returns at once."""
        for line, worker in zip(self._lines, self._workers, strict=True):
            line.offer(note)
            worker.wake()

    def start(self) -> None:
        """Begin stamping in threads of its own."""
        for worker in self._workers:
            worker.start()

    def step(self) -> None:
        """One turn of every authority, in this thread; for tests and for stamping by hand."""
        for line in self._lines:
            line.step()

    def close(self) -> None:
        """Stop; a request under way is not waited for longer than a moment."""
        for worker in self._workers:
            worker.close(patience=0.0)
        for worker in self._workers:
            worker.close(patience=0.5)

    def concerns(self, size: int) -> bool:
        """Whether this anchor size was the last one stamped by somebody, or is being stamped now."""
        return any(size in (line.waiting.done_size, line.trying) for line in self._lines)

    def status(self) -> StamperStatus:
        """How each authority does, now."""
        tsas = tuple(line.status() for line in self._lines)
        return StamperStatus(tsas, any(tsa.alarm for tsa in tsas), self.overdue())

    def overdue(self) -> bool:
        """Whether no authority stamped for longer than `stop_after`, though something waited. Cheap enough to ask often."""
        if self._stop_after <= 0:
            return False
        for line in self._lines:
            if line.waiting.seconds() <= self._stop_after:
                return False
        return bool(self._lines)


class _Line:
    """One authority and what it has done."""

    def __init__(
        self,
        tsa: Authority,
        publication: Writes,
        waiting: Waiting,
        every: float,
        alarm_after: float,
        clock: Callable[[], float],
        tell: Tell,
    ) -> None:
        self._tell = tell
        self._tsa, self._publication = tsa, publication
        self.waiting, self._every, self._alarm_after, self._clock = waiting, every, alarm_after, clock
        self.trying = -1  # the size last asked about
        self._tried = float("-inf")  # by our clock, when the last success or failure was
        self._failures, self._reason, self._detail = 0, "", ""

    @property
    def name(self) -> str:
        return self._tsa.name

    def offer(self, note: bytes) -> None:
        self.waiting.offer(anchor_of(note, self._clock()))

    def step(self) -> None:
        """Stamp the newest checkpoint, unless the last stamp is younger than `every` (a failure is retried after 10 s)."""
        anchor, now = self.waiting.next(), self._clock()
        if anchor is None:  # nothing for us: another process may be writing the anchor
            self.waiting.refresh()
        patience = min(self._every, 10.0) if self._reason else self._every
        if anchor is None or 0 <= now - self._tried < patience:
            return
        self._tried, self.trying = now, anchor.size
        try:
            stamp = self._tsa.stamp(anchor.text)
            self._keep(anchor, stamp)
        except (LedgerError, Unreachable, OSError) as error:
            self.failed(error)

    def failed(self, error: Exception) -> None:
        """Count it and say it; louder once it has lasted."""
        self._failures, self._reason = self._failures + 1, type(error).__name__
        self._detail, waits = str(error), self.waiting.seconds()
        level = "error" if waits > self._alarm_after else "warning"
        self._tell(level, "time_stamp_failed", source=self.name, error=self._reason, seconds=round(waits))

    def status(self) -> TsaStatus:
        at, waits = self.waiting.done_at, self.waiting.seconds()
        age = None if at is None else max(0.0, self._clock() - at)
        return TsaStatus(
            self.name, self.waiting.done_size, at, age, waits, self._failures, self._reason, self._detail, waits > self._alarm_after
        )  # fmt: skip

    def _keep(self, anchor: Anchor, stamp: Stamp) -> None:
        """The raw response is on disk before what points to it, and before the clock that alarms is set back."""
        self._publication.write(f"{anchor.origin}/timestamp/{anchor.size}-{self.name}.tsr", stamp.response)
        self._publication.write(f"{anchor.origin}/stamped/{self.name}", anchor.note)
        self.waiting.done(anchor, stamp.at.timestamp())
        self._reason = self._detail = ""
