"""A replaced national number keeps its history, in both directions, over a chain, in no clear number."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from audit import FileKeyRing, Ledger, Store, Subject, find_by_subject, open_entry
from audit.errors import LedgerUnwritable
from audit.keeping import alias
from tests.unit.audit.keeping.conftest import TEN_YEARS_AGO, both
from tests.unit.audit.kit import SHARD, Clock

FAR = 2**52
YEAR = 366 * 86_400_000_000
FIRST, SECOND, THIRD, STRANGER = (
    Subject("nrn", number) for number in ("85610100147", "85610100246", "85610100345", "85610100444")
)


def history(store: Store, keyring: FileKeyRing, who: Subject) -> list[int]:
    return sorted({hit.index for hit in find_by_subject(store, keyring, who, 0, FAR)})


def about(who: Subject) -> dict[str, list[Subject]]:
    return {"subjects": [who]}


def test_history_is_found_by_the_old_and_by_the_new_number(
    ledger: Ledger, store: Store, keyring: FileKeyRing, exchange: Callable[..., list[int]]
) -> None:
    old, new = exchange(TEN_YEARS_AGO, **about(FIRST)), exchange(**about(SECOND))
    exchange(**about(STRANGER))

    assert alias(store, keyring, ledger, FIRST, SECOND)
    [told] = [stored.index for stored in store.rare(["alias"], 0, FAR)]
    assert [*old, *new, told] == history(store, keyring, FIRST) == history(store, keyring, SECOND)


@both
def test_a_chain_of_three_is_followed_from_each_end(
    ledger: Ledger, store: Store, keyring: FileKeyRing, exchange: Callable[..., list[int]]
) -> None:
    entries = {who.id: exchange(**about(who)) for who in (FIRST, SECOND, THIRD)}
    alias(store, keyring, ledger, FIRST, SECOND)
    alias(store, keyring, ledger, SECOND, THIRD)
    everything = sorted([index for indices in entries.values() for index in indices] + [6, 7])

    for who in (FIRST, SECOND, THIRD):
        assert everything == history(store, keyring, who)


def test_a_stranger_gains_nothing_by_an_alias(
    ledger: Ledger, store: Store, keyring: FileKeyRing, exchange: Callable[..., list[int]]
) -> None:
    exchange(**about(FIRST))
    own = exchange(**about(STRANGER))
    alias(store, keyring, ledger, FIRST, SECOND)

    assert own == history(store, keyring, STRANGER)


def test_a_number_of_another_kind_is_another_thing(
    ledger: Ledger, store: Store, keyring: FileKeyRing, exchange: Callable[..., list[int]]
) -> None:
    exchange(**about(Subject("kbo", FIRST.id)))
    alias(store, keyring, ledger, FIRST, SECOND)

    assert [2] == history(store, keyring, SECOND)


def test_what_is_known_is_not_recorded_again(ledger: Ledger, store: Store, keyring: FileKeyRing) -> None:
    assert alias(store, keyring, ledger, FIRST, SECOND)
    assert not alias(store, keyring, ledger, FIRST, SECOND)
    assert not alias(store, keyring, ledger, FIRST, FIRST)

    assert 1 == store.size(SHARD)


def test_told_again_in_a_later_year_an_alias_covers_that_year_too(
    ledger: Ledger, store: Store, keyring: FileKeyRing, exchange: Callable[..., list[int]], clock: Clock
) -> None:
    alias(store, keyring, ledger, FIRST, SECOND)
    clock.now += 2 * YEAR
    late = exchange(**about(FIRST))
    assert not set(late) & set(history(store, keyring, SECOND))

    assert alias(store, keyring, ledger, FIRST, SECOND)
    assert set(late) <= set(history(store, keyring, SECOND))


def test_the_turn_of_the_year_loses_no_alias(
    ledger: Ledger, store: Store, keyring: FileKeyRing, exchange: Callable[..., list[int]], clock: Clock
) -> None:
    alias(store, keyring, ledger, FIRST, SECOND)
    clock.now += YEAR
    late = exchange(**about(FIRST))

    assert set(late) <= set(history(store, keyring, SECOND))


def test_why_two_numbers_are_one_is_told_under_seal(ledger: Ledger, store: Store, keyring: FileKeyRing) -> None:
    alias(store, keyring, ledger, FIRST, SECOND, source="rijksregister")
    opened = open_entry(store, keyring, SHARD, 0)

    assert ("alias", {"service": "rijksregister"}) == (opened.entry["type"], opened.entry["source"])
    assert [(FIRST.id, "replaced-number"), (SECOND.id, "replacing-number")] == [
        (one.id, one.role) for one in opened.subjects
    ]


@both
def test_no_number_stands_in_the_file_or_in_a_log_line(
    ledger: Ledger, store: Store, keyring: FileKeyRing, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        alias(store, keyring, ledger, FIRST, SECOND)
        ledger.close()
        with pytest.raises(LedgerUnwritable) as refused:
            alias(store, keyring, ledger, SECOND, THIRD)
    said = caplog.text + str(refused.value)
    if url.startswith("sqlite"):
        said += b"".join(
            path.read_bytes() for path in Path(url.removeprefix("sqlite:///")).parent.glob("ledger.db*")
        ).decode("latin-1")
        assert 2 == sqlite3.connect(url.removeprefix("sqlite:///")).execute("SELECT count(*) FROM alias").fetchone()[0]

    assert [] == [who.id for who in (FIRST, SECOND, THIRD) if who.id in said]


def test_a_year_whose_index_key_was_lost_hinders_no_other_year(
    ledger: Ledger, store: Store, keyring: FileKeyRing, exchange: Callable[..., list[int]]
) -> None:
    exchange(TEN_YEARS_AGO, **about(FIRST))
    now = exchange(**about(FIRST))
    keyring.destroy("idx-subject-2016")
    alias(store, keyring, ledger, FIRST, SECOND)
    tags = [part.tag for part in store.sealed(SHARD, now[0])]

    assert tags[0] is not None
    assert 2 == len(store.same([tags[0]]))
