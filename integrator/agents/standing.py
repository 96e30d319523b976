"""Whether an agent still is who a token says: looked up at every use of the token, in memory.

Memory holds only what ended lately: a token lives five minutes, so what ended before that is of no token any more. What
this process ends counts at once; what another process or the command line ended, within a second of its commit. When
the database does not answer, agents' tokens are refused (503) rather than believed.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping

from sqlalchemy import delete, select
from sqlalchemy.exc import SQLAlchemyError

from integrator.agents.tables import end_table
from integrator.database import Database
from integrator.errors import HubError

FRESH = 1.0  # seconds between two looks
KEPT = 900.0  # seconds; more than any token lives, and then the difference between two clocks


class StandingUnknown(HubError):
    """Nobody can say now whether the agent still works there, so he is not believed."""

    code, where, retryable = "STANDING_UNKNOWN", "H1", True
    advice = "Nothing was asked of any source. Ask again after Retry-After."
    retry_after: int = 5


class Standing:
    """`holds(claims)` for tokens; `end(ends)` for whoever changed something in this process."""

    def __init__(
        self, database: Database, now: Callable[[], float], *, timer: Callable[[], float] = time.monotonic
    ) -> None:
        self._database, self._now, self._timer = database, now, timer
        self._ends: dict[str, int] = {}
        self._looked = float("-inf")
        self._looking = threading.Lock()

    def holds(self, claims: Mapping[str, int]) -> bool:
        """`claims`: agent or delegation -> generation the token was made for. Raises `StandingUnknown`."""
        if self._timer() - self._looked > FRESH:
            self._look()
        return all(generation >= self._ends.get(key, 0) for key, generation in claims.items())

    def end(self, ends: Mapping[str, int]) -> None:
        """Committed by this process a moment ago. A look that began before must not undo it."""
        with self._looking:
            for key, generation in ends.items():
                self._ends[key] = max(generation, self._ends.get(key, 0))

    def forget(self) -> None:
        """Rows that are of no token any more. Blocks."""
        old = delete(end_table).where(end_table.c.at < self._now() - 2 * KEPT)
        self._database.now(lambda connection: connection.execute(old))

    def _look(self) -> None:
        with self._looking:
            if self._timer() - self._looked <= FRESH:
                return  # somebody else did
            began = self._timer()
            query = select(end_table.c.key, end_table.c.generation).where(end_table.c.at > self._now() - KEPT)
            try:
                found = self._database.now(lambda connection: connection.execute(query).all())
            except SQLAlchemyError as error:
                raise StandingUnknown("the register of agents cannot be read") from error
            self._ends = {key: max(generation, self._ends.get(key, 0)) for key, generation in found}
            self._looked = began
