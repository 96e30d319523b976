"""The ledger of one process: who is told what, when, and after which failures."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from audit import (
    EntryRefused,
    FileKeyRing,
    HeadMoved,
    KeyMissing,
    Ledger,
    LedgerUnwritable,
    ShardTaken,
    Store,
    StoreFailed,
    sqlite_writer,
)
from audit.entry import Prepared
from audit.store import Writer
from audit.unsafe import UnsafeNoLedger
from tests.unit.audit.kit import NOON, SHARD, a_draft, a_full_draft, administrator

OpenLedger = Callable[..., Ledger]


class WoundedWriter:
    """A real writer that can be told to fail, to wait, and to count."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self.shard = writer.shard
        self.fail_append: Exception | None = None
        self.fail_after_storing: Exception | None = None
        self.fail_reopen: Exception | None = None
        self.gate = threading.Event()
        self.gate.set()
        self.entered = threading.Event()
        self.batches: list[int] = []
        self.reopened = 0

    def append(self, batch: Sequence[Prepared], expect: int) -> None:
        self.entered.set()
        self.gate.wait(10)
        if self.fail_append is not None:
            raise self.fail_append
        self._writer.append(batch, expect)
        self.batches.append(len(batch))
        if self.fail_after_storing is not None:
            raise self.fail_after_storing

    def size(self) -> int:
        return self._writer.size()

    def reopen(self) -> int:
        self.reopened += 1
        if self.fail_reopen is not None:
            raise self.fail_reopen
        return self._writer.reopen()

    def close(self) -> None:
        self._writer.close()


@pytest.fixture
def wounded(sqlite: Store, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Store, list[WoundedWriter]]]:
    writers: list[WoundedWriter] = []
    original = sqlite.writer

    def writer(shard: str, *, wait: float = 5.0) -> WoundedWriter:
        writers.append(WoundedWriter(original(shard, wait=wait)))
        return writers[-1]

    monkeypatch.setattr(sqlite, "writer", writer)
    yield sqlite, writers
    for one in writers:
        one.gate.set()


async def test_what_is_acknowledged_is_stored(store: Store, open_ledger: OpenLedger) -> None:
    records = await open_ledger(store).append([a_draft(), a_full_draft()])

    assert [(0, NOON), (1, NOON)] == [(record.index, record.ts) for record in records]
    assert [record.leaf for record in records] == [stored.leaf for stored in store.read(SHARD)]


async def test_nobody_is_told_before_the_store_says_it_is_durable(
    wounded: tuple[Store, list[WoundedWriter]], open_ledger: OpenLedger
) -> None:
    store, writers = wounded
    ledger = open_ledger(store)
    writers[0].gate.clear()
    tasks = [asyncio.create_task(ledger.append([a_draft()])) for _ in range(8)]
    await asyncio.to_thread(writers[0].entered.wait, 10)  # the writer stands inside the transaction
    for _ in range(20):  # whatever was sent to this loop too early has arrived by now
        await asyncio.sleep(0.005)
    told_early = [task for task in tasks if task.done()]
    writers[0].gate.set()
    await asyncio.gather(*tasks)

    assert [] == told_early


def test_no_thread_is_told_before_the_store_says_it_is_durable(
    wounded: tuple[Store, list[WoundedWriter]], open_ledger: OpenLedger
) -> None:
    store, writers = wounded
    ledger = open_ledger(store)
    writers[0].gate.clear()
    told = threading.Event()
    thread = threading.Thread(target=lambda: (ledger.append_blocking([a_draft()]), told.set()))
    thread.start()
    writers[0].entered.wait(10)
    told_early = told.wait(0.1)
    writers[0].gate.set()
    thread.join(10)

    assert (False, True) == (told_early, told.is_set())


async def test_64_at_once_get_64_indices_without_gap(store: Store, open_ledger: OpenLedger) -> None:
    ledger = open_ledger(store)
    answers = await asyncio.gather(*(ledger.append([a_full_draft()]) for _ in range(64)))

    assert list(range(64)) == sorted(record.index for records in answers for record in records)


async def test_each_of_64_gets_the_index_of_its_own_entry(store: Store, open_ledger: OpenLedger) -> None:
    ledger = open_ledger(store)
    names = [f"person.get{n}" for n in range(64)]
    answers = await asyncio.gather(*(ledger.append([a_draft(name=name)]) for name in names))
    stored = {entry.index: entry.body for entry in store.read(SHARD)}

    assert all(f'"{name}"'.encode() in stored[record.index] for name, [record] in zip(names, answers, strict=True))


