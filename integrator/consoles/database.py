"""The consoles' own tables: accounts, sessions, attempts, and what later rooms add. Not the ledger.

A room declares its tables on `metadata`; they are made when the database is opened. No personal number stands here in
clear: what has to be kept of a person is sealed (consoles/vault.py) or a blind tag.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

from sqlalchemy import Connection, MetaData, create_engine, event
from sqlalchemy.exc import SQLAlchemyError

from integrator.errors import ConfigurationError

metadata = MetaData()
T = TypeVar("T")


class Database:
    """`await database.run(lambda connection: …)`: one transaction, in a thread, committed unless it raises."""

    def __init__(self, url: str) -> None:
        """`url` as in the settings, `sqlite:///file` or `postgresql://…`. Raises `ConfigurationError`."""
        self._engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:", 1), hide_parameters=True)
        if self._engine.dialect.name == "sqlite":
            event.listen(self._engine, "connect", _careful)
        try:
            metadata.create_all(self._engine)
        except SQLAlchemyError as error:
            raise ConfigurationError(
                f"the consoles' database cannot be opened: {type(error).__name__}",
                advice="Look at the setting consoles.database: the folder must exist, the server must answer.",
            ) from error

    async def run(self, work: Callable[[Connection], T]) -> T:
        """Whatever `work` returns; its changes are durable by then."""
        return await asyncio.to_thread(self.now, work)

    def now(self, work: Callable[[Connection], T]) -> T:
        """As `run`, for who may wait (commands, tests)."""
        with self._engine.begin() as connection:
            return work(connection)

    def close(self) -> None:
        self._engine.dispose()


def _careful(connection: Any, record: Any) -> None:
    del record
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=5000", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")
