"""Slows down whoever guesses, without telling whether an account exists and without locking its owner out.

Failures are counted under a blind tag of the name that was typed, known or not. After five, that name waits a minute,
then two, four, at most fifteen. A browser in which somebody signed in before is counted apart: a stranger who fails on
purpose keeps only strangers waiting.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import BigInteger, Column, Connection, Integer, String, Table, delete, select

from integrator.consoles.database import Database, metadata

FREE = 5  # failures before the first wait
FIRST = 60  # seconds
LONGEST = 15 * 60
FORGET = 24 * 3600

attempt_table = Table(
    "console_attempt",
    metadata,
    Column("tag", String(64), primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("last", BigInteger, nullable=False),
)


def wait_after(failures: int) -> int:
    """Seconds to wait after so many failures in a row.

    >>> [wait_after(n) for n in (4, 5, 6, 7, 8, 9, 50)]
    [0, 60, 120, 240, 480, 900, 900]
    """
    return min(LONGEST, FIRST << min(failures - FREE, 10)) if failures >= FREE else 0


class Throttle:
    """Counts by tag. `now()` in epoch seconds."""

    def __init__(self, database: Database, now: Callable[[], float]) -> None:
        self._database, self._now = database, now

    async def enter(self, tag: str) -> int:
        """Seconds still to wait, 0 = go on. An attempt counts as failed until `passed` says otherwise, so that a
        thousand at the same time count a thousand.
        """
        return await self._database.run(lambda connection: self._enter(connection, tag))

    def _enter(self, connection: Connection, tag: str) -> int:
        now, table = int(self._now()), attempt_table.c
        connection.execute(delete(attempt_table).where(table.last < now - FORGET))
        row = connection.execute(select(attempt_table).where(table.tag == tag).with_for_update()).one_or_none()
        failures = row.failures if row else 0
        left = row.last + wait_after(failures) - now if row else 0
        if left > 0:
            return int(left)
        connection.execute(delete(attempt_table).where(table.tag == tag))
        connection.execute(attempt_table.insert().values(tag=tag, failures=failures + 1, last=now))
        return 0

    async def passed(self, tag: str) -> None:
        """It was right after all: forget the failures."""
        await self._database.run(
            lambda connection: connection.execute(delete(attempt_table).where(attempt_table.c.tag == tag))
        )