async def test_those_who_wait_together_are_committed_together(
    wounded: tuple[Store, list[WoundedWriter]], open_ledger: OpenLedger
) -> None:
    store, writers = wounded
    ledger = open_ledger(store)
    writers[0].gate.clear()
    first = asyncio.create_task(ledger.append([a_draft()]))
    await asyncio.to_thread(writers[0].entered.wait, 10)
    rest = [asyncio.create_task(ledger.append([a_draft()])) for _ in range(63)]
    await asyncio.sleep(0)
    writers[0].gate.set()
    await asyncio.gather(first, *rest)

    assert ([1, 63], 2) == (writers[0].batches, ledger.transactions)


async def test_one_call_is_never_split_over_two_transactions(
    wounded: tuple[Store, list[WoundedWriter]], open_ledger: OpenLedger
) -> None:
    store, writers = wounded
    ledger = open_ledger(store)
    writers[0].gate.clear()
    first = asyncio.create_task(ledger.append([a_draft()]))
    await asyncio.to_thread(writers[0].entered.wait, 10)
    rest = [asyncio.create_task(ledger.append([a_draft()] * 300)) for _ in range(3)]
    await asyncio.sleep(0)
    writers[0].gate.set()
    await asyncio.gather(first, *rest)

    assert [1, 300, 300, 300] == writers[0].batches


async def test_a_call_larger_than_a_batch_is_still_one_transaction(store: Store, open_ledger: OpenLedger) -> None:
    ledger = open_ledger(store)
    records = await ledger.append([a_draft()] * 1_000)

    assert (1_000, 999, 1) == (store.size(SHARD), records[-1].index, ledger.transactions)


