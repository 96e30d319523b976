"""How long one waits: `asyncio.timeout` for the two places that every exchange passes, at two fifths of its cost.

    with Patience(seconds):         TimeoutError when that was not enough; a plain `with`, the waiting is inside it
        answer = await …

The rules are those of asyncio.timeout (Python 3.11, Lib/asyncio/timeouts.py), whose situations `test_patience.py` plays over
both: only a cancellation of our own becomes TimeoutError, and somebody else's passes, also when both come together.
"""

from __future__ import annotations

import asyncio
from types import TracebackType


class Patience:
    """Used once, inside a task."""

    __slots__ = ("_before", "_handle", "_late", "_seconds", "_task")

    _task: asyncio.Task[object]
    _handle: asyncio.Handle

    def __init__(self, seconds: float) -> None:
        """`seconds`: none left is allowed, and ends the first wait."""
        self._seconds = seconds

    def __enter__(self) -> None:
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("patience belongs to a task")
        loop = asyncio.get_running_loop()
        self._task, self._before, self._late = task, task.cancelling(), False
        self._handle = loop.call_later(self._seconds, self._end) if self._seconds > 0 else loop.call_soon(self._end)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._late:
            self._handle.cancel()
        elif self._task.uncancel() <= self._before and kind is asyncio.CancelledError:
            raise TimeoutError from error

    def _end(self) -> None:
        self._late = True
        self._task.cancel()
