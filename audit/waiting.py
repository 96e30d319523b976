"""How long the newest anchor checkpoint has waited for an outside party: the number behind alarms and refusals.

What counts is not the age of the last success (a quiet hub has nothing new to show) but since when something waits.
Kept in a file, so that a restart does not set the clock back.
"""

from __future__ import annotations

import json
import os
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Anchor:
    """One anchor checkpoint: what is signed of it, and the whole note."""

    origin: str
    size: int
    text: bytes  # origin, size, root: three lines with their newlines; what a time stamp is over
    note: bytes
    since: float = 0.0  # when it came in; epoch seconds


def anchor_of(note: bytes, now: float = 0.0) -> Anchor:
    """Take a checkpoint note apart without judging it; raises ValueError when it is none.

    >>> anchor_of("log\\n7\\nAA==\\n\\n— log AAAA\\n".encode()).size
    7
    """
    text = note.rpartition(b"\n\n")[0]
    origin, size = text.split(b"\n")[:2]
    return Anchor(origin.decode(), int(size), text + b"\n", note, now)


class Waiting:
    """The newest checkpoint, and since when one newer than the last finished one waits. Safe for threads."""

    def __init__(self, file: Path | None, clock: Callable[[], float]) -> None:
        """`file`: where it is remembered over restarts; None = nowhere."""
        self._file, self._clock, self._lock = file, clock, threading.Lock()
        self._newest: Anchor | None = None
        self._known = False  # whether this process has seen any checkpoint
        self._origin, self.done_size, self.done_at, self._since = self._load()

    def offer(self, anchor: Anchor) -> None:
        """A new checkpoint is there; one not larger than the last finished is ignored."""
        with self._lock:
            self._known = True
            if anchor.origin != self._origin:  # the log goes on under another name (after a restore): it begins anew
                self._origin, self._newest, self.done_size = anchor.origin, None, -1
            if self._newest is not None and anchor.size < self._newest.size:
                return
            if anchor.size <= self.done_size:
                if self._since is not None and self._newest is None:  # what waited before a restart is gone
                    self._since = None
                    self._store()
                return
            self._newest = anchor
            if self._since is None:
                self._since = self._clock()
                self._store()

    def next(self) -> Anchor | None:
        """What to finish now, or None. The one moment before it is asked about is what `done` reckons from."""
        with self._lock:
            return self._newest if self._newest is not None and self._newest.size > self.done_size else None

    def done(self, anchor: Anchor, at: float) -> None:
        """This one is finished; `at` is the moment the outside party stated. What came meanwhile waits since it came."""
        with self._lock:
            self.done_size, self.done_at = max(self.done_size, anchor.size), at
            newest = self._newest
            waits = newest is not None and newest.size > self.done_size
            # Larger ones came after this one did: its own arrival is the earliest any of them can have waited since.
            self._since = max(self._since or 0.0, anchor.since) if waits else None
            self._store()

    def seconds(self) -> float:
        """How long something has waited; 0 when nothing does. Takes no lock: every exchange may ask."""
        since = self._since
        # Before the first checkpoint is there nothing can be asked, so nothing waits, whatever the file remembers: else
        # a hub that may not record would wait for ever for something to record.
        return 0.0 if since is None or not self._known else max(0.0, self._clock() - since)

    def refresh(self) -> None:
        """Learn from the file how the process does that writes the anchor now, when that is not this one."""
        with self._lock:
            origin, size, at, since = self._load()
            if origin == self._origin and size >= self.done_size:
                self.done_size, self.done_at, self._since = size, at, since

    def _load(self) -> tuple[str, int, float | None, float | None]:
        try:
            kept = json.loads(self._file.read_bytes()) if self._file is not None else {}
            return str(kept.get("origin", "")), int(kept.get("size", -1)), kept.get("at"), kept.get("since")
        except (OSError, ValueError, TypeError, AttributeError):  # lost or torn: the next stamp writes it anew
            return "", -1, None, None

    def _store(self) -> None:
        if self._file is None:
            return
        self._file.parent.mkdir(parents=True, exist_ok=True)
        draft = self._file.with_suffix(f".{secrets.token_hex(6)}")  # a process beside us may write too
        with draft.open("w") as file:
            json.dump({"origin": self._origin, "size": self.done_size, "at": self.done_at, "since": self._since}, file)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self._file)
