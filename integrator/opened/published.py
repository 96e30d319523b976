"""What was published, for ever: the first word about a period is the last one, so that no difference tells anything.

Blocks: called in a thread. Raises `SQLAlchemyError`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects import postgresql, sqlite

from integrator.database import Database

ROOM = "opened"
_published = sa.table("open_published", *map(sa.column, ("series", "period", "body", "at")))


@dataclass(frozen=True, slots=True)
class Issue:
    """One period of one series."""

    period: str
    body: bytes  # JSON
    at: float  # epoch seconds of its publication


class Published:
    """One database, as the processes of a hub share it."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._insert: Any = postgresql.insert if database.dialect == "postgresql" else sqlite.insert

    def publish(self, series: str, period: str, body: bytes, at: float) -> bool:
        """Durable when it returns. False: this period was published before, and stays as it was."""
        new = self._insert(_published).values(series=series, period=period, body=body, at=at).on_conflict_do_nothing()
        return self.database.now(lambda connection: bool(connection.execute(new).rowcount))

    def read(self, series: str, period: str) -> Issue | None:
        chosen = sa.select(_published).where(_published.c.series == series, _published.c.period == period)

        def work(connection: Connection) -> Issue | None:
            row = connection.execute(chosen).mappings().first()
            return None if row is None else Issue(row["period"], bytes(row["body"]), float(row["at"]))

        return self.database.now(work)

    def periods(self, series: str) -> list[tuple[str, float]]:
        """(period, epoch seconds of its publication), the oldest first."""
        chosen = sa.select(_published.c.period, _published.c.at).where(_published.c.series == series)
        rows = self.database.now(lambda connection: connection.execute(chosen.order_by(_published.c.period)).all())
        return [(str(period), float(at)) for period, at in rows]
