"""The ledger of one writer process: entries are built by their callers, committed in groups by one thread.

Life of an append:
 1. the caller's thread builds every entry of the call (JSON, digests, encryption) and puts them in a queue;
 2. the writer thread blocks on that queue, takes everything that is waiting (about 512 entries; never half a call)
    and stores it in one durable transaction: a group forms while the previous fsync runs, there is no timer;
 3. only then are the callers woken, once per batch and event loop, with the indices of their entries.

When the store fails, those waiting get LedgerUnwritable, and the writer reopens the store and re-reads the head before
it believes in an index again: on the next append, and by itself every second.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from types import TracebackType
from weakref import WeakKeyDictionary

from audit.beside import Statement
from audit.draft import Draft
from audit.entry import Commit, Prepared, Record, prepare
from audit.errors import EntryRefused, HeadMoved, KeyMissing, LedgerUnwritable
from audit.gathering import BATCH, Group, Waiting, count_of, wake
from audit.keys import KeyRing
from audit.seal import Sealer
from audit.store import Store

CAPACITY = 8_192  # entries waiting; beyond, appends are refused at once
GRACE = 2.0  # seconds that closing waits for an event loop to hand over what it was promised
PROBE = 1.0  # seconds between attempts to reopen a failed store when nobody appends


def now() -> int:
    """µs since 1970."""
    return time.time_ns() // 1000


class Ledger:
    """One shard, open for writing. Safe to use from many tasks, event loops and threads of one process.

    Takes the shard's lease when made: raises ShardTaken, UnsafeStore or StoreFailed then.
    `clock` gives µs since 1970."""

    def __init__(
        self,
        store: Store,
        keyring: KeyRing,
        *,
        shard: str,
        clock: Callable[[], int] = now,
        capacity: int = CAPACITY,
    ) -> None:
        self.shard = shard
        self.store = store
        self.transactions = 0  # durable commits since start
        self._clock = clock
        self._capacity = capacity
        self._sealer = Sealer(keyring)
        self._inbox: SimpleQueue[list[Waiting] | None] = SimpleQueue()
        self._groups: WeakKeyDictionary[asyncio.AbstractEventLoop, Group] = WeakKeyDictionary()
        self._gate = Lock()
        self._waiting = 0  # entries handed in and not yet answered; guarded by the gate
        self._closed = False  # nothing more is accepted
        self._ended = False  # the writer is gone
        self._left: list[Waiting] | None = None  # taken from the queue, did not fit in the batch
        self._failure: Exception | None = None
        self._writer = store.writer(shard)
        self._head = self._writer.size()
        self._thread = Thread(target=self._run, name=f"ledger {shard}", daemon=True)
        self._thread.start()

    @property
    def healthy(self) -> bool:
        """Whether the last transaction (or probe) succeeded. An unhealthy ledger still accepts appends, and tries."""
        return self._failure is None and not self._closed and self._thread.is_alive()

    @property
    def failure(self) -> Exception | None:
        """Why the ledger is unhealthy; None when it is well."""
        return self._failure

    @property
    def waiting(self) -> int:
        """Entries handed in and not yet durable."""
        return self._waiting

    @property
    def size(self) -> int:
        """Entries in the shard, as far as acknowledged by this process: the next index."""
        return self._head

    def now(self) -> int:
        """The ledger's time: µs since 1970."""
        return self._clock()

    async def append(self, drafts: Sequence[Draft], *, beside: Sequence[Statement] = ()) -> list[Record]:
        """Record all drafts in one transaction, and the rows `beside` them; returns, in their order, when ALL are durable.

        Raises EntryRefused (nothing written) when one of them can never be an entry, and LedgerUnwritable when the
        store or the key ring fails, the queue is full or the ledger is closed: then nothing was acknowledged, and the
        exchange must be refused. A cancelled caller's entries may still be written.
        """
        entries = self._prepare(drafts)
        loop = asyncio.get_running_loop()
        future: asyncio.Future[list[Record]] = loop.create_future()
        self._admit(len(entries))
        group = self._groups.get(loop)
        if group is None:
            group = self._groups[loop] = Group(self._hand_over, self._settle)
        group.add(Waiting(entries, future, loop, beside))
        return await future

    def append_blocking(self, drafts: Sequence[Draft], *, beside: Sequence[Statement] = ()) -> list[Record]:
        """As `append`, for a thread without event loop."""
        future: Future[list[Record]] = Future()
        waiting = Waiting(self._prepare(drafts), future, None, beside)
        self._admit(len(waiting.entries))
        self._hand_over([waiting])
        return future.result()

    def close(self) -> None:
        """Refuse new appends, finish what was accepted, give the lease back. Blocks; may be called twice."""
        with self._gate:
            if not self._closed:
                self._closed = True
                self._inbox.put(None)
        self._thread.join()

    def __enter__(self) -> Ledger:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # --- in the caller's thread

    def _prepare(self, drafts: Sequence[Draft]) -> list[Prepared]:
        if not drafts:
            raise EntryRefused("an append without entries records nothing")
        now = self._clock()
        try:
            return [prepare(draft, self._sealer, now) for draft in drafts]
        except (KeyMissing, OSError) as error:
            raise LedgerUnwritable("the key ring gives no key to seal with") from error

    def _admit(self, count: int) -> None:
        with self._gate:
            if self._closed:
                raise LedgerUnwritable("the ledger is closed")
            if self._waiting and self._waiting + count > self._capacity:
                raise LedgerUnwritable(f"{self._waiting} entries are waiting; the store does not keep up")
            self._waiting += count

    def _hand_over(self, appends: list[Waiting]) -> None:
        with self._gate:
            if not self._ended:
                self._inbox.put(appends)
                return
        self._settle(appends, LedgerUnwritable("the ledger is closed"))

    # --- in the writer thread

    def _run(self) -> None:
        try:
            while (batch := self._take()) is not None:
                if batch:
                    self._commit(batch)
                else:
                    self._probe()
        finally:
            self._writer.close()

    def _take(self) -> list[Waiting] | None:
        """Everything that waits; [] when it is time to probe a failed store; None when closed and drained."""
        first, self._left = self._left, None
        if first is None:
            try:
                first = self._inbox.get(timeout=None if self._failure is None else PROBE)
            except Empty:
                return []
        if first is None and (first := self._last()) is None:
            return None
        batch, count = first, count_of(first)
        while count < BATCH:
            try:
                more = self._inbox.get_nowait()
            except Empty:
                break
            if more is None:
                self._inbox.put(None)  # closing: seen again, as the last, by the next round
                break
            if count + count_of(more) > BATCH:
                self._left = more
                break
            batch = batch + more
            count += count_of(more)
        return batch

    def _last(self) -> list[Waiting] | None:
        """Closing: what was accepted and still gathers in its event loop comes in a moment, unless that loop is gone."""
        late = None
        if self._waiting:
            with suppress(Empty):
                late = self._inbox.get(timeout=GRACE)
            self._inbox.put(None)
        if late is None:
            with self._gate:
                self._ended = True
        return late

    def _commit(self, batch: list[Waiting]) -> None:
        entries = batch[0].entries if len(batch) == 1 else [entry for waiting in batch for entry in waiting.entries]
        if self._failure is not None and not self._probe():
            # A store that is down must not hold callers: those who queued up behind are told as well.
            batch += self._drain()
            self._settle(batch, self._failure)
            return
        try:
            if beside := [statement for waiting in batch for statement in waiting.beside]:
                self._writer.append(entries, self._head, beside)
            else:
                self._writer.append(entries, self._head)
        except Exception as error:  # whatever it was, nobody may wait for ever
            self._failure = error
            self._settle(batch, error)
            return
        first, self._head = self._head, self._head + len(entries)
        self.transactions += 1
        self._settle(batch, first)

    def _probe(self) -> bool:
        """Reopen a failed store and believe only what it says; entries we acknowledged must all be there."""
        try:
            size = self._writer.reopen()
            if size < self._head:
                raise HeadMoved(f"shard {self.shard} holds {size} entries, {self._head} were acknowledged")
        except Exception as error:  # the thread lives on to try again
            self._failure = error
            return False
        self._head = size
        self._failure = None
        return True

    def _drain(self) -> list[Waiting]:
        drained = [] if self._left is None else self._left
        self._left = None
        while True:
            try:
                waiting = self._inbox.get_nowait()
            except Empty:
                return drained
            if waiting is None:
                self._inbox.put(None)
                return drained
            drained = drained + waiting

    def _settle(self, batch: list[Waiting], result: int | Exception) -> None:
        """Wake everybody of a batch: `result` is the index of its first entry, or why nothing was acknowledged."""
        commit = None
        if len(batch) > 1 and isinstance(result, int):  # a caller alone needs nobody to share a signature with
            commit = Commit(result, [(entry.leaf, entry.ts) for waiting in batch for entry in waiting.entries])
        loops: dict[asyncio.AbstractEventLoop | None, list[tuple[Waiting, int | Exception]]] = {}
        settled = 0
        for waiting in batch:
            count = len(waiting.entries)
            settled += count
            loops.setdefault(waiting.loop, []).append((waiting, result))
            if isinstance(result, int):
                result += count
        with self._gate:
            self._waiting -= settled
        for loop, members in loops.items():
            if loop is None:
                wake(members, commit)
                continue
            try:
                loop.call_soon_threadsafe(wake, members, commit, self._groups.get(loop))
            except RuntimeError:  # that loop was closed: nobody is left to be told
                continue
