"""Has every new anchor checkpoint cosigned by the configured witnesses, and hears what they say between the lines.

A witness that stands at a smaller size is given the proof from there. One that stands at a *larger* size than ours has
seen a tree we no longer have (AHEAD: a restored backup); one that finds no proof in ours has seen another tree under our
key (FORKED). Both are alarms that stay until a person has looked: said at every round, in health and metrics.

What it cosigned instead is fetched and kept in <origin>/forked/<name>: with our signature on it, it is the evidence.

Cosignatures are kept in <origin>/witnessed/<size> (the whole note, with its lines) and handed on, so that the published
checkpoint carries them too.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from audit.posting import Unreachable
from audit.tree.merkle import consistency_proof
from audit.tree.tiles import TileHashes
from audit.waiting import Anchor, Waiting, anchor_of
from audit.witness.client import WitnessClient, WitnessConflict, WitnessForked, WitnessRefused
from audit.witness.cosigned import with_lines
from audit.worker import Tell, Worker, by_logging

FORKED, AHEAD = "FORKED", "AHEAD"


class Publication(Protocol):
    """Where the anchor log lies: audit.log's Publication."""

    def read(self, path: str) -> bytes: ...
    def write(self, path: str, data: bytes) -> None: ...
    def remove(self, path: str) -> None: ...


@dataclass(frozen=True, slots=True)
class WitnessStatus:
    """How one witness does."""

    name: str
    size: int  # anchor size it cosigned last, as far as this process knows; -1 = not known
    cosigned_at: float | None  # epoch seconds
    failures: int  # since the process began
    reason: str  # of the last failure: its type; "" after a cosignature
    detail: str  # the same in words, for operators
    alarm: str  # FORKED, AHEAD or ""


@dataclass(frozen=True, slots=True)
class WitnessingStatus:
    """How witnessing does. `alarm`: a fork, a rollback, or no quorum for longer than `alarm_after`."""

    witnesses: tuple[WitnessStatus, ...]
    quorum: int
    size: int  # largest anchor size with a quorum of cosignatures; -1 = none
    waiting: float  # seconds that a checkpoint has waited for its quorum; 0 = none waits
    alarm: bool


