"""The contract between the ledger and an engine, and the door to the two engines we have.

    open_store("sqlite:///var/ledger.db")            one machine, nothing to install
    open_store("postgresql://user@host/database")    several machines, each writer process its own shard

Three tables, the same in both: `entry` (the leaves: no personal data), `side` (blind tags, columns for the consoles,
sealed values) and `dek` (wrapped data keys). `dek` is apart so that it can live in its own tablespace with a short
backup cycle: once its backups have expired, an erased value cannot be read from an old backup of `side` either.
Beside them two small ones: `kept` (which month of which retention class still has side rows) and `alias` (which tag of
a year names the same person as which other). Leaves are never changed and never dropped.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from audit.beside import Statement
from audit.entry import Part, Prepared

By = Literal["subject", "agent"]
Sealed = Part  # what `sealed` gives back is what was handed in


@dataclass(frozen=True, slots=True)
class Stored:
    """One entry as it lies in the store. Nothing was checked: see audit.read."""

    shard: str
    index: int
    ts: int  # µs since 1970
    kind: str
    ref: int | None
    leaf: bytes
    body: bytes


@dataclass(frozen=True, slots=True)
class Hit:
    """One row of the side table that carries a tag that was asked for."""

    shard: str
    index: int
    part: int
    ts: int
    tag: bytes | None
    agent_tag: bytes | None
    org: str | None
    activity: str | None
    op: str | None
    vis: int  # 0 = shown; other values restrict the view and are set by later entries
    ret: str  # retention class


class Writer(Protocol):
    """The one writer of one shard, holder of its lease.

    Used from one thread at a time. After any StoreFailed or HeadMoved the caller MUST call `reopen` before `append`.
    """

    def append(self, batch: Sequence[Prepared], expect: int, beside: Sequence[Statement] = ()) -> None:
        """Store a batch at indices expect, expect+1, … in ONE transaction; return only when it is durable.

        Rows `beside` it are written in the same transaction, after the entries: all of it is there, or nothing.

        Durable: it survives kill -9 and power loss as far as the engine's disk keeps its promises.
        The head MUST be read inside the same transaction; when it is not `expect`, nothing is stored and HeadMoved
        is raised. Entry, side and dek rows appear together or not at all. The index MUST be without gaps.
        Raises StoreFailed when the transaction failed *or its fate is unknown*; the cause is kept.
        """
        ...

    def size(self) -> int:
        """Number of entries in the shard, read from storage: the next index."""
        ...

    def reopen(self) -> int:
        """Drop what is left of the connection, connect again, take the lease again; return the size now.

        Raises StoreFailed while the store is down, ShardTaken when another writer took over meanwhile.
        """
        ...

    def close(self) -> None:
        """Give the lease back. Never raises for a store that is down."""
        ...


class Store(Protocol):
    """Where shards live. Reading is safe from any thread and never blocks a writer.

    A read returns what was durable when it started. Raises StoreFailed when the engine is down, never an empty answer.
    """

    def writer(self, shard: str, *, wait: float = 5.0) -> Writer:
        """Take the lease of a shard (made when absent) and return its writer.

        Raises ShardTaken when another writer still holds it after `wait` seconds (a killed process may need a
        moment to be noticed), UnsafeStore when the engine is configured to lose entries, StoreFailed when down.
        """
        ...

    def shards(self) -> list[str]:
        """Names of all shards, in order of their making."""
        ...

    def size(self, shard: str) -> int:
        """Number of entries of a shard; 0 for one that does not exist."""
        ...

    def read(self, shard: str, start: int = 0, stop: int | None = None) -> Iterator[Stored]:
        """Entries start ≤ index < stop, in order of index. `stop` None = to the end as it is now."""
        ...

    def scan(self, shard: str, start: int, stop: int) -> list[Any]:
        """Entries start ≤ index < stop as rows (index, ts, kind, ref, leaf, body), all at once: for verification."""
        ...

    def leaves(self, shard: str, start: int, stop: int) -> list[bytes]:
        """Leaf hashes of entries start ≤ index < stop as they were stored, in order; fewer when some are not there."""
        ...

    def bodies(self, shard: str, start: int, stop: int) -> Iterator[tuple[int, bytes, bytes]]:
        """(index, leaf hash, body) of entries start ≤ index < stop, in order: for who hashes all of them again."""
        ...

    def beside(self, shard: str, month: int, start: int, stop: int) -> list[Any]:
        """Side rows of one month beside those entries, by index and part: (index, org, activity, op, ts, retention, form).

        `form`, a number, says what is there: 1, 2, 4 a key for the subject, the agent, the technical reader; 8, 16, 32 the
        sealed values for each; 64 hidden from the citizen; and 128 for each part before this one.
        """
        ...

    def sealed(self, shard: str, index: int) -> list[Sealed]:
        """The sealed parts of one entry, in order of part; empty when they were erased."""
        ...

    def find(
        self,
        tags: Sequence[bytes],
        since: int,
        until: int,
        *,
        by: By = "subject",
        before: tuple[int, str, int, int] | None = None,
        limit: int = 100,
        shown: bool = False,
    ) -> list[Hit]:
        """Rows with one of the tags and since ≤ ts < until (µs), newest first, at most `limit`.

        Continue with before=(ts, shard, index, part) of the last hit: a list that grows meanwhile skips nothing.
        `shown`: leave out what is restricted (vis other than 0). Ask so for a citizen: pages stay full, nothing shows.
        """
        ...

    def rare(
        self,
        kinds: Sequence[str],
        since: int,
        until: int,
        *,
        before: tuple[int, str, int] | None = None,
        limit: int = 100,
    ) -> list[Stored]:
        """Entries of these kinds (any but intent and outcome) with since ≤ ts < until (µs), newest first.

        Over all shards, by an index of its own: quick however many exchanges there are.
        Continue with before=(ts, shard, index) of the last entry.
        """
        ...

    def dangling(self, shard: str, before: int) -> list[Stored]:
        """Intents with ts < before (µs) to which no outcome or unknown refers, in order of index."""
        ...

    def subjects(self, since: int, until: int) -> Iterator[tuple[bytes, str, int]]:
        """(tag, shard, index) of the rows that are shown, since ≤ ts < until (µs) of ONE month, in order of tag.

        Reads the whole month, on a connection of its own: for nightly chores.
        """
        ...

    def months(self) -> list[int]:
        """Months (yyyymm) from which side rows are still kept, ascending."""
        ...

    def tagged(self, by: By, year: int) -> bool:
        """Whether any row that is kept from that year carries a tag of this kind."""
        ...

    # --- keeping: changes beside the leaves. Each is durable when it returns, and harmless when done twice.

    def kept(self) -> list[tuple[str, int]]:
        """(retention class, month yyyymm) of which side rows may still be kept, by month, then class."""
        ...

    def counts(self, retention: str, month: int) -> int:
        """Entries of that class and month whose side rows are kept. Reads the whole month: seconds for millions."""
        ...

    def drop_month(self, retention: str, month: int) -> int:
        """Drop the side and dek rows of one class and month, in slices between which writers go on; return side rows.

        The month leaves `kept` last: whatever interrupts this, calling it again completes it. With the last month of a
        year its aliases go too. The caller MUST have recorded the erasure before: see audit.keeping.
        """
        ...

    def erase(self, shard: str, index: int) -> int:
        """Delete the dek and side rows of one entry, together; return the number of side rows. Same duty as above."""
        ...

    def set_vis(self, shard: str, index: int, vis: int) -> int:
        """Set `vis` on the side rows of one entry; return how many had another."""
        ...

    def alias(self, links: Sequence[tuple[int, bytes, bytes]]) -> int:
        """Record that (year, old tag, new tag) name the same person; return how many were new."""
        ...

    def same(self, tags: Sequence[bytes]) -> list[bytes]:
        """The tags, and all that aliases link to them directly or over others, in either direction."""
        ...

    def chore(self, name: str) -> AbstractContextManager[bool]:
        """Hold the lock of a chore that one process at a time may do; False when another one is doing it."""
        ...

    def close(self) -> None:
        """Close the reading side; writers are closed by whoever opened them."""
        ...


def open_store(url: str) -> Store:
    """Open the engine that a URL names. Raises ValueError for another scheme, StoreFailed when it is down.

    `sqlite:///relative.db`, `sqlite:////absolute.db`, or anything libpq understands as `postgresql://…`.
    """
    scheme, _, rest = url.partition("://")
    if scheme == "sqlite" and rest.startswith("/"):
        from audit.sqlite import SqliteStore

        return SqliteStore(rest[1:])
    if scheme in ("postgresql", "postgres"):
        from audit.postgres import PostgresStore

        return PostgresStore(url)
    raise ValueError("a ledger is opened by sqlite:///path or postgresql://…")
