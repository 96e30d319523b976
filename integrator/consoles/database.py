"""The consoles' own tables: accounts, sessions, attempts, and what later rooms add. Not the ledger.

A room declares its tables on `metadata`, to speak to them; they are made by the steps in migrations/consoles/, and a test
holds the two against each other. No personal number stands here in clear: what has to be kept of a person is sealed
(consoles/vault.py) or a blind tag.
"""

from __future__ import annotations

from sqlalchemy import MetaData

from integrator import database

metadata = MetaData()


class Database(database.Database):
    """`await database.run(lambda connection: …)`: one transaction, in a thread, committed unless it raises."""

    def __init__(self, url: str) -> None:
        """`url` as in the settings, `sqlite:///file` or `postgresql://…`. Raises `ConfigurationError`."""
        super().__init__(url, "consoles")