class Witnessing:
    """Give its `on_anchor` to the Publisher. Without witnesses it does nothing, and its status says so."""

    def __init__(
        self,
        witnesses: Sequence[WitnessClient],
        publication: Publication,
        *,
        quorum: int | None = None,
        alarm_after: float = 900.0,
        on_cosigned: Sequence[Callable[[bytes], object]] = (),
        keep: Callable[[int], bool] = lambda size: True,
        clock: Callable[[], float] = time.time,
        tell: Tell = by_logging,
    ) -> None:
        """`quorum`: how many must cosign; None = more than half. `on_cosigned` gets the note with all its lines.

        `keep`: whether the cosigned note of this size is still wanted once a newer one is there; asked once for each.
        There are three million of them a year: a hub keeps those that are stamped too.
        """
        self.quorum = len(witnesses) // 2 + 1 if quorum is None else quorum
        if witnesses and not 1 <= self.quorum <= len(witnesses):
            raise ValueError(f"a quorum of {self.quorum} cannot be had from {len(witnesses)} witnesses")
        self._publication, self._clock = publication, clock
        self._alarm_after, self.on_cosigned = alarm_after, list(on_cosigned)
        self.keep, self._kept = keep, ""  # path of the newest cosigned note
        self._waiting = Waiting(None, clock)
        self._asked = [_Asked(witness, tell) for witness in witnesses]
        self._worker = Worker("witness", self.step, every=10.0, failed=self._surprised)
        self._tell = tell
        self._round = threading.Lock()

    def on_anchor(self, note: bytes) -> None:
        """A new anchor checkpoint was published. Returns at once."""
        if self._asked:
            self._waiting.offer(anchor_of(note, self._clock()))
            self._worker.wake()

    def start(self) -> None:
        """Begin asking, in a thread of its own."""
        if self._asked:
            self._worker.start()

    def close(self) -> None:
        """Stop; a request under way is not waited for longer than a moment."""
        self._worker.close(patience=0.5)

    def step(self) -> None:
        """Ask every witness for the newest checkpoint that has no quorum yet; keep and hand on what they sign."""
        anchor = self._waiting.next()
        if anchor is None:
            return
        with self._round:
            lines = [line for one in self._everyone(anchor) for line in one.lines]
            if not lines:
                return
            note = with_lines(anchor.note, lines)
            self._put(anchor, note)
            for hand_on in self.on_cosigned:
                hand_on(note)
            if sum(one.size == anchor.size for one in self._asked) >= self.quorum:
                self._waiting.done(anchor, self._clock())

    def _put(self, anchor: Anchor, note: bytes) -> None:
        path = f"{anchor.origin}/witnessed/{anchor.size}"
        self._publication.write(path, note)
        before, self._kept = self._kept, path
        if before not in ("", path) and not self.keep(int(before.rpartition("/")[2])):
            self._publication.remove(before)

    def sizes(self, note: bytes) -> dict[str, int | None]:
        """The size each witness stands at, asked now with our newest checkpoint; None = it cannot be reached or knows us not.

        For the start after a restore: a size above ours means that this copy of the log is old. Stop, and do not sign.
        """
        anchor, found = anchor_of(note, self._clock()), dict[str, int | None]()

        def ask(one: _Asked) -> None:
            found[one.client.name] = self._size(one, anchor)

        _side_by_side(self._asked, ask)
        return {one.client.name: found.get(one.client.name) for one in self._asked}

    def status(self) -> WitnessingStatus:
        """How each witness does, now."""
        waiting, all_ = self._waiting.seconds(), tuple(one.status() for one in self._asked)
        alarm = any(one.alarm for one in all_) or waiting > self._alarm_after
        return WitnessingStatus(all_, self.quorum, self._waiting.done_size, waiting, alarm)

    def _everyone(self, anchor: Anchor) -> list[_Asked]:
        """Those who have not signed this one yet are asked; all who have are returned."""
        late = [one for one in self._asked if one.size != anchor.size or one.alarm]
        _side_by_side(late, lambda one: self._cosign(one, anchor))
        return [one for one in self._asked if one.size == anchor.size]

    def _cosign(self, one: _Asked, anchor: Anchor) -> None:
        """One witness, one checkpoint: at most two questions, the second from the size it said it has."""
        old = max(one.size, 0)
        try:
            try:
                self._ask(one, old if old <= anchor.size else 0, anchor)
            except WitnessConflict as conflict:
                if conflict.size > anchor.size:
                    one.alarmed(AHEAD, f"it cosigned {conflict.size}, our newest is {anchor.size}")
                    return
                self._ask(one, conflict.size, anchor)
        except WitnessForked as error:
            one.alarmed(FORKED, str(error))
            self._keep_evidence(one, anchor.origin)
        except (WitnessRefused, Unreachable, OSError, ValueError) as error:
            one.failed(error)

    def _ask(self, one: _Asked, old: int, anchor: Anchor) -> None:
        lines = one.client.cosign(old, self._proof(old, anchor), anchor.note)
        one.cosigned(anchor.size, lines, self._clock())

    def _proof(self, old: int, anchor: Anchor) -> list[bytes]:
        if old in (0, anchor.size):
            return []
        hashes = TileHashes(lambda path: self._publication.read(f"{anchor.origin}/{path}"), anchor.size)
        return consistency_proof(old, anchor.size, hashes)

    def _size(self, one: _Asked, anchor: Anchor) -> int | None:
        try:
            self._ask(one, 0, anchor)
            return anchor.size
        except WitnessConflict as conflict:
            if conflict.size > anchor.size:
                one.alarmed(AHEAD, f"it cosigned {conflict.size}, our newest is {anchor.size}")
            return conflict.size
        except (WitnessRefused, Unreachable, OSError) as error:
            one.failed(error)
            return None

    def _keep_evidence(self, one: _Asked, origin: str) -> None:
        """What the witness cosigned instead, in its own words: with our signature on it, it proves the second history."""
        try:
            theirs = one.client.checkpoint(origin)
            if theirs is not None:
                self._publication.write(f"{origin}/forked/{one.client.name.replace('/', '-')}", theirs)
        except (Unreachable, OSError) as error:
            one.failed(error)

    def _surprised(self, error: Exception) -> None:
        self._tell("error", "witness_round_failed", error=type(error).__name__)


def _side_by_side(asked: Sequence[_Asked], do: Callable[[_Asked], object]) -> None:
    """One thread each: one that hangs takes its own time only."""
    threads = [
        threading.Thread(target=do, args=(one,), name=f"witness-{one.client.name}", daemon=True) for one in asked
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


class _Asked:
    """One witness and what it has said."""

    def __init__(self, client: WitnessClient, tell: Tell) -> None:
        self._tell = tell
        self.client, self.size, self.lines = client, -1, tuple[str, ...]()
        self.alarm = ""
        self._at: float | None = None
        self._failures, self._reason, self._detail = 0, "", ""

    def cosigned(self, size: int, lines: tuple[str, ...], at: float) -> None:
        self.size, self.lines, self._at, self._reason = size, lines, at, ""
        self._detail = ""

    def alarmed(self, alarm: str, why: str) -> None:
        """Stays for the life of this process, whatever the witness says later."""
        self.alarm = self.alarm if self.alarm == FORKED else alarm
        self._failures, self._reason = self._failures + 1, alarm
        self._detail = why
        self._tell("critical", "witness_alarm", source=self.client.name, reason=alarm)

    def failed(self, error: Exception) -> None:
        self._failures, self._reason = self._failures + 1, type(error).__name__
        self._detail = str(error)
        self._tell("warning", "witness_failed", source=self.client.name, error=self._reason)

    def status(self) -> WitnessStatus:
        return WitnessStatus(
            self.client.name, self.size, self._at, self._failures, self._reason, self._detail, self.alarm
        )
