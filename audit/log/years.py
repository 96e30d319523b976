"""The ledgers of one writer process through the years: one shard for each year, the old one sealed when it is over.

    31 December   exchanges are recorded in …/2026
    1 January     the first exchange opens …/2027; what is in flight finishes in the shard it began in
    then          …/2026 gets an entry `seal` that names …/2027, its last checkpoint is signed and anchored, and it ends

When the new shard cannot be opened (no key yet, the store hesitates), the old one goes on and the attempt is repeated:
the name of a year is not worth one refused exchange.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol

from audit.draft import Draft
from audit.entry import Record
from audit.errors import LedgerError
from audit.keys import KeyRing
from audit.ledger import Ledger
from audit.ledger import now as system_clock
from audit.log.names import Names, newest
from audit.log.publisher import Publisher
from audit.log.receipts import receipt_for
from audit.log.state import SignedState
from audit.recovery import settle
from audit.store import Store
from audit.tree.note import NoteSigner
from audit.worker import Tell, by_logging

SOON = 31 * 86_400_000_000  # µs before the end of a year in which the key of the next one is looked for
AGAIN = 60_000_000  # µs until a shard that could not be opened is tried again
RETENTION = "Y10"


class Book:
    """One shard, open for writing. Whoever got it from `begin` MUST give it back with `end`."""

    def __init__(self, ledger: Ledger, signer: NoteSigner | None = None) -> None:
        self.ledger = ledger
        self.in_flight = 0  # exchanges that began here and are not over
        self._signer = signer

    def receipt(self, record: Record) -> bytes | None:
        """The signed receipt of an entry, as a header; None where nothing is published."""
        if self._signer is None:
            return None
        return receipt_for(self.ledger.shard, record, self._signer)

    def end(self) -> None:
        self.in_flight -= 1


class Shelf(Protocol):
    """Where an exchange gets the book it is recorded in."""

    async def begin(self) -> Book:
        """The book of now. Never raises for a year that cannot be opened."""
        ...


class OneBook:
    """A shelf of one book that never ends; for tests and tools."""

    def __init__(self, ledger: Ledger, signer: NoteSigner | None = None) -> None:
        self.book = Book(ledger, signer)

    async def begin(self) -> Book:
        self.book.in_flight += 1
        return self.book


class Books:
    """This year's book, and last year's until its exchanges are over. Implements Shelf.

    Made at start; raises what publishing and opening a shard raise: RollbackRefused, ShardTaken, KeyMissing, StoreFailed.
    `begin` and `end` belong to one event loop; `tidy` to any other thread, about once a minute. `clock`: µs since 1970.
    """

    def __init__(
        self,
        store: Store,
        keyring: KeyRing,
        names: Names,
        publisher: Publisher,
        sign: Callable[[str], NoteSigner],
        state: SignedState,
        *,
        clock: Callable[[], int] = system_clock,
        tell: Tell = by_logging,
        opened: Callable[[str], None] = lambda origin: None,
    ) -> None:
        """`opened` is told of the shard of each new year, in another thread: its key belongs in the policy."""
        self._opened = opened
        self._store, self._keyring, self._names, self._publisher = store, keyring, names, publisher
        self._sign, self._state, self._clock, self._tell = sign, state, clock, tell
        self._turning = asyncio.Lock()
        self._ended: list[Book] = []  # of years that are over; sealed by `tidy`
        year = _year(clock())
        current = self._name(year)
        unfinished = [origin for origin in self._unsealed(year) if origin != current]
        self._book = self._open(current)
        self._until = _end_of(year)
        self.late = False  # a new year began and its shard could not be opened yet
        try:
            self._ended = [self._open(origin) for origin in unfinished]
        except BaseException:
            self._book.ledger.close()
            raise

    @property
    def ledger(self) -> Ledger:
        """The ledger of now."""
        return self._book.ledger

    async def begin(self) -> Book:
        """See Shelf.begin."""
        if self._clock() >= self._until:
            await self._turn()
        book = self._book
        book.in_flight += 1
        return book

    def tidy(self, older_than: timedelta | None = None) -> int:
        """Settle dangling intents of all books, seal those whose year is over; return how many intents were settled.

        Blocks. Raises LedgerUnwritable; the next call goes on.
        """
        settled = len(settle(self.ledger) if older_than is None else settle(self.ledger, older_than))
        for book in [one for one in self._ended if not one.in_flight]:
            settled += len(settle(book.ledger, timedelta(0)))
            book.ledger.append_blocking([seal(self.ledger.shard)])
            book.ledger.close()
            self._publisher.retire(book.ledger.shard)
            self._ended.remove(book)
            self._tell("info", "shard_sealed", shard=book.ledger.shard)
        if self._until - self._clock() < SOON:
            self._look_for_key()
        return settled

    def close(self) -> None:
        """Write what was accepted, give the leases back. A year that was not sealed yet is sealed after the next start."""
        for book in (self._book, *self._ended):
            book.ledger.close()

    async def _turn(self) -> None:
        async with self._turning:
            now = self._clock()
            if now < self._until:  # another exchange opened it meanwhile
                return
            try:
                book = await asyncio.to_thread(self._open_year, _year(now))
            except (LedgerError, OSError) as error:
                self.late, self._until = True, now + AGAIN
                self._tell("error", "shard_of_new_year_not_opened", error=type(error).__name__)
                return
            self._ended.append(self._book)
            self._book, self._until, self.late = book, _end_of(_year(now)), False
            self._tell("info", "shard_opened", shard=book.ledger.shard)

    def _open_year(self, year: int) -> Book:
        book = self._open(self._name(year))
        try:
            self._opened(book.ledger.shard)
        except (LedgerError, OSError) as error:  # a list of keys that is late must not cost the year
            self._tell("error", "new_year_not_announced", error=type(error).__name__)
        return book

    def _open(self, origin: str) -> Book:
        """The lease comes first, so that nobody else touches this log; then its store is held against what was signed,
        before a single entry is added to it."""
        signer = self._sign(origin)
        ledger = Ledger(self._store, self._keyring, shard=origin, clock=self._clock)
        try:
            self._publisher.publish(origin, stored=lambda: ledger.size)
        except BaseException:
            ledger.close()
            raise
        return Book(ledger, signer)

    def _look_for_key(self) -> None:
        """Said every minute of December: without a key for the new year, the old shard goes on."""
        try:
            self._sign(self._names.shard(_year(self._until)))
        except LedgerError as error:
            self._tell("warning", "key_of_new_year_missing", error=type(error).__name__)

    def _name(self, year: int) -> str:
        return newest(self._names.shard(year), self._known())

    def _known(self) -> set[str]:
        return {*self._store.shards(), *self._state.origins()}

    def _unsealed(self, year: int) -> list[str]:
        """Shards of earlier years that a process left without seal. One that was given up after a restore is let be."""
        known = self._known()
        earlier = [one for one in sorted(known) if (self._names.year_of(one) or year) < year]
        return [one for one in earlier if one == newest(self._names.shard(self._names.year_of(one) or 0), known)
                and not self._is_sealed(one)]  # fmt: skip

    def _is_sealed(self, origin: str) -> bool:
        size = self._store.size(origin)
        return any(stored.kind == "seal" for stored in self._store.read(origin, max(0, size - 1), size))


def seal(successor: str) -> Draft:
    """The last entry of a shard."""
    return own_draft("seal", "ledger.seal", successor=successor)


def own_draft(kind: str, name: str, **clear: object) -> Draft:
    """An entry that the ledger makes about itself."""
    return Draft(
        type=kind, trace_id=os.urandom(16).hex(), span_id=os.urandom(8).hex(), name=name, retention=RETENTION, clear=clear
    )  # fmt: skip


def _year(now: int) -> int:
    return datetime.fromtimestamp(now / 1_000_000, UTC).year


def _end_of(year: int) -> int:
    """µs since 1970 at which a year is over, UTC."""
    return int(datetime(year + 1, 1, 1, tzinfo=UTC).timestamp()) * 1_000_000
