"""When a failed read is worth a second try: never past the deadline, never more than a share of all calls.

The first attempt is made plainly by the channel; tenacity only comes in once that one has failed, so that the ordinary
call pays nothing for it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, wait_random_exponential

Answer = TypeVar("Answer")


class NoAnswer(Exception):
    """One attempt brought no answer; turned into a SourceError before it leaves the channel. Holds no URL and no key.

    `again` = it failed fast and may well succeed now.
    """

    def __init__(self, what: str, *, again: bool, retry_after: int | None = None) -> None:
        super().__init__(what)
        self.what, self.again, self.retry_after = what, again, retry_after


class RetryBudget:
    """Tokens: a call brings `share` of one, a retry takes one. A source that is down is not asked twice as much.

    >>> budget = RetryBudget(share=0.5, reserve=1)
    >>> budget.take(), budget.take(), budget.earn(), budget.earn(), budget.take()
    (True, False, None, None, True)
    """

    __slots__ = ("_reserve", "_share", "_tokens")

    def __init__(self, *, share: float = 0.1, reserve: float = 10.0) -> None:
        self._share, self._reserve = share, reserve
        self._tokens = reserve

    def earn(self) -> None:
        self._tokens = min(self._reserve, self._tokens + self._share)

    def take(self) -> bool:
        if self._tokens < 1.0:
            return False
        self._tokens -= 1.0
        return True


@dataclass(frozen=True, slots=True)
class RetryPlan:
    """How often and how patiently."""

    attempts: int  # including the first; 1 = never retry
    wait_first: float = 0.05  # seconds; the bound doubles with every attempt, the wait itself is drawn below it
    wait_max: float = 1.0  # seconds

    async def again(
        self,
        failure: NoAnswer,
        attempt: Callable[[], Awaitable[Answer]],
        *,
        until: float,
        budget: RetryBudget,
        clock: Callable[[], float],
    ) -> Answer:
        """Try the second and later attempts. Raises the last `NoAnswer`; `until` is on the same clock."""
        pending = [failure]  # tenacity is shown how the first attempt failed, then drives the others

        async def next_attempt() -> Answer:
            if pending:
                raise pending.pop()
            return await attempt()

        def stop(state: RetryCallState) -> bool:
            late = clock() + state.upcoming_sleep >= until
            return late or state.attempt_number >= self.attempts or not budget.take()

        retrying = AsyncRetrying(
            stop=stop,
            wait=self._wait,
            retry=retry_if_exception(lambda error: isinstance(error, NoAnswer) and error.again),
            reraise=True,
        )
        return await retrying(next_attempt)

    def _wait(self, state: RetryCallState) -> float:
        """Full jitter, and never sooner than the source asked for."""
        drawn = wait_random_exponential(multiplier=self.wait_first, max=self.wait_max)(state)
        error = state.outcome.exception() if state.outcome else None
        asked = error.retry_after if isinstance(error, NoAnswer) else None
        return max(drawn, asked or 0.0)
