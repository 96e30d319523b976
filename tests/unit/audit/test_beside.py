"""Rows of others become durable with the entries beside which they stand, or not at all; over both engines."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from audit import Ledger, LedgerUnwritable, Statement, Store
from tests.unit.audit.kit import SHARD, a_draft, a_full_draft

SEND = "INSERT INTO pigeon (ring, loft) VALUES {rows} ON CONFLICT DO NOTHING"
HOME = "UPDATE pigeon SET loft = v.column2 FROM (VALUES {rows}) v WHERE pigeon.ring = v.column1"


@pytest.fixture
def pigeons(store: Store) -> Callable[[], list[tuple[str, int]]]:
    store._change(("CREATE TABLE pigeon (ring text PRIMARY KEY, loft bigint)", ()))  # type: ignore[attr-defined]
    return lambda: store._rows("SELECT ring, loft FROM pigeon ORDER BY ring")  # type: ignore[attr-defined]


def pigeon(ring: str, loft: int, sql: str = SEND) -> Statement:
    return Statement(sql, "(?, CAST(? AS bigint))", (ring, loft))


async def test_a_row_is_there_when_its_entry_is(store: Store, open_ledger: Callable[..., Ledger], pigeons) -> None:
    await open_ledger(store).append([a_full_draft()], beside=[pigeon("B-1", 3)])

    assert (1, [("B-1", 3)]) == (store.size(SHARD), [tuple(row) for row in pigeons()])


def test_a_thread_without_loop_writes_them_too(store: Store, open_ledger: Callable[..., Ledger], pigeons) -> None:
    open_ledger(store).append_blocking([a_draft()], beside=[pigeon("B-1", 3)])

    assert [("B-1", 3)] == [tuple(row) for row in pigeons()]


async def test_a_statement_that_fails_takes_the_entry_along(
    store: Store, open_ledger: Callable[..., Ledger], pigeons
) -> None:
    ledger = open_ledger(store)
    await ledger.append([a_draft()])

    with pytest.raises(LedgerUnwritable):
        await ledger.append([a_draft()], beside=[Statement("INSERT INTO no_such_loft VALUES {rows}", "(?)", (1,))])

    assert 1 == store.size(SHARD)


async def test_an_entry_that_fails_takes_the_row_along(
    store: Store, open_ledger: Callable[..., Ledger], pigeons
) -> None:
    ledger = open_ledger(store)
    ledger._head = 7  # as if somebody else had written to our shard

    with pytest.raises(LedgerUnwritable):
        await ledger.append([a_draft()], beside=[pigeon("B-1", 3)])

    assert [] == pigeons()


async def test_the_ledger_goes_on_after_a_statement_that_failed(
    store: Store, open_ledger: Callable[..., Ledger], pigeons
) -> None:
    ledger = open_ledger(store)
    with pytest.raises(LedgerUnwritable):
        await ledger.append([a_draft()], beside=[Statement("INSERT INTO no_such_loft VALUES {rows}", "(?)", (1,))])

    await ledger.append([a_draft()], beside=[pigeon("B-2", 4)])

    assert (1, [("B-2", 4)]) == (store.size(SHARD), [tuple(row) for row in pigeons()])


async def test_rows_are_written_in_the_order_in_which_they_were_handed_in(
    store: Store, open_ledger: Callable[..., Ledger], pigeons
) -> None:
    steps = [pigeon("B-1", 1), pigeon("B-2", 2), pigeon("B-1", 9, HOME), pigeon("B-1", 5)]

    await open_ledger(store).append([a_draft()], beside=steps)

    assert [("B-1", 9), ("B-2", 2)] == [tuple(row) for row in pigeons()]


async def test_more_rows_than_one_statement_takes_are_all_written(
    store: Store, open_ledger: Callable[..., Ledger], pigeons
) -> None:
    await open_ledger(store).append([a_draft()], beside=[pigeon(f"B-{n}", n) for n in range(20_000)])

    assert 20_000 == len(pigeons())
