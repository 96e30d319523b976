"""What the auditor's pages use of a hub."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from audit import KeyRing, Store, Subject
from audit.exports import Walk
from audit.keeping.maps import NAME, DayEvidence, prove_day
from audit.keeping.orders import entries_of
from audit.reports.tables import Tables, open_tables
from integrator.consoles.auditor.reconciling import Compared, compare
from integrator.consoles.auditor.verifying import Verifying

_DAYS = 31


@dataclass(frozen=True, slots=True)
class AuditTools:
    """`maps`: folder of the daily maps; `roots`: PEM of the time stamps' roots. Methods block: call them from a thread."""

    store: Store
    keyring: KeyRing
    maps: Path
    roots: bytes
    verifying: Verifying
    sources: Sequence[str]
    tables: Tables = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "tables", open_tables(self.store, ()))

    def days(self) -> list[dict[str, Any]]:
        """The newest days whose map is in the ledger: day, size (people), root, and where that stands."""
        found = []
        for stored, entry in entries_of(self.store, ("index",)):
            if entry["name"] != NAME:
                continue
            found.append({**{name: entry[name] for name in ("day", "size", "root")}, "place": f"{stored.shard}/{stored.index}"})  # fmt: skip
            if len(found) == _DAYS:
                break
        return found

    def prove(self, subject: Subject, day: date) -> list[DayEvidence]:
        """See audit.keeping.maps.prove_day."""
        return prove_day(self.store, self.keyring, self.maps, subject, day)

    def compare(self, theirs: set[str], source: str, since: int, until: int, unreadable: int) -> Compared:
        """A source's list beside the exchanges of that time, µs. What is restricted counts too: nobody is named."""
        return compare(theirs, Walk(self.tables, since, until, restricted=True), source, unreadable)

    def close(self) -> None:
        self.tables.close()
