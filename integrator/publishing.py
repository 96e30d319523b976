"""The hub's ledger as strangers see it: which logs this process writes, where they are published, and who may read them.

settings ─► names, keys, signed state ─► publisher (thread) ─► books (one shard a year) ─► recorder
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from audit import FileKeyRing, LedgerError, Store, open_store
from audit.errors import KeyMissing, LogAltered, RollbackRefused, ShardTaken, StoreFailed, UnsafeStore
from audit.ledger import Ledger
from audit.log.names import Names, newest
from audit.log.policy import write_policy
from audit.log.proofs import Log, entry_bundle
from audit.log.publication import Publication
from audit.log.publisher import Publisher
from audit.log.signing import Signers
from audit.log.state import SignedState
from audit.log.years import Books, OneBook
from audit.tree.checkpoint import Checkpoint
from audit.tree.note import split_note
from integrator import clock
from integrator.attesting import Attesting, open_attesting
from integrator.errors import ConfigurationError
from integrator.logs import log
from integrator.settings import Settings

_ADVICE = {
    RollbackRefused: "The store holds less, or other, than was signed: was a backup restored? Bring back the store that was"
    " signed. When it is lost: integrator audit resume --after-restore (docs/operators.md, Backup).",
    LogAltered: "What is stored is not what was published: a failing disk, or somebody changed an entry. Copy everything"
    " before you touch anything; integrator audit verify says where.",
    UnsafeStore: "The store cannot promise to keep what it acknowledged: see docs/operators.md, PostgreSQL.",
    StoreFailed: "The store does not answer: is the database running, and the address in setting `ledger` right?",
    ShardTaken: "Another hub is writing this shard: give each process its own INTEGRATOR_SHARD.",
    KeyMissing: "integrator keys new makes the keys that sign the ledger, once, before the first start in production.",
}


@dataclass(frozen=True, slots=True)
class Logbook:
    """Everything published, and what it is made with; built without opening any shard for writing."""

    names: Names
    store: Store
    keyring: FileKeyRing  # of sealed values
    publication: Publication
    state: SignedState
    signers: Signers
    anchor: str  # the anchor in use

    @property
    def log(self) -> Log:
        return Log(self.publication, self.store, self.anchor)

    def known(self) -> set[str]:
        """Every log that the store or the memory of what was signed knows."""
        return {*self.store.shards(), *self.state.origins()}


def open_logbook(settings: Settings) -> Logbook:
    """Raises `ConfigurationError`."""
    try:
        names = Names(str(settings.audit["name"]), settings.mode, settings.shard)
    except ValueError as error:
        raise ConfigurationError(f"settings: {error}", advice="Mend audit.name or shard.") from error
    try:
        store = open_store(settings.ledger)
    except LedgerError as error:
        raise refused(error) from error
    state = SignedState(str(settings.audit["signedState"]))
    return Logbook(
        names,
        store,
        FileKeyRing(settings.state / "ledger-keys"),
        Publication(settings.state / "log"),
        state,
        Signers(FileKeyRing(settings.state / "audit-keys"), create=settings.sandbox),
        newest(names.anchor, {*store.shards(), *state.origins()}),
    )


@dataclass(slots=True)
class Publishing:
    """What a running hub has of it. `ledger` given from outside (benchmarks): nothing is published."""

    books: Books | OneBook
    publisher: Publisher | None
    logbook: Logbook | None
    published: Published | None = None
    attesting: Attesting | None = None

    @property
    def ledger(self) -> Ledger:
        return self.books.book.ledger if isinstance(self.books, OneBook) else self.books.ledger

    @property
    def log(self) -> Log | None:
        return self.logbook.log if self.logbook else None

    @property
    def healthy(self) -> bool:
        """No once something contradicts what was signed: nothing may be promised on top of it."""
        refusing = self.attesting is not None and self.attesting.overdue
        return self.ledger.healthy and not refusing and not (self.publisher and self.publisher.status().final)

    def start(self) -> None:
        """Publish, and have it vouched for, in threads of their own."""
        if self.publisher is not None:
            self.publisher.start()
        if self.attesting is not None:
            self.attesting.start()

    def admit(self) -> None:
        """Raise when no new exchange may begin: nobody outside has stamped the ledger for hours."""
        if self.attesting is not None:
            self.attesting.admit()

    @property
    def late(self) -> bool:
        """Whether publishing needs somebody's eye, while exchanges go on."""
        status = self.publisher.status() if self.publisher else None
        overdue = status is not None and (status.failing or not status.alive or status.waiting > OVERDUE)
        unattested = self.attesting is not None and self.attesting.alarm
        return overdue or unattested or (isinstance(self.books, Books) and self.books.late)

    def tidy(self, older_than: timedelta | None = None) -> int:
        """See audit.log.years.Books.tidy. Blocks."""
        return self.books.tidy(older_than) if isinstance(self.books, Books) else 0

    def close(self) -> None:
        """The ledger writes what it was given, the last checkpoint is signed, then the store goes. Blocks."""
        if self.attesting is not None:
            self.attesting.close()
        if isinstance(self.books, Books):
            self.books.close()
        else:
            self.books.book.ledger.close()
        if self.publisher is not None:
            self.publisher.close()
        if self.logbook is not None:
            self.logbook.store.close()


