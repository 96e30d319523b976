"""Every way the ledger can refuse or fail. No message holds a value of an entry: messages reach logs.

LedgerError
  ├─ EntryRefused      the caller's: this entry may not enter the ledger (too big, a float, an unknown field …)
  ├─ LedgerUnwritable  nothing was acknowledged: store down, queue full, closed. The cause is kept.
  │    ├─ StoreFailed      raised by an engine; the ledger reopens it and re-reads the head
  │    └─ HeadMoved        somebody else wrote to our shard, or rows we acknowledged are gone
  ├─ ShardTaken        another writer holds the shard; refused at start
  ├─ UnsafeStore       the engine cannot promise durability as configured; refused at start
  ├─ KeyMissing        a key was destroyed, lost or never made: what it sealed cannot be opened
  ├─ OrderRefused      an order about keeping that is not whole, or contradicts another; nothing was done
  ├─ EntryAltered      stored bytes, hash, digests or sealed values contradict each other
  ├─ ProofInvalid      hashes that do not lead from what is claimed to the root: proofs, tiles, compact ranges
  ├─ NoteInvalid       a signed note or key that is malformed, or that no trusted key signed
  ├─ CheckpointInvalid the text of a note is not exactly origin, size and root
  ├─ TrustInsufficient genuine, but not signed by those whom the policy asks for
  ├─ RollbackRefused   the store holds less, or other, than was signed: a restored backup, or tampering
  ├─ LogAltered        store, tiles and signed checkpoint disagree: nothing more is signed
  └─ NotPublished      no checkpoint covers the entry yet; within seconds one will
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


class ProofInvalid(LedgerError, ValueError):
    """A proof, tile or range of hashes does not lead from what is claimed to the root. Trust nothing it was to prove.

    Fetch it again from the log's publication; when it stays wrong the log, or who passed it on, must answer for it.
    """


class NoteInvalid(LedgerError, ValueError):
    """A signed note (or a verifier key) is malformed, or no trusted key signed it, or one did so wrongly."""


class CheckpointInvalid(LedgerError, ValueError):
    """The text of a note is not a checkpoint: origin, size, root, and nothing else."""


class TrustInsufficient(LedgerError, ValueError):
    """Every signature is genuine, but they are not enough for the policy: the log's own is missing, or a quorum."""


class RollbackRefused(LedgerError):
    """The store holds fewer entries than were signed, or others: nothing may be signed on top of it.

    A backup was restored, or somebody changed the store. Bring back the store that was signed; when it is lost for good,
    `integrator audit resume --after-restore` says so in a new log and goes on there.
    """


class LogAltered(LedgerError):
    """What was published and what is stored do not give one root: a flipped bit or tampering. Nothing more is signed."""


class NotPublished(LedgerError):
    """No published checkpoint covers this entry (yet); one does within seconds of the entry, or the publisher is down."""


class OrderRefused(LedgerError, ValueError):
    """An order to erase, hold or restrict is not whole (a second person, a date), or a hold forbids it. Nothing was done."""
