"""Every way the ledger can refuse or fail. No message holds a value of an entry: messages reach logs.

LedgerError
  ├─ EntryRefused      the caller's: this entry may not enter the ledger (too big, a float, an unknown field …)
  ├─ LedgerUnwritable  nothing was acknowledged: store down, queue full, closed. The cause is kept.
  │    ├─ StoreFailed      raised by an engine; the ledger reopens it and re-reads the head
  │    └─ HeadMoved        somebody else wrote to our shard, or rows we acknowledged are gone
  ├─ ShardTaken        another writer holds the shard; refused at start
  ├─ UnsafeStore       the engine cannot promise durability as configured; refused at start
  ├─ KeyMissing        a key was destroyed, lost or never made: what it sealed cannot be opened
  └─ EntryAltered      stored bytes, hash, digests or sealed values contradict each other
"""

from __future__ import annotations


class LedgerError(Exception):
    """Base of the family."""


class EntryRefused(LedgerError, ValueError):
    """This entry may not enter the ledger, now or later; the message names the field, never its value."""


class LedgerUnwritable(LedgerError):
    """Nothing was acknowledged. What was handed in may or may not be stored: treat the exchange as refused.

    Raised to every waiting append when the store fails (the cause is kept), and at once when the queue is
    full or the ledger is closed. Never raised for an entry that is wrong in itself: that is EntryRefused.
    """


class StoreFailed(LedgerUnwritable):
    """An engine could not complete a transaction; the writer must be reopened before the next one."""


class HeadMoved(LedgerUnwritable):
    """The shard does not end where its writer left it: a second writer, a restored backup, or lost rows."""


class ShardTaken(LedgerError):
    """Another living writer holds the lease of this shard. One shard has one writer process."""


class UnsafeStore(LedgerError):
    """The engine is configured so that acknowledged entries can be lost (e.g. PostgreSQL with fsync=off)."""


class KeyMissing(LedgerError):
    """The key ring has no such key. For a reader this is final: keys are never made anew for old entries."""


class EntryAltered(LedgerError):
    """The stored entry contradicts its own hash or digests: evidence of tampering or of a failing disk."""
