"""Whether an agent still is who a token says: looked up at every use of the token, in memory and nowhere else.

Memory holds only what ended lately: a token lives five minutes, so what ended before that is of no token any more. What
this process ends counts at once; what another process or the command line ended, within a second of its commit, for
memory is read anew twice a second, beside the exchanges. When that fails for longer, agents' tokens are refused (503)
rather than believed.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import Connection, select
from sqlalchemy.exc import SQLAlchemyError

from integrator.agents.tables import end_table
from integrator.database import Database
from integrator.errors import HubError
from integrator.logs import log

LOOK = 0.5  # seconds between two looks
STALE = 3.0  # seconds after the beginning of the last look: what it found is not believed any more
KEPT = 900.0  # seconds; more than any token lives, and then the difference between two clocks


class StandingUnknown(HubError):
    """Nobody can say now whether the agent still works there, so he is not believed."""

    code, where, retryable = "STANDING_UNKNOWN", "H1", True
    advice = "Nothing was asked of any source. Ask again after Retry-After."
    retry_after: int = 5


class Standing:
    """`holds(claims)` for tokens; `end(ends)` for whoever changed something in this process. Of one event loop."""

    def __init__(
        self, database: Database, now: Callable[[], float], *, timer: Callable[[], float] = time.monotonic
    ) -> None:
        """Looks once, and blocks for it. Raises `SQLAlchemyError`."""
        self._database, self._now, self._timer = database, now, timer
        self._ends: dict[str, int] = {}
        self._own: dict[str, tuple[int, float]] = {}  # ended by this process: generation, when
        self._looked = timer()
        self._merge(self._looked, database.now(self._read))

    def holds(self, claims: Mapping[str, int]) -> bool:
        """`claims`: agent or delegation -> generation the token was made for. Raises `StandingUnknown`."""
        if self._timer() - self._looked > STALE:
            raise StandingUnknown("the register of agents was not read lately")
        return all(generation >= self._ends.get(key, 0) for key, generation in claims.items())

    def end(self, ends: Mapping[str, int]) -> None:
        """Committed by this process a moment ago."""
        for key, generation in ends.items():
            self._ends[key] = max(generation, self._ends.get(key, 0))
            self._own[key] = (self._ends[key], self._timer())

    async def look(self) -> None:
        """What others ended. Raises `SQLAlchemyError`."""
        began = self._timer()
        self._merge(began, await self._database.run(self._read))

    async def keep_looking(self) -> None:
        """For ever, until cancelled."""
        while True:
            try:
                await self.look()
            except SQLAlchemyError as error:
                log.warning("agents_not_looked_up", error=type(error).__name__)
            await asyncio.sleep(LOOK)

    def _read(self, connection: Connection) -> dict[str, int]:
        query = select(end_table.c.key, end_table.c.generation).where(end_table.c.at > self._now() - KEPT)
        rows: Any = connection.execute(query).all()
        return {row.key: row.generation for row in rows}

    def _merge(self, began: float, found: dict[str, int]) -> None:
        """A look that began before this process ended something must not undo it."""
        self._own = {key: one for key, one in self._own.items() if one[1] > began - KEPT}
        for key, (generation, _) in self._own.items():
            found[key] = max(generation, found.get(key, 0))
        self._ends, self._looked = found, began
