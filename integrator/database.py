"""A database of the hub's own state: directory, agents, proposals, consoles. Not the ledger, which has engines of its own.

A room has a folder migrations/<room>/ with numbered alembic steps; opening its database brings the tables up to the
newest one, once, however many processes start at the same time. Rooms may share a database: each counts its own steps.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, create_engine, event, text
from sqlalchemy.exc import SQLAlchemyError
from tenacity import retry, retry_if_exception, stop_after_delay, wait_random

from integrator.errors import ConfigurationError

MIGRATIONS = Path(__file__).with_name("migrations")
T = TypeVar("T")


# A server that does not answer, or went away without a word, is an error within seconds and not after minutes of TCP.
_IMPATIENT = {"connect_timeout": 5, "tcp_user_timeout": 10_000, "keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 2}  # fmt: skip


class Database:
    """`await database.run(lambda connection: …)`: one transaction, in a thread, committed unless it raises."""

    def __init__(self, url: str, room: str) -> None:
        """`url` as in the settings, `sqlite:///file` or `postgresql://…`. Raises `ConfigurationError`."""
        patience = _IMPATIENT if url.startswith("postgresql:") else {}
        self._engine = create_engine(
            url.replace("postgresql:", "postgresql+psycopg:", 1), hide_parameters=True, connect_args=patience
        )
        if self._engine.dialect.name == "sqlite":
            event.listen(self._engine, "connect", _careful)
        try:
            upgrade(self._engine, room)
        except SQLAlchemyError as error:
            self._engine.dispose()
            raise ConfigurationError(
                f"the database of {room} cannot be opened: {type(error).__name__}",
                advice=f"Look at the setting {room}.database: the folder must exist, the server must answer.",
            ) from error

    @property
    def dialect(self) -> str:
        """`sqlite` or `postgresql`."""
        return self._engine.dialect.name

    async def run(self, work: Callable[[Connection], T]) -> T:
        """Whatever `work` returns; its changes are durable by then."""
        return await asyncio.to_thread(self.now, work)

    def now(self, work: Callable[[Connection], T]) -> T:
        """As `run`, for who may wait (commands, tests)."""
        with self._engine.begin() as connection:
            return work(connection)

    def close(self) -> None:
        self._engine.dispose()


def upgrade(engine: Any, room: str) -> None:
    """All steps of a room that this database has not taken yet, in one transaction. Blocks while another process does so."""
    from alembic import command  # late: it costs a tenth of a second, and many commands open no database
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("version_locations", str(MIGRATIONS / room))
    config.set_main_option("path_separator", "newline")
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('integrator migrations'))"))
        config.attributes.update(connection=connection, room=room)
        command.upgrade(config, "head")
        connection.commit()


def _careful(connection: Any, record: Any) -> None:
    del record
    connection.execute("PRAGMA busy_timeout=20000")
    become_wal(connection)
    for pragma in ("synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _busy(error: BaseException) -> bool:
    return isinstance(error, sqlite3.OperationalError) and error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY


# Two who open a new file at once would wait for one another: SQLite then says `busy` at once, whatever the time-out is.
@retry(retry=retry_if_exception(_busy), wait=wait_random(0.002, 0.05), stop=stop_after_delay(20), reraise=True)
def become_wal(connection: sqlite3.Connection) -> None:
    """Write-ahead logging, however many open the file at this moment."""
    connection.execute("PRAGMA journal_mode=WAL")
