"""Connections to a package's database that can read and nothing else, for one page at a time, and never for long.

SQLite: the file is opened read-only, and a watch ends a statement. PostgreSQL and MariaDB: read-only transactions, and the
server ends a statement. Whoever gives us a user gives it SELECT on the view alone; this is what we do on our side.
"""

from __future__ import annotations

import sqlite3
import time
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa
from psycopg import DataError
from psycopg.abc import AdaptContext, Buffer
from psycopg.adapt import Loader
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.pool import NullPool

from integrator.adapters.ways.failing import WayFailed
from integrator.errors import ConfigurationError

_CONNECT = 5  # seconds
_STEPS = 10_000  # of SQLite's machine between two looks at the clock


def open_engine(url: str, seconds: float) -> Engine:
    """`url`: sqlite:///file, postgresql://…, mariadb://… (mysql:// too). Raises `ConfigurationError`, which shows none of it."""
    try:
        asked = make_url(url)
    except ArgumentError:
        raise ConfigurationError("access: `database` is no address of a database") from None
    opener = _OPENERS.get(asked.drivername.partition("+")[0])
    if opener is None:
        raise ConfigurationError("access: `database` is one of sqlite, postgresql, mariadb")
    return opener(asked, seconds)


def refused(error: Exception) -> WayFailed:
    """What the database says, as a reason; its words may quote a row, so they are not kept."""
    if isinstance(error, sa.exc.NoSuchTableError):
        return WayFailed("NO_SUCH_VIEW")
    if not isinstance(error, DBAPIError) or error.orig is None:
        return WayFailed("WAY_CLOSED")
    words = str(error.orig).lower()
    codes = (str(getattr(error.orig, "sqlstate", "")), *map(str, error.orig.args[:1]))
    known = next((_CODES[code] for code in codes if code in _CODES), None)
    return WayFailed(known or next((reason for word, reason in _WORDS if word in words), "WAY_CLOSED"))


# SQLSTATE of PostgreSQL and error numbers of MariaDB.
_CODES = {
    "42P01": "NO_SUCH_VIEW", "1146": "NO_SUCH_VIEW", "1356": "NO_SUCH_VIEW", "42703": "OTHER_LAYOUT", "1054": "OTHER_LAYOUT",
    "57014": "WAY_SLOW", "1969": "WAY_SLOW", "1205": "WAY_SLOW", "55P03": "WAY_SLOW", "42501": "WAY_DENIED",
    "1142": "WAY_DENIED", "1045": "WAY_DENIED", "1044": "WAY_DENIED", "28P01": "WAY_DENIED", "28000": "WAY_DENIED",
    "42883": "OTHER_POSITION", "42804": "OTHER_POSITION", "22007": "OTHER_POSITION",
}  # fmt: skip
_WORDS = (
    ("no such table", "NO_SUCH_VIEW"), ("no such column", "OTHER_LAYOUT"), ("interrupted", "WAY_SLOW"),
    ("timed out", "WAY_SLOW"), ("timeout", "WAY_SLOW"), ("locked", "WAY_SLOW"), ("unable to open", "WAY_DENIED"),
    ("password authentication", "WAY_DENIED"),
)  # fmt: skip


def _sqlite(url: sa.URL, seconds: float) -> Engine:
    path = quote(url.database or "")

    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=seconds, check_same_thread=False)
        connection.text_factory = lambda data: data.decode("utf-8", "surrogateescape")
        connection.execute("PRAGMA query_only=ON")
        until = time.monotonic() + seconds
        connection.set_progress_handler(lambda: int(time.monotonic() > until), _STEPS)
        return connection

    # As text: SQLite keeps times as the package wrote them, and what compares in the database must compare here.
    return create_engine("sqlite://", creator=connect, poolclass=NullPool, hide_parameters=True)


def _postgresql(url: sa.URL, seconds: float) -> Engine:
    settings = f"-c default_transaction_read_only=on -c statement_timeout={int(seconds * 1000)} -c lock_timeout={int(seconds * 1000)}"
    options = f"{url.query.get('options', '')} {settings}".strip()
    engine = create_engine(
        url.set(drivername="postgresql+psycopg").update_query_dict({"options": options}),
        connect_args={"connect_timeout": _CONNECT, "keepalives_idle": 10, "tcp_user_timeout": int(seconds * 2000)},
        poolclass=NullPool, hide_parameters=True,
    )  # fmt: skip
    event.listen(engine, "connect", _tolerant)
    return engine


def _mariadb(url: sa.URL, seconds: float) -> Engine:
    engine = create_engine(
        url.set(drivername="mariadb+pymysql").update_query_dict({"charset": "utf8mb4"}),
        connect_args={"connect_timeout": _CONNECT, "read_timeout": int(seconds * 2) + 1, "write_timeout": _CONNECT},
        poolclass=NullPool, hide_parameters=True,
    )  # fmt: skip

    def careful(connection: Any, record: Any) -> None:
        del record
        with connection.cursor() as cursor:
            cursor.execute(
                f"SET SESSION max_statement_time={float(seconds)}, SESSION lock_wait_timeout={int(seconds) + 1}"
            )
            cursor.execute("SET SESSION TRANSACTION READ ONLY")

    event.listen(engine, "connect", careful)
    return engine


_OPENERS = {
    "sqlite": _sqlite,
    "postgresql": _postgresql,
    "postgres": _postgresql,
    "mariadb": _mariadb,
    "mysql": _mariadb,
}


def _tolerant(connection: Any, record: Any) -> None:
    """Days that Python does not have (infinity, 0044-03-15 BC) come as words: the row is wounded, the page is not."""
    del record
    for name in ("date", "timestamp", "timestamptz"):
        usual = connection.adapters.get_loader(connection.adapters.types[name].oid, 0)
        connection.adapters.register_loader(name, _or_words(usual))


def _or_words(usual: type[Loader]) -> type[Loader]:
    class OrWords(Loader):
        def __init__(self, oid: int, context: AdaptContext | None = None) -> None:
            super().__init__(oid, context)
            self._usual = usual(oid, context)

        def load(self, data: Buffer) -> Any:
            try:
                return self._usual.load(data)
            except DataError:
                return bytes(data).decode("utf-8", "surrogateescape")

    return OrWords