def test_two_event_loops_share_one_ledger(store: Store, open_ledger: OpenLedger) -> None:
    ledger = open_ledger(store)
    indices: list[int] = []

    async def twenty() -> None:
        for records in await asyncio.gather(*(ledger.append([a_draft()]) for _ in range(20))):
            indices.extend(record.index for record in records)

    threads = [threading.Thread(target=asyncio.run, args=(twenty(),)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert list(range(40)) == sorted(indices)


async def test_a_thread_and_a_loop_share_one_ledger(sqlite: Store, open_ledger: OpenLedger) -> None:
    ledger = open_ledger(sqlite)
    by_thread, by_loop = await asyncio.gather(
        asyncio.to_thread(ledger.append_blocking, [a_draft()]), ledger.append([a_draft()])
    )

    assert {0, 1} == {by_thread[0].index, by_loop[0].index}


async def test_an_append_of_nothing_is_refused(sqlite: Store, open_ledger: OpenLedger) -> None:
    with pytest.raises(EntryRefused):
        await open_ledger(sqlite).append([])


async def test_one_bad_draft_refuses_its_call_and_no_other(sqlite: Store, open_ledger: OpenLedger) -> None:
    ledger = open_ledger(sqlite)
    bad, good = await asyncio.gather(
        ledger.append([a_draft(), a_draft(clear={"http": 1.5})]), ledger.append([a_draft()]), return_exceptions=True
    )

    assert (True, 1) == (isinstance(bad, EntryRefused), sqlite.size(SHARD))
    assert not isinstance(good, BaseException)


async def test_a_failed_store_is_told_to_those_waiting_and_the_cause_kept(
    wounded: tuple[Store, list[WoundedWriter]], open_ledger: OpenLedger
) -> None:
    store, writers = wounded
    ledger = open_ledger(store)
    writers[0].fail_append = cause = StoreFailed("disk gone")
    with pytest.raises(LedgerUnwritable) as failure:
        await ledger.append([a_draft()])

    assert cause is failure.value.__cause__


async def test_each_of_those_waiting_gets_an_error_of_its_own(
    wounded: tuple[Store, list[WoundedWriter]], open_ledger: OpenLedger
) -> None:
    store, writers = wounded
    ledger = open_ledger(store)
    writers[0].fail_append = StoreFailed("disk gone")
    failures = await asyncio.gather(*(ledger.append([a_draft()]) for _ in range(8)), return_exceptions=True)

    assert 8 == len({id(failure) for failure in failures if isinstance(failure, LedgerUnwritable)})


async def test_the_ledger_says_it_is_unwell(
    wounded: tuple[Store, list[WoundedWriter]], open_ledger: OpenLedger
) -> None:
    store, writers = wounded
    ledger = open_ledger(store)
    writers[0].fail_append = cause = StoreFailed("disk gone")
    with pytest.raises(LedgerUnwritable):
        await ledger.append([a_draft()])

    assert (False, cause) == (ledger.healthy, ledger.failure)


async def test_the_next_append_succeeds_once_the_store_does(
    wounded: tuple[Store, list[WoundedWriter]], open_ledger: OpenLedger
) -> None:
    store, writers = wounded
    ledger = open_ledger(store)
    await ledger.append([a_draft()])
    writers[0].fail_append = StoreFailed("disk gone")
    with pytest.raises(LedgerUnwritable):
        await ledger.append([a_draft()])
    writers[0].fail_append = None
    [record] = await ledger.append([a_draft()])

    assert (1, True) == (record.index, ledger.healthy)


async def test_the_ledger_recovers_though_nobody_appends(
    wounded: tuple[Store, list[WoundedWriter]], open_ledger: OpenLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("audit.ledger.PROBE", 0.02)
    store, writers = wounded
    ledger = open_ledger(store)
    writers[0].fail_append = writers[0].fail_reopen = StoreFailed("disk gone")
    with pytest.raises(LedgerUnwritable):
        await ledger.append([a_draft()])
    await asyncio.sleep(0.1)
    still_ill = ledger.healthy
    writers[0].fail_append = writers[0].fail_reopen = None
    async with asyncio.timeout(10):
        while not ledger.healthy:
            await asyncio.sleep(0.02)

    assert not still_ill


async def test_a_commit_whose_answer_was_lost_leaves_no_gap(
    wounded: tuple[Store, list[WoundedWriter]], open_ledger: OpenLedger
) -> None:
    store, writers = wounded
    ledger = open_ledger(store)
    writers[0].fail_after_storing = StoreFailed("connection lost after the commit")
    with pytest.raises(LedgerUnwritable):
        await ledger.append([a_draft()])
    writers[0].fail_after_storing = None
    [record] = await ledger.append([a_draft()])

    assert (1, [0, 1]) == (record.index, [stored.index for stored in store.read(SHARD)])


async def test_acknowledged_entries_that_vanish_stop_the_ledger(
    wounded: tuple[Store, list[WoundedWriter]], open_ledger: OpenLedger, tmp_path: Any
) -> None:
    store, _ = wounded
    ledger = open_ledger(store)
    await ledger.append([a_draft()] * 3)
    connection = sqlite3.connect(tmp_path / "ledger.db")
    connection.execute("DELETE FROM entry WHERE idx = 2")
    connection.commit()
    connection.close()
    for _ in range(2):  # the first finds the head moved, the second that what was acknowledged is gone
        with pytest.raises(LedgerUnwritable) as failure:
            await ledger.append([a_draft()])

    assert "holds 2 entries, 3 were acknowledged" in str(failure.value)
    assert isinstance(ledger.failure, HeadMoved)


async def test_those_behind_a_dead_store_are_told_after_one_attempt_to_reach_it(
    wounded: tuple[Store, list[WoundedWriter]], open_ledger: OpenLedger
) -> None:
    store, writers = wounded
    ledger = open_ledger(store)
    writers[0].fail_append = writers[0].fail_reopen = StoreFailed("disk gone")
    writers[0].gate.clear()
    waiting = [asyncio.create_task(ledger.append([a_draft()] * 400)) for _ in range(12)]
    await asyncio.sleep(0)
    writers[0].gate.set()
    failures = await asyncio.gather(*waiting, return_exceptions=True)

    assert 12 == sum(isinstance(failure, LedgerUnwritable) for failure in failures)
    assert (0, 0) == (writers[0].reopened, ledger.waiting)


async def test_an_error_nobody_foresaw_still_answers_those_waiting(
    wounded: tuple[Store, list[WoundedWriter]], open_ledger: OpenLedger
) -> None:
    store, writers = wounded
    ledger = open_ledger(store)
    writers[0].fail_append = ZeroDivisionError("a bug of ours")
    with pytest.raises(LedgerUnwritable):
        await ledger.append([a_draft()])
    writers[0].fail_append = None

    assert 0 == (await ledger.append([a_draft()]))[0].index


async def test_over_the_bound_is_refused_at_once(
    wounded: tuple[Store, list[WoundedWriter]], open_ledger: OpenLedger
) -> None:
    store, writers = wounded
    ledger = open_ledger(store, capacity=10)
    writers[0].gate.clear()
    accepted = [asyncio.create_task(ledger.append([a_draft()])) for _ in range(10)]
    await asyncio.sleep(0)
    with pytest.raises(LedgerUnwritable, match="10 entries are waiting"):
        await ledger.append([a_draft()])
    writers[0].gate.set()

    assert 10 == len(await asyncio.gather(*accepted))


async def test_room_comes_back_when_the_queue_empties(sqlite: Store, open_ledger: OpenLedger) -> None:
    ledger = open_ledger(sqlite, capacity=2)
    for _ in range(5):
        await ledger.append([a_draft()] * 2)

    assert (10, 0) == (sqlite.size(SHARD), ledger.waiting)


async def test_a_cancelled_caller_disturbs_nobody(
    wounded: tuple[Store, list[WoundedWriter]], open_ledger: OpenLedger
) -> None:
    store, writers = wounded
    ledger = open_ledger(store)
    writers[0].gate.clear()
    impatient, patient = (asyncio.create_task(ledger.append([a_draft()])) for _ in range(2))
    await asyncio.sleep(0)
    impatient.cancel()
    writers[0].gate.set()

    assert 1 == (await patient)[0].index


def test_a_loop_that_closed_disturbs_nobody(
    wounded: tuple[Store, list[WoundedWriter]], open_ledger: OpenLedger
) -> None:
    store, writers = wounded
    ledger = open_ledger(store)
    writers[0].gate.clear()

    async def leave_early() -> None:
        task = asyncio.create_task(ledger.append([a_draft()]))
        await asyncio.sleep(0)
        task.cancel()

    asyncio.run(leave_early())
    writers[0].gate.set()

    assert 1 == ledger.append_blocking([a_draft()])[0].index


async def test_closing_finishes_what_was_accepted(
    wounded: tuple[Store, list[WoundedWriter]], open_ledger: OpenLedger
) -> None:
    store, writers = wounded
    ledger = open_ledger(store)
    writers[0].gate.clear()
    accepted = [asyncio.create_task(ledger.append([a_draft()] * 100)) for _ in range(20)]
    await asyncio.sleep(0)
    writers[0].gate.set()
    await asyncio.to_thread(ledger.close)

    assert (20, 2_000) == (len(await asyncio.gather(*accepted)), store.size(SHARD))


async def test_a_closed_ledger_refuses(sqlite: Store, open_ledger: OpenLedger) -> None:
    ledger = open_ledger(sqlite)
    ledger.close()
    ledger.close()
    with pytest.raises(LedgerUnwritable, match="closed"):
        await ledger.append([a_draft()])

    assert not ledger.healthy


def test_closing_an_ill_ledger_ends(wounded: tuple[Store, list[WoundedWriter]], open_ledger: OpenLedger) -> None:
    store, writers = wounded
    ledger = open_ledger(store)
    writers[0].fail_append = writers[0].fail_reopen = StoreFailed("disk gone")
    with pytest.raises(LedgerUnwritable):
        ledger.append_blocking([a_draft()])
    ledger.close()

    assert not ledger.healthy


def test_a_second_ledger_on_the_shard_is_refused_at_start(
    store: Store, open_ledger: OpenLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_ledger(store)
    monkeypatch.setattr(store, "writer", lambda shard, original=store.writer: original(shard, wait=0.1))
    with pytest.raises(ShardTaken):
        open_ledger(store)


def test_a_ledger_reopened_goes_on_where_it_ended(store: Store, open_ledger: OpenLedger) -> None:
    first = open_ledger(store)
    first.append_blocking([a_draft()] * 3)
    first.close()

    assert 3 == open_ledger(store).append_blocking([a_draft()])[0].index


def test_a_key_ring_that_fails_makes_the_ledger_unwritable(
    sqlite: Store, open_ledger: OpenLedger, keyring: FileKeyRing
) -> None:
    ledger = open_ledger(sqlite)
    keyring.destroy("kek-Y10-2026-11-subject")
    with pytest.raises(LedgerUnwritable) as failure:
        ledger.append_blocking([a_full_draft()])

    assert isinstance(failure.value.__cause__, KeyMissing)


def test_a_full_disk_is_survived_without_gap(
    sqlite: Store, open_ledger: OpenLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits = {"pages": 40}
    original = sqlite_writer.connect

    def connect_to_small_disk(path: str) -> sqlite3.Connection:
        connection = original(path)
        connection.execute(f"PRAGMA max_page_count = {limits['pages']}")
        return connection

    monkeypatch.setattr(sqlite_writer, "connect", connect_to_small_disk)
    ledger = open_ledger(sqlite)
    acknowledged = []
    with pytest.raises(LedgerUnwritable, match="SQLITE_FULL"):
        for _ in range(500):
            acknowledged += ledger.append_blocking([a_full_draft()])
    limits["pages"] = 100_000
    acknowledged += ledger.append_blocking([a_full_draft()])
    stored = [(entry.index, entry.leaf) for entry in sqlite.read(SHARD)]

    assert 1 < len(stored)
    assert stored == [(record.index, record.leaf) for record in acknowledged]
    assert list(range(len(stored))) == [index for index, _ in stored]


def test_after_a_failed_fsync_nothing_more_is_believed(
    sqlite: Store, open_ledger: OpenLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    class FailingSync(sqlite3.Connection):
        def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
            if sql.startswith("INSERT INTO intake"):
                error = sqlite3.OperationalError("disk I/O error")
                error.sqlite_errorname = "SQLITE_IOERR_FSYNC"
                raise error
            return super().execute(sql, *values)

    def connect(path: str) -> sqlite3.Connection:
        return sqlite3.connect(path, isolation_level=None, check_same_thread=False, factory=FailingSync)

    original = sqlite_writer.connect
    monkeypatch.setattr(sqlite_writer, "connect", connect)
    ledger = open_ledger(sqlite)
    with pytest.raises(LedgerUnwritable, match="SQLITE_IOERR_FSYNC"):
        ledger.append_blocking([a_draft()])
    monkeypatch.setattr(sqlite_writer, "connect", original)  # the disk pretends to be well again

    with pytest.raises(LedgerUnwritable, match="check the disk"):
        ledger.append_blocking([a_draft()])


def test_after_a_failed_fsync_of_a_large_batch_nothing_more_is_believed(
    sqlite: Store, open_ledger: OpenLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    class FailingSync(sqlite3.Connection):
        def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
            if sql == "COMMIT":
                error = sqlite3.OperationalError("disk I/O error")
                error.sqlite_errorname = "SQLITE_IOERR_FSYNC"
                raise error
            return super().execute(sql, *values)

    def connect(path: str) -> sqlite3.Connection:
        return sqlite3.connect(path, isolation_level=None, check_same_thread=False, factory=FailingSync)

    original = sqlite_writer.connect
    monkeypatch.setattr(sqlite_writer, "connect", connect)
    ledger = open_ledger(sqlite)
    with pytest.raises(LedgerUnwritable, match="SQLITE_IOERR_FSYNC"):
        ledger.append_blocking([a_draft()] * 1_500)
    monkeypatch.setattr(sqlite_writer, "connect", original)  # the disk pretends to be well again

    with pytest.raises(LedgerUnwritable, match="check the disk"):
        ledger.append_blocking([a_draft()])


@pytest.mark.postgres
@pytest.mark.parametrize("url", ["postgres"], indirect=True)
def test_a_killed_connection_is_survived_without_gap(url: str, store: Store, open_ledger: OpenLedger) -> None:
    ledger = open_ledger(store)
    acknowledged = ledger.append_blocking([a_full_draft()])
    with administrator() as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = %s",
            (url.rpartition("=")[2],),
        )
    with pytest.raises(LedgerUnwritable):
        ledger.append_blocking([a_full_draft()])
    acknowledged += ledger.append_blocking([a_full_draft()])

    assert [0, 1] == [record.index for record in acknowledged]
    assert 2 == store.size(SHARD)


@pytest.mark.postgres
@pytest.mark.parametrize("url", ["postgres"], indirect=True)
def test_a_shard_taken_over_meanwhile_is_not_written(url: str, store: Store, open_ledger: OpenLedger) -> None:
    ledger = open_ledger(store)
    with administrator() as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = %s",
            (url.rpartition("=")[2],),
        )
    usurper = store.writer(SHARD, wait=5)
    for _ in range(2):
        with pytest.raises(LedgerUnwritable):
            ledger.append_blocking([a_draft()])
    usurper.close()

    assert isinstance(ledger.failure, ShardTaken)


async def test_the_unsafe_ledger_records_nothing_and_counts() -> None:
    unsafe = UnsafeNoLedger()
    await unsafe.append([a_draft()])

    assert [1, 2] == [record.index for record in await unsafe.append([a_draft()] * 2)]
