"""A ledger of exchanges: entries without personal data, sealed values beside them, durable group commit.

    ledger = audit.Ledger(audit.open_store("sqlite:///ledger.db"), audit.FileKeyRing("keys"), shard="hub/n1-1/2026")
    records = await ledger.append([audit.Draft(type="intent", …)])     # returns when durable for all of them

A library that never heard of the hub. See README.md for an example that runs.
"""

from __future__ import annotations

from audit.beside import Statement
from audit.draft import Draft, Subject
from audit.entry import Record
from audit.errors import (
    EntryAltered,
    EntryRefused,
    HeadMoved,
    KeyMissing,
    LedgerError,
    LedgerUnwritable,
    ShardTaken,
    StoreFailed,
    UnsafeStore,
)
from audit.keys import FileKeyRing, KeyRing
from audit.ledger import Ledger
from audit.read import Opened, find_by_agent, find_by_subject, open_entry
from audit.recovery import settle
from audit.store import Hit, Store, Stored, open_store

__all__ = [
    "Draft",
    "EntryAltered",
    "EntryRefused",
    "FileKeyRing",
    "HeadMoved",
    "Hit",
    "KeyMissing",
    "KeyRing",
    "Ledger",
    "LedgerError",
    "LedgerUnwritable",
    "Opened",
    "Record",
    "ShardTaken",
    "Statement",
    "Store",
    "StoreFailed",
    "Stored",
    "Subject",
    "UnsafeStore",
    "find_by_agent",
    "find_by_subject",
    "open_entry",
    "open_store",
    "settle",
]
