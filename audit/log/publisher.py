"""The thread that publishes: every second what grew becomes tiles, and within ten seconds a signed checkpoint.

It sleeps when nothing grows, outlives a store that fails, and says so in `status`. Two kinds of failure:

    passing   the store or the disk does not answer: tried again at the next turn
    final     store, tiles and what was signed contradict each other: this log is not signed again until somebody looked
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from audit.errors import KeyMissing, LedgerError, LogAltered, RollbackRefused, ShardTaken
from audit.ledger import now as system_clock
from audit.log.anchor import AnchorLog
from audit.log.publication import Publication
from audit.log.shard import ShardLog
from audit.log.signing import Signers
from audit.log.state import SignedState
from audit.store import Store
from audit.tree.note import split_note
from audit.worker import Worker

SECOND = 1_000_000  # µs
_FINAL = (RollbackRefused, LogAltered, KeyMissing)


@dataclass(frozen=True, slots=True)
class LogStatus:
    """How one log does."""

    origin: str
    size: int  # entries in tiles
    signed: int  # entries under the newest checkpoint
    signed_at: int | None  # µs since 1970, by this process; None = not since it started
    waiting: float  # seconds that the oldest unsigned growth has waited; 0 = nothing waits
    failure: str  # type of the last failure, "" when the last turn went well
    final: bool  # nothing more is signed until somebody looked


@dataclass(frozen=True, slots=True)
class PublisherStatus:
    """How publishing does. `anchor` is None while another process writes the anchor."""

    shards: tuple[LogStatus, ...]
    anchor: LogStatus | None
    failures: int  # turns that failed since the process began
    anchor_failure: str  # why this process could not take the anchor on; "" when it did, or another process has it
    anchor_final: bool
    alive: bool  # whether the thread runs

    @property
    def final(self) -> bool:
        """Whether a log contradicts what was signed: an alarm, and nothing may be promised any more."""
        return self.anchor_final or any(one.final for one in self._logs())

    @property
    def failing(self) -> bool:
        """Whether the last turn of any log failed."""
        return bool(self.anchor_failure) or any(one.failure for one in self._logs())

    @property
    def waiting(self) -> float:
        """Seconds that the oldest entry without checkpoint waits."""
        return max((one.waiting for one in self._logs()), default=0.0)

    def _logs(self) -> tuple[LogStatus, ...]:
        return self.shards if self.anchor is None else (*self.shards, self.anchor)


@dataclass(slots=True)
class _Line:
    """One log under our hands, and what is remembered of its turns."""

    log: ShardLog
    stored: Callable[[], int] | None  # entries acknowledged, without asking the store; None = ask it
    signed_at: int | None = None
    grown_at: int | None = None  # when growth that is not signed yet was first seen
    failure: str = ""
    final: bool = False
    retiring: bool = False  # complete: sign once more, then let go

    def status(self, now: int) -> LogStatus:
        waiting = 0.0 if self.grown_at is None else max(0, now - self.grown_at) / SECOND
        return LogStatus(
            self.log.origin, self.log.size, self.log.signed.size, self.signed_at, waiting, self.failure, self.final
        )


class Publisher:
    """Publishes the shards it is given, and the anchor when no other process does.

    `every`, `sign_within`: seconds. `clock`: µs since 1970. `on_anchor` is called with every new anchor checkpoint, in
    this thread: who is called MUST return at once, and what it raises is counted and forgotten.
    """

    def __init__(
        self,
        store: Store,
        publication: Publication,
        state: SignedState,
        signers: Signers,
        *,
        anchor: str,
        clock: Callable[[], int] = system_clock,
        every: float = 1.0,
        sign_within: float = 10.0,
        on_anchor: Sequence[Callable[[bytes], None]] = (),
        on_failure: Callable[[str, Exception], None] | None = None,
    ) -> None:
        self.on_anchor = list(on_anchor)
        self._store, self._publication, self._state, self._signers = store, publication, state, signers
        self._anchor_name, self._clock, self._sign_within = anchor, clock, sign_within
        self._on_failure = on_failure
        self._turn = threading.Lock()  # one turn at a time; also guards the list of logs
        self._lines: dict[str, _Line] = {}
        self._anchor: AnchorLog | None = None
        self._anchor_line: _Line | None = None
        self._anchor_failure, self._anchor_final = "", False
        self._collected_at: int | None = None  # when shard checkpoints were looked for last
        self._fresh = False  # a shard of ours was signed since then
        self._asked_at: int | None = None  # when the lease of the anchor was asked for last
        self._failures = 0
        self._worker = Worker("publisher", self.step, every=every, failed=lambda error: self._fail(None, error))
        self._alive = False

    def publish(self, origin: str, *, stored: Callable[[], int] | None = None) -> None:
        """Take a shard on. Raises RollbackRefused when its store went back behind what was signed (rule R8),
        KeyMissing, StoreFailed. Call it before the shard is written to."""
        log = ShardLog(origin, self._store, self._publication, self._state, self._signers.signer(origin))
        with self._turn:
            self._lines[origin] = _Line(log, stored)

    def open_anchor(self) -> bool:
        """Take the anchor's lease if nobody has it; whether we do. Raises RollbackRefused, KeyMissing, StoreFailed."""
        with self._turn:
            return self._take_anchor()

    def retire(self, origin: str) -> None:
        """A shard that nobody writes to any more: its last checkpoint is signed and anchored, then it is let go."""
        with self._turn:
            if origin in self._lines:
                self._lines[origin].retiring = True
        self._worker.wake()

    def start(self) -> None:
        """Begin, in a thread of its own."""
        self._alive = True
        self._worker.start()

    def wake(self) -> None:
        """Take a turn now."""
        self._worker.wake()

    def close(self, *, sign: bool = True) -> None:
        """End the thread, sign what is left (unless told not to), give the anchor back. Never raises."""
        self._worker.close(patience=30.0)
        self._alive = False
        if sign:
            self.step(sign=True)
        with self._turn:
            if self._anchor is not None:
                self._anchor.close()
            self._anchor = self._anchor_line = None

    def cosigned(self, note: bytes) -> None:
        """An anchor checkpoint came back with the lines of witnesses: published, unless a newer one stands there."""
        path = f"{self._anchor_name}/checkpoint"
        with self._turn:
            if split_note(self._publication.read(path))[0] == split_note(note)[0]:
                self._publication.write(path, note)

    def step(self, *, sign: bool = False) -> None:
        """One turn over all logs; `sign` does not wait for the ten seconds. Never raises for a store that is down."""
        with self._turn:
            now = self._clock()
            for line in list(self._lines.values()):
                self._guarded(line, lambda line=line: self._shard(line, now, sign))  # type: ignore[misc]
            self._guarded(self._anchor_line, lambda: self._anchored(now, sign))
            for origin, line in list(self._lines.items()):
                if line.retiring and not line.failure and line.grown_at is None and self._is_anchored(line):
                    del self._lines[origin]

    def status(self) -> PublisherStatus:
        """How every log does. Cheap; asks nobody."""
        now = self._clock()
        anchor = self._anchor_line
        shards = tuple(line.status(now) for line in list(self._lines.values()))
        return PublisherStatus(
            shards, anchor.status(now) if anchor else None, self._failures,
            self._anchor_failure, self._anchor_final, self._alive,
        )  # fmt: skip

    # --- one turn

    def _shard(self, line: _Line, now: int, sign: bool) -> None:
        if line.stored is None or line.stored() > line.log.size:
            line.log.integrate()
        if self._maybe_sign(line, now, sign or line.retiring) is not None:
            self._fresh = True

    def _anchored(self, now: int, sign: bool) -> None:
        if self._anchor_final:
            return
        if self._anchor is None:
            if self._asked_at is not None and now - self._asked_at < self._sign_within * SECOND and not sign:
                return
            if not self._take_anchor():
                return
        anchor, line = self._anchor, self._anchor_line
        if anchor is None or line is None or line.final:
            return
        if self._fresh or sign or self._collected_at is None or now - self._collected_at >= self._sign_within * SECOND:
            anchor.collect()  # of all processes: theirs are only looked for every ten seconds
            line.log.integrate()
            self._collected_at, self._fresh = now, False
        note = self._maybe_sign(line, now, sign)
        if note is not None:
            self._tell_anchor(note)

    def _maybe_sign(self, line: _Line, now: int, sign: bool) -> bytes | None:
        """Sign when the last checkpoint is ten seconds old: whatever grows then waits a second at most, and never ten."""
        if line.log.size == line.log.signed.size:
            line.grown_at = None
            return None
        line.grown_at = now if line.grown_at is None else line.grown_at
        if not sign and line.signed_at is not None and now - line.signed_at < self._sign_within * SECOND:
            return None
        note = line.log.sign()
        line.signed_at, line.grown_at = now, None
        return note

    def _take_anchor(self) -> bool:
        self._asked_at = self._clock()
        if self._anchor is None:
            signer = self._signers.signer(self._anchor_name)
            try:
                self._anchor = AnchorLog(
                    self._anchor_name, self._store, self._publication, self._state, signer, clock=self._clock
                )
            except ShardTaken:
                return False
            self._anchor_line = _Line(self._anchor.log, None)
        self._anchor_failure = ""
        return True

    def _is_anchored(self, line: _Line) -> bool:
        """Whether the anchor's checkpoint is out too; where another process writes it, that process sees to it."""
        return self._anchor_line is None or (not self._anchor_line.failure and self._anchor_line.grown_at is None)

    def _tell_anchor(self, note: bytes) -> None:
        for tell in self.on_anchor:
            try:
                tell(note)
            except Exception as error:  # a witness or a stamper must not stop the log
                self._fail(None, error)

    def _guarded(self, line: _Line | None, turn: Callable[[], None]) -> None:
        if line is not None and line.final:
            return
        try:
            turn()
        except (LedgerError, OSError) as error:
            self._fail(line, error)
            if line is None:  # only the anchor can fail before it is open
                self._anchor_failure, self._anchor_final = type(error).__name__, isinstance(error, _FINAL)
        else:
            if line is not None:
                line.failure = ""

    def _fail(self, line: _Line | None, error: Exception) -> None:
        self._failures += 1
        if line is not None:
            line.failure = type(error).__name__
            line.final = isinstance(error, _FINAL)
        if self._on_failure is not None:
            self._on_failure(line.log.origin if line else self._anchor_name, error)
