"""Which assertions were used already: one small table, shared by the processes of a hub and surviving a restart.

SQLite on one machine, PostgreSQL on several; the row is written (durably) before a token is given.
"""

from __future__ import annotations

import hashlib
import threading
from typing import Any

from sqlalchemy import Column, Float, LargeBinary, MetaData, Table, create_engine, delete, event, insert
from sqlalchemy.engine import Engine
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from integrator.database import become_wal
from integrator.errors import ConfigurationError, LedgerUnwritable

_METADATA = MetaData()
_USED = Table(
    "used_assertions",
    _METADATA,
    Column("digest", LargeBinary(32), primary_key=True),  # of client and jti: what a client names things is its own
    Column("expires", Float, nullable=False, index=True),
)


class Replays:
    """Remembers until an assertion could no longer be valid anyway; old rows go as new ones come."""

    def __init__(self, url: str) -> None:
        """`url`: `sqlite:///path` or `postgresql://…`, as for the ledger."""
        driver = url.replace("postgresql://", "postgresql+psycopg://", 1)
        self._engine: Engine = create_engine(driver, pool_pre_ping=not url.startswith("sqlite"))
        if url.startswith("sqlite"):
            event.listen(self._engine, "connect", _sqlite)
        _make_table(self._engine)
        self._swept = 0.0
        self._sweeping = threading.Lock()

    def first_use(self, client: str, jti: str, *, expires: float, now: float) -> bool:
        """True the first time, False ever after. Raises `LedgerUnwritable`: unsure is refused, with a reason to retry."""
        digest = hashlib.sha256(f"{client}\x00{jti}".encode()).digest()
        try:
            self._sweep(now)
            with self._engine.begin() as connection:
                connection.execute(insert(_USED).values(digest=digest, expires=expires))
        except IntegrityError:
            return False
        except SQLAlchemyError as error:
            raise LedgerUnwritable("the register of used assertions cannot be written") from error
        return True

    def close(self) -> None:
        self._engine.dispose()

    def _sweep(self, now: float) -> None:
        if now - self._swept < 60 or not self._sweeping.acquire(blocking=False):
            return
        try:
            with self._engine.begin() as connection:
                connection.execute(delete(_USED).where(_USED.c.expires < now))
            self._swept = now
        finally:
            self._sweeping.release()


def _make_table(engine: Engine) -> None:
    """Once more when the first try fails: another process of this hub may be making it. Raises `ConfigurationError`."""
    try:
        _METADATA.create_all(engine)
    except SQLAlchemyError:
        try:
            _METADATA.create_all(engine)
        except SQLAlchemyError as error:
            raise ConfigurationError(
                f"the register of used assertions cannot be opened: {type(error).__name__}",
                advice="Is the database of the setting `ledger` there, and may the hub make tables in it?",
            ) from error


def _sqlite(connection: Any, _record: Any) -> None:
    connection.execute("PRAGMA busy_timeout=5000")
    become_wal(connection)
    connection.execute("PRAGMA synchronous=FULL")
