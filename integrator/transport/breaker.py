"""When a source keeps failing, stop asking for a while: callers hear `unavailable` at once, the source gets air.

    closed ──(share of ≥ `of` calls failed within the window)──► open ──(open_seconds)──► half open: one probe
      ▲                                                           ▲                              │
      └──────────────────────── it went well ─────────────────────┼──────────────────────────────┤
                                                                  └────────── it failed ─────────┘

One breaker per channel, used from one event loop only. Time is monotonic seconds, given from outside.
"""

from __future__ import annotations

from collections.abc import Callable


class Breaker:
    """Counts outcomes in a sliding window of two halves, so that yesterday's failures never open it today."""

    def __init__(
        self,
        *,
        clock: Callable[[], float],
        share: float = 0.5,
        of: int = 20,
        open_seconds: float = 5.0,
        window: float = 20.0,
    ) -> None:
        self._clock, self._share, self._of, self._open_seconds = clock, share, of, open_seconds
        self._half = window / 2
        self._opened: float | None = None
        self._probing = False
        self._calls, self._failures, self._since = [0, 0], [0, 0], clock()  # older half, newer half

    @property
    def state(self) -> str:
        """closed | open | half_open, for gauges and /health."""
        if self._opened is None:
            return "closed"
        return "open" if self.wait() else "half_open"

    def wait(self) -> float:
        """Seconds until a call may be tried; 0.0 = now. While a probe is out, others wait a moment for its result."""
        if self._opened is None:
            return 0.0
        left = self._opened + self._open_seconds - self._clock()
        return left if left > 0 else 0.1 if self._probing else 0.0

    def enter(self) -> bool:
        """Go in, after `wait` said 0.0; True when this call is the probe. Every `enter` needs its `leave`."""
        if self._opened is None:
            return False
        self._probing = True
        return True

    def leave(self, probe: bool, well: bool | None) -> None:
        """Tell how the call went; None = it says nothing about the source (cancelled, given too little time)."""
        if probe:
            self._probing = False
            if well:
                self._opened = None
                self._forget()
            elif well is not None:
                self._opened = self._clock()
        elif well is not None and self._opened is None:  # a straggler from before the opening changes nothing
            self._count(well)

    def _count(self, well: bool) -> None:
        now = self._clock()
        if now - self._since >= self._half:  # the older half is forgotten; after a long silence both are
            fresh = now - self._since < 2 * self._half
            self._calls = [self._calls[1] if fresh else 0, 0]
            self._failures = [self._failures[1] if fresh else 0, 0]
            self._since = now
        self._calls[1] += 1
        if not well:
            self._failures[1] += 1
            calls = sum(self._calls)
            if calls >= self._of and sum(self._failures) >= self._share * calls:
                self._opened = now

    def _forget(self) -> None:
        self._calls, self._failures, self._since = [0, 0], [0, 0], self._clock()
