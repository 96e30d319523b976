"""People whose data need a second look whoever asks: ministers, victims, colleagues of the hub. Kept as blind tags only.

From the list nobody can be named, not by its keeper either. Even the tags are read by two people together, and that
reading, like every change, is an entry of the ledger.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection
from time import gmtime

from audit.alerts.alerts import RETENTION, Append
from audit.draft import Draft, Subject
from audit.errors import LedgerError
from audit.keys import KeyRing
from audit.reports.tables import Tables
from audit.seal import Sealer

SCHEMA = ("CREATE TABLE IF NOT EXISTS alert_protected (tag TEXT PRIMARY KEY, until INTEGER NOT NULL)",)
_YEARS = 2  # tags are made for this year and the next; the keeper of the list says each year who stays on it


class TwoNeeded(LedgerError):
    """This is read by two different people, or by nobody."""


class Protected:
    """`clock`: µs since 1970. The tables are made from SCHEMA."""

    def __init__(self, tables: Tables, keyring: KeyRing, append: Append, clock: Callable[[], int]) -> None:
        self._tables, self._sealer, self._append, self._clock = tables, Sealer(keyring), append, clock

    def add(self, subject: Subject, by: str, reason: str) -> None:
        """Put somebody on the list, for this year and the next. Raises LedgerUnwritable: then nothing was changed."""
        self._record("protected.add", by, reason)
        rows = [(tag.hex(), year) for year, tag in self._tags(subject)]
        self._tables.write([("INSERT INTO alert_protected (tag, until) VALUES (?, ?) ON CONFLICT DO NOTHING", rows)])

    def remove(self, subject: Subject, by: str, reason: str) -> None:
        """Take somebody off the list."""
        self._record("protected.remove", by, reason)
        rows = [(tag.hex(),) for _, tag in self._tags(subject)]
        self._tables.write([("DELETE FROM alert_protected WHERE tag = ?", rows)])

    def __contains__(self, tag: object) -> bool:
        found = isinstance(tag, bytes) and self._tables.rows("SELECT 1 FROM alert_protected WHERE tag = ?", tag.hex())
        return bool(found)

    def read(self, first: str, second: str, reason: str) -> Collection[str]:
        """The tags, in hexadecimal. Raises TwoNeeded for one person under one name, twice or alone."""
        if not first or not second or first.casefold() == second.casefold():
            raise TwoNeeded("two different people read this list together")
        self._record("protected.read", first, f"{reason} (with {second})")
        self._record("protected.read", second, f"{reason} (with {first})")
        return [tag for (tag,) in self._tables.rows("SELECT tag FROM alert_protected ORDER BY tag")]

    def _tags(self, subject: Subject) -> list[tuple[int, bytes]]:
        year = gmtime(self._clock() // 1_000_000).tm_year
        years = range(year, year + _YEARS)
        return [(one, self._sealer.subject_tag(subject.type, subject.id, one, create=True)) for one in years]

    def _record(self, name: str, by: str, reason: str) -> None:
        draft = Draft(
            type="admin", trace_id=os.urandom(16).hex(), span_id=os.urandom(8).hex(), name=name, retention=RETENTION,
            clear={"initiator": "official"}, committed={"justification": reason}, agent={"id": by},
        )  # fmt: skip
        self._append([draft])