class Published:
    """The logs as the API shows them. Implements integrator.api.hub.Published."""

    def __init__(self, logbook: Logbook) -> None:
        self._logbook = logbook
        self.auditor: Callable[[Any], Awaitable[bool]] = (
            nobody  # who may see tiles and entries; the consoles know people
        )

    def read(self, path: str) -> bytes:
        """A published file. Raises FileNotFoundError."""
        return self._logbook.publication.read(path)

    def bundle(self, origin: str, index: int, width: int) -> bytes:
        """Entries under the newest checkpoint, as a bundle of just that width. Raises FileNotFoundError."""
        try:
            note = self._logbook.log.checkpoint(origin)
            signed = Checkpoint.parse(split_note(note)[0]).size
            last = index * 256 + width
            if last > signed:
                raise FileNotFoundError(origin)
            return entry_bundle(self._logbook.store, origin, index, last)
        except LedgerError as error:
            raise FileNotFoundError(origin) from error

    async def may_read(self, request: Any) -> bool:
        return await self.auditor(request)


async def nobody(request: Any) -> bool:
    """Nobody may, until somebody says who."""
    del request
    return False


OVERDUE = 30.0  # seconds; three times what a checkpoint may take


def open_publishing(settings: Settings, now: clock.Now) -> Publishing:
    """Open this process's shard and its publisher, not started yet. Raises `ConfigurationError` with advice."""
    logbook = open_logbook(settings)

    def micros() -> int:
        return clock.micros(now())

    def announce() -> None:
        """The key of every log, where strangers look for it; again when a year opens a new log."""
        write_policy(logbook.publication, logbook.signers.signer(logbook.names.policy), *attesting.policy())

    try:
        attesting = open_attesting(settings, logbook.publication, now)
        attesting.check_restored(logbook.anchor)  # before anything could be signed
    except ConfigurationError:
        logbook.store.close()
        raise
    try:
        publisher = Publisher(
            logbook.store, logbook.publication, logbook.state, logbook.signers, anchor=logbook.anchor, clock=micros,
            on_failure=_tell,
        )  # fmt: skip
        try:
            publisher.open_anchor()
            books = Books(
                logbook.store, logbook.keyring, logbook.names, publisher, logbook.signers.signer, logbook.state,
                clock=micros, tell=lambda level, event, **fields: getattr(log, level)(event, **fields),
                opened=lambda origin: announce(),
            )  # fmt: skip
            attesting.attach(publisher, logbook.anchor)
            announce()
        except BaseException:
            publisher.close(sign=False)
            raise
    except LedgerError as error:
        logbook.store.close()
        raise refused(error) from error
    return Publishing(books, publisher, logbook, Published(logbook), attesting)


def refused(error: LedgerError) -> ConfigurationError:
    """Why the ledger cannot be opened, and what to do."""
    advice = next((text for kind, text in _ADVICE.items() if isinstance(error, kind)), _ADVICE[ShardTaken])
    what = str(error) if isinstance(error, RollbackRefused | LogAltered) else type(error).__name__
    return ConfigurationError(f"the ledger cannot be opened: {what}", advice=advice)


def _tell(origin: str, error: Exception) -> None:
    log.warning("publishing_failed", shard=origin, error=type(error).__name__)


class LogFigures(Collector):
    """How publishing does, for /metrics; read from the publisher's own status when somebody looks.

    Two labels only: `anchor`, and `shard` for this process's shards together (two while a year is being sealed)."""

    def __init__(self, publisher: Publisher, now: clock.Now) -> None:
        self._publisher, self._now = publisher, now

    def collect(self) -> Iterator[Metric]:
        status = self._publisher.status()
        age = GaugeMetricFamily(
            "integrator_log_checkpoint_age_seconds",
            "Since the newest checkpoint was signed by this process.",
            labels=("log",),
        )
        waiting = GaugeMetricFamily(
            "integrator_log_unsigned_seconds", "How long the oldest entry without checkpoint waits.", labels=("log",)
        )
        growth = GaugeMetricFamily(
            "integrator_log_unsigned_entries", "Entries in tiles that no checkpoint covers yet.", labels=("log",)
        )
        for label, logs in (("shard", status.shards), ("anchor", (status.anchor,) if status.anchor else ())):
            if not logs:  # another process writes the anchor
                continue
            waiting.add_metric((label,), max(one.waiting for one in logs))
            growth.add_metric((label,), sum(one.size - one.signed for one in logs))
            signed = [one.signed_at for one in logs if one.signed_at is not None]
            if signed:
                age.add_metric((label,), max(0.0, self._now() - max(signed) / 1_000_000))
        final = GaugeMetricFamily(
            "integrator_log_contradicts", "1 once store, tiles or keys contradict what was signed.", value=status.final
        )
        yield from (age, waiting, growth, final)
        yield CounterMetricFamily(
            "integrator_log_failures", "Turns of the publisher that failed.", value=status.failures
        )
