"""Answers that are the same for everybody, kept for minutes: a source is asked once for all who ask the same.

A copy is given as it was recorded, under the entries of the exchange that fetched it. Memory is bounded; nothing is known
of who was given one.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from integrator.model import Answer

MOST = 2_000  # answers of at most some hundred KB each; the oldest goes first


@dataclass(frozen=True, slots=True)
class Copy:
    """One answer, and since when it says what it says."""

    answer: Answer
    digest: str  # SHA-256 of the payload, hex
    fetched: float  # epoch seconds
    changed: float  # epoch seconds: the first of the fetches in a row that gave these bytes


class Copies:
    """What was fetched, by question. Of one event loop, so no lock."""

    def __init__(self, seconds: float, now: Callable[[], float], most: int = MOST) -> None:
        """`seconds`: how long a copy is given; 0 = never."""
        self.seconds, self._now, self._most = seconds, now, most
        self._known: OrderedDict[bytes, Copy] = OrderedDict()

    def fresh(self, question: bytes) -> Copy | None:
        known = self._known.get(question)
        return known if known is not None and self._now() - known.fetched < self.seconds else None

    def keep(self, question: bytes, answer: Answer) -> Copy:
        """The new copy; it says since when the answer is what it is, as far as this process knows."""
        now, digest = self._now(), hashlib.sha256(answer.payload).hexdigest()
        before = self._known.pop(question, None)
        changed = before.changed if before is not None and before.digest == digest else now
        made = self._known[question] = Copy(answer, digest, now, changed)
        while len(self._known) > self._most:
            self._known.popitem(last=False)
        return made
