"""Every ended exchange is given once, whatever the range, the order and the interruptions."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from itertools import islice

import pytest

from audit import Ledger, Store, settle
from audit.exports import Walk
from audit.exports import walk as walking
from audit.reports import CursorInvalid
from audit.reports.tables import Tables
from tests.unit.audit.exports.conftest import both
from tests.unit.audit.kit import NOON, Clock, a_draft
from tests.unit.audit.reports.conftest import ANNA, BERT, BRUSSELS, MINUTE, Town


def indices(walk: Walk) -> list[int]:
    return [one.index for one in walk]


@both
def test_intent_and_outcome_are_one_processing(town: Town, walk: Callable[..., Walk]) -> None:
    asked, told = town.exchange(fields=("name",))
    [one] = walk()

    assert (told.index, asked.index, ("name",)) == (one.index, one.intent, tuple(one.entry["categories"]))


def test_an_exchange_that_has_not_ended_comes_later_and_is_not_lost(town: Town, walk: Callable[..., Walk]) -> None:
    left = town.write("intent", subjects=[("nrn", ANNA)])
    first = walk()
    before = indices(first)
    town.clock.now += 5 * MINUTE
    [settled] = settle(town.ledger)
    [after] = walk(cursor=first.cursor)

    assert ([], settled.index, left.index, 1) == (before, after.index, after.tagged_by, len(after.tags))


@both
def test_a_walk_that_goes_on_from_its_cursor_neither_repeats_nor_skips(town: Town, walk: Callable[..., Walk]) -> None:
    written = [town.exchange()[1].index for _ in range(5)]
    seen, cursor = [], None
    for _ in range(4):
        step = walk(cursor=cursor)
        seen += [one.index for one in islice(step, 2)]
        cursor = step.cursor
        written.append(town.denied().index)

    assert written[: len(seen)] == seen
    assert 8 == len(seen)


@both
def test_newest_first_is_the_same_list_backwards(town: Town, walk: Callable[..., Walk]) -> None:
    for who in (ANNA, BERT, ANNA):
        town.exchange(who)
    step = walk(newest_first=True)
    seen = [next(iter(step)).index, *indices(walk(newest_first=True, cursor=step.cursor))]

    assert indices(walk())[::-1] == seen


def test_two_shards_are_one_list_in_order_of_time(
    town: Town, store: Store, open_ledger: Callable[..., Ledger], clock: Clock, walk: Callable[..., Walk]
) -> None:
    other = Town(open_ledger(store, shard="audit.hub.example/test/node-2/2026"), clock)
    for one in (town, other, town, other):
        one.denied()
    step = walk()
    seen = [one.shard for one in islice(step, 3)] + [one.shard for one in walk(cursor=step.cursor)]

    assert [town.ledger.shard, other.ledger.shard] * 2 == seen


def test_an_anchor_s_entries_are_no_processings(
    town: Town, store: Store, open_ledger: Callable[..., Ledger], walk: Callable[..., Walk]
) -> None:
    Town(open_ledger(store, shard="audit.hub.example/test/anchor"), town.clock).denied()

    assert [] == indices(walk())


@both
def test_a_range_is_found_without_reading_what_lies_before(
    town: Town, walk: Callable[..., Walk], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(walking, "CHUNK", 4)
    times = []
    for _ in range(30):
        town.clock.now += 90 * MINUTE
        times.append(town.denied().ts)
    step = walk(times[10], times[20])

    assert list(range(10, 20)) == indices(step)
    assert step.looked < 15


@pytest.mark.parametrize("newest_first", [False, True])
def test_an_intent_far_behind_its_outcome_is_found(
    town: Town, walk: Callable[..., Walk], newest_first: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(walking, "CHUNK", 3)
    asked = town.write("intent", subjects=[("nrn", ANNA)], policy="rule-1")
    for _ in range(10):
        town.denied()
    town.write("outcome", clear={"intent_ref": asked.index, "status": "Ok"}, subjects=[("nrn", ANNA)])
    [one] = [one for one in walk(newest_first=newest_first) if one.kind == "outcome"]

    assert "rule-1" == one.entry["policy"]["id"]


def test_another_organisation_s_processings_are_not_given(town: Town, walk: Callable[..., Walk]) -> None:
    own = town.denied(org=BRUSSELS)
    town.denied()

    assert [own.index] == indices(walk(org=BRUSSELS))


@both
@pytest.mark.parametrize("hidden", [0, 1], ids=["the intent", "the outcome"])
def test_what_is_restricted_is_given_only_to_whoever_may_know(
    town: Town, store: Store, walk: Callable[..., Walk], hidden: int
) -> None:
    records = town.exchange()
    store.set_vis(town.ledger.shard, records[hidden].index, 1)

    assert ([], 1) == (indices(walk()), len(list(walk(restricted=True))))


@pytest.mark.parametrize("cursor", ["x", "WzEsMl0", "WyI-Iix7ImEiOi0xfV0", "WyI-IixbXV0", "é"])
def test_a_cursor_that_is_not_ours_is_refused(walk: Callable[..., Walk], cursor: str) -> None:
    with pytest.raises(CursorInvalid):
        walk(cursor=cursor)


def test_a_cursor_of_the_other_direction_is_refused(town: Town, walk: Callable[..., Walk]) -> None:
    with pytest.raises(CursorInvalid):
        walk(cursor=walk().cursor, newest_first=True)


def test_memory_stays_flat_however_long_the_list(town: Town, tables: Tables) -> None:
    def peak() -> int:
        tracemalloc.start()
        for _ in Walk(tables, 0, NOON * 2):
            pass
        reached = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return reached

    batch = [a_draft("denied", subjects=[("nrn", ANNA)], trace_id=f"{n + 1:032x}") for n in range(500)]
    for _ in range(2):
        town.ledger.append_blocking(batch)
    short = peak()
    for _ in range(8):
        town.ledger.append_blocking(batch)

    assert peak() < short * 1.5
