"""The shared table of what was leased. Blocks: called in a thread. Raises `SQLAlchemyError`."""

from __future__ import annotations

import os
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects import postgresql, sqlite

from integrator.database import Database

_meta = sa.MetaData()
TAKEN = sa.Table(
    "quota_taken",
    _meta,
    sa.Column("key", sa.String(200), primary_key=True),
    sa.Column("window", sa.BigInteger, primary_key=True),
    sa.Column("taken", sa.BigInteger, nullable=False),
    sa.Column("lease", sa.BigInteger, nullable=False),
    sa.Column("ends", sa.BigInteger, nullable=False),
)
SALT = sa.Table("quota_salt", _meta, sa.Column("id", sa.Integer, primary_key=True), sa.Column("salt", sa.LargeBinary))
_SHARES = 8  # a lease is at most this part of what is left: towards the end it is one question


class Table:
    """One database of quotas, as the processes of a hub share it."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._insert: Any = postgresql.insert if database.dialect == "postgresql" else sqlite.insert

    def lease(self, key: str, window: int, ends: int, limit: int, most: int) -> int:
        """How many more questions this process may answer in this window: 0 when the limit is used up, at most `most`."""
        share = (limit - TAKEN.c.taken) // _SHARES
        size = sa.case((share > most, most), (share < 1, 1), else_=share)
        update = (
            sa.update(TAKEN)
            .where(TAKEN.c.key == key, TAKEN.c.window == window, TAKEN.c.taken < limit)
            .values(taken=TAKEN.c.taken + size, lease=size)
            .returning(TAKEN.c.lease)
        )

        def work(connection: Connection) -> int:
            connection.execute(
                self._insert(TAKEN).values(key=key, window=window, taken=0, lease=0, ends=ends).on_conflict_do_nothing()
            )
            return int(connection.execute(update).scalar() or 0)

        return self.database.now(work)

    def give_back(self, key: str, window: int, unused: int) -> None:
        """What was leased and not used."""
        update = sa.update(TAKEN).where(TAKEN.c.key == key, TAKEN.c.window == window)
        self.database.now(lambda connection: connection.execute(update.values(taken=TAKEN.c.taken - unused)))

    def forget(self, before: float) -> None:
        """Windows that ended before this moment (epoch seconds)."""
        self.database.now(lambda connection: connection.execute(sa.delete(TAKEN).where(TAKEN.c.ends < before)))

    def salt(self) -> bytes:
        """The same in every process: an agent is known here by a keyed digest only."""

        def work(connection: Connection) -> bytes:
            connection.execute(self._insert(SALT).values(id=1, salt=os.urandom(32)).on_conflict_do_nothing())
            return bytes(connection.execute(sa.select(SALT.c.salt)).scalar_one())

        return self.database.now(work)
