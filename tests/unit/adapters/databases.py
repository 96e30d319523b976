"""A package's database on three engines: a table that clerks write into, and a view of it that we read."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from tests.unit.audit.kit import POSTGRES

MARIADB = os.environ.get("INTEGRATOR_TEST_MARIADB", "mariadb+pymysql://127.0.0.1/")
ENGINES = [
    pytest.param("sqlite", id="sqlite"),
    pytest.param("postgresql", id="postgresql", marks=pytest.mark.postgres),
    pytest.param("mariadb", id="mariadb", marks=pytest.mark.mariadb),
]
_TABLE = """CREATE TABLE change_log (
  change_id {number} PRIMARY KEY, changed_at {time}, nrn VARCHAR(11), dossier VARCHAR(20), moved_on {day},
  fee {decimal}, street VARCHAR(200), clerk VARCHAR(20))"""
_KINDS = {
    "sqlite": {"number": "INTEGER", "time": "TEXT", "day": "TEXT", "decimal": "NUMERIC(10,2)"},
    "postgresql": {"number": "BIGINT", "time": "TIMESTAMP", "day": "DATE", "decimal": "NUMERIC(10,2)"},
    "mariadb": {"number": "BIGINT", "time": "DATETIME", "day": "DATE", "decimal": "DECIMAL(10,2)"},
}
_VIEW = (
    "CREATE VIEW v_changes AS SELECT change_id, changed_at, nrn, dossier, moved_on, fee, street, clerk FROM change_log"
)


class Package:
    """The database as the package has it."""

    def __init__(self, url: str, engine: str) -> None:
        self.url, self.kind = url, engine
        driver = {"sqlite": url, "postgresql": url.replace("postgresql:", "postgresql+psycopg:", 1), "mariadb": url}
        self.engine = sa.create_engine(driver[engine], poolclass=sa.pool.NullPool)
        self.run(_TABLE.format(**_KINDS[engine]))
        self.run(_VIEW)

    def run(self, statement: str, **values: Any) -> None:
        with self.engine.begin() as connection:
            connection.execute(sa.text(statement), values)

    def enters(self, change: int, at: str, nrn: str, **more: Any) -> None:
        """A clerk enters a change; `at` as 2026-11-20 10:00:00."""
        row = {"change_id": change, "changed_at": at, "nrn": nrn, "dossier": f"IX-{change}", "moved_on": "2026-11-20"}
        row |= {"fee": "12.50", "street": "Rue du Trône", "clerk": "ann", **more}
        names = ", ".join(row)
        self.run(f"INSERT INTO change_log ({names}) VALUES ({', '.join(f':{name}' for name in row)})", **row)


@contextmanager
def package(engine: str, folder: Path) -> Iterator[Package]:
    """A fresh one, gone afterwards."""
    name = f"package_{uuid.uuid4().hex[:12]}"
    if engine == "sqlite":
        yield Package(f"sqlite:///{folder / 'package.db'}", engine)
    elif engine == "postgresql":
        administrator = sa.create_engine(POSTGRES.replace("postgresql:", "postgresql+psycopg:", 1))
        with administrator.begin() as connection:
            connection.execute(sa.text(f"CREATE SCHEMA {name}"))
        try:
            yield Package(f"{POSTGRES}?options=-csearch_path%3D{name}", engine)
        finally:
            with administrator.begin() as connection:
                connection.execute(sa.text(f"DROP SCHEMA {name} CASCADE"))
            administrator.dispose()
    else:
        administrator = sa.create_engine(MARIADB)
        with administrator.begin() as connection:
            connection.execute(sa.text(f"CREATE DATABASE {name} CHARACTER SET utf8mb4"))
        try:
            yield Package(sa.engine.make_url(MARIADB).set(database=name).render_as_string(False), engine)
        finally:
            with administrator.begin() as connection:
                connection.execute(sa.text(f"DROP DATABASE {name}"))
            administrator.dispose()
