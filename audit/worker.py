"""A thread that does one thing again and again: at once when woken, else every so often, never twice at a time."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

Tell = Callable[..., None]
"""Where a room says what happened: tell(level, event, **fields). Fields are names, codes and numbers, never a body."""


def by_logging(level: str, event: str, **fields: object) -> None:
    """The Tell of those who have no log of their own."""
    logging.getLogger("audit").log(logging.getLevelNamesMapping()[level.upper()], "%s %s", event, fields)


class Worker:
    """Runs `step` until closed. A step that raises is handed to `failed` and tried again at the next turn."""

    def __init__(
        self, name: str, step: Callable[[], object], *, every: float, failed: Callable[[Exception], object]
    ) -> None:
        """`every`: seconds between turns when nobody wakes it."""
        self._step, self._every, self._failed = step, every, failed
        self._turn, self._closed = threading.Event(), False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin; the first turn comes at once."""
        self._turn.set()
        self._thread.start()

    def wake(self) -> None:
        """Take the next turn now. Never blocks; safe from any thread."""
        self._turn.set()

    def close(self, patience: float = 2.0) -> None:
        """No further turn; waits `patience` seconds for the one under way (it is a daemon: it holds up no exit)."""
        self._closed = True
        self._turn.set()
        if self._thread.is_alive():
            self._thread.join(patience)

    def _run(self) -> None:
        while True:
            self._turn.wait(self._every)
            self._turn.clear()
            if self._closed:
                return
            try:
                self._step()
            except Exception as error:  # a worker that died silently would be an outage nobody sees
                self._failed(error)
