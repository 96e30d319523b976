"""L1 over a whole ledger: every sealed value opened and held against the digests its entry commits to."""

from __future__ import annotations

from collections.abc import Iterable

from audit.errors import EntryAltered, KeyMissing, LedgerError
from audit.keys import KeyRing
from audit.log.anchor import is_anchor
from audit.read import open_entry
from audit.seal import month_of
from audit.store import Store
from audit.verify.model import Report
from audit.verify.onelog import OneLog
from audit.verify.rows import CHUNK


def check_values(store: Store, keyring: KeyRing, logs: Iterable[OneLog], report: Report) -> None:
    """Open what is sealed beside every entry. Entries whose place is wounded are left to that wound."""
    for log in logs:
        if is_anchor(log.origin):
            continue
        erased = log.rows.orders.months
        for start in range(log.start, log.stored, CHUNK):
            for row in store.scan(log.origin, start, min(start + CHUNK, log.stored)):
                index = row[0]
                if index in log.wounded or (log.shifted is not None and index >= log.shifted):
                    continue
                _open(store, keyring, log.origin, index, row[1], report, erased.keys())


def _open(
    store: Store, keyring: KeyRing, origin: str, index: int, ts: int, report: Report, erased: Iterable[tuple[str, int]]
) -> None:
    where = f"{origin} entry {index}"
    try:
        open_entry(store, keyring, origin, index)
        report.checked["L1"] += 1
    except KeyMissing as error:
        if month_of(ts) not in {month for _, month in erased}:
            report.add("L1", "KEY_MISSING", where, "the keys of its month, or an erasure entry", error)
    except (EntryAltered, LedgerError, ValueError, KeyError) as error:
        if not any(finding.where == where for finding in report.findings):
            report.add("L1", "VALUE_ALTERED", where, "sealed values that the entry commits to", error)
