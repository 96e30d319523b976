"""When to try again: twice as long each time, spread at random so that a recovered receiver is not met by everybody at once."""

from __future__ import annotations

import random
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Backoff:
    """Seconds. The wait after attempt n is drawn from the upper half of first · 2^(n-1), at most `longest`."""

    first: float = 5.0
    longest: float = 3_600.0

    def wait(self, attempts: int, asked: float = 0.0, draw: float | None = None) -> float:
        """`asked`: what the other side said in Retry-After; never less than that, never more than `longest` for it.

        >>> Backoff(4, 60).wait(3, draw=0.5), Backoff(4, 60).wait(99, draw=1.0), Backoff(4, 60).wait(1, asked=30, draw=0.0)
        (12.0, 60.0, 30)
        """
        full: float = min(self.longest, self.first * 2 ** min(attempts - 1, 30))
        drawn = random.random() if draw is None else draw  # noqa: S311 (to spread load, not to hide anything)
        return max(full / 2 + drawn * full / 2, min(asked, self.longest))
