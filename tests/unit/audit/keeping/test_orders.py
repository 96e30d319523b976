"""Orders of people: holds, erasure of one entry, restriction and release; each an entry that says who, and tells nobody else."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import orjson
import pytest

from audit import FileKeyRing, Ledger, Store, Subject, find_by_subject, open_entry
from audit.errors import LedgerUnwritable, OrderRefused
from audit.keeping import Order, erase_one, exchange_of, hold, holds, mend, release, restrict, restrictions, unhold
from audit.seal import AUDIENCES, Sealer
from tests.unit.audit.keeping.conftest import COURT, DPO, both
from tests.unit.audit.kit import PERSON, SHARD, Clock, a_draft

FAR = 2**52
LATER = date(2027, 6, 1)
SOMEBODY = Subject("nrn", PERSON)


def shown(store: Store, keyring: FileKeyRing) -> list[int]:
    """What a citizen is shown of November 2026."""
    tag = Sealer(keyring).subject_tag("nrn", PERSON, 2026)
    return sorted(hit.index for hit in store.find([tag], 0, FAR, shown=True))


def clear_of(store: Store, index: int) -> dict[str, object]:
    [stored] = store.read(SHARD, index, index + 1)
    return dict(orjson.loads(stored.body))


# --- holds


@both
def test_a_hold_says_what_it_holds_why_and_when_to_look_again(
    ledger: Ledger, store: Store, keyring: FileKeyRing
) -> None:
    record = hold(ledger, DPO, retention="Y10", month=201611, review=LATER)
    opened = open_entry(store, keyring, SHARD, record.index)
    [standing] = holds(store)

    assert ("Y10", 201611, LATER, record.index) == (standing.retention, standing.month, standing.review, standing.index)
    assert ("an inquiry is under way", {"id": "dpo-1"}) == (opened.values["justification"], opened.values["agent"])
    assert ("hold", "Y10", 201611, "2027-06-01") == tuple(
        opened.entry[name] for name in ("type", "class", "month", "review")
    )


@pytest.mark.parametrize(
    ("scope", "covered"),
    [
        ({}, [True, True, True]),
        ({"retention": "Y10"}, [True, True, False]),
        ({"month": 201611}, [True, False, True]),
        ({"retention": "Y10", "month": 201611}, [True, False, False]),
    ],
)
def test_a_hold_covers_its_class_its_month_or_all(
    ledger: Ledger, store: Store, scope: dict[str, object], covered: list[bool]
) -> None:
    hold(ledger, DPO, **scope, review=LATER)  # type: ignore[arg-type]
    [standing] = holds(store)

    assert covered == [standing.covers(*one) for one in (("Y10", 201611), ("Y10", 201612), ("M6", 201611))]


def test_a_hold_without_reason_or_with_a_review_that_passed_is_refused(ledger: Ledger, store: Store) -> None:
    with pytest.raises(OrderRefused, match="reason"):
        hold(ledger, Order("dpo-1", "law"), review=LATER)
    with pytest.raises(OrderRefused, match="future"):
        hold(ledger, DPO, review=date(2026, 11, 1))
    assert 0 == store.size(SHARD)


def test_a_hold_ends_by_its_own_scope_only_and_may_come_again(ledger: Ledger, store: Store, clock: Clock) -> None:
    hold(ledger, DPO, month=201611, review=LATER)
    with pytest.raises(OrderRefused, match="no hold of exactly this"):
        unhold(ledger, DPO)
    clock.now += 1
    unhold(ledger, DPO, month=201611)
    assert [] == holds(store)
    clock.now += 1
    hold(ledger, DPO, month=201611, review=LATER)

    assert [201611] == [one.month for one in holds(store)]


# --- one entry erased


@both
def test_an_erased_entry_is_found_by_nobody_and_its_leaf_stays(
    ledger: Ledger, store: Store, keyring: FileKeyRing, exchange: Callable[..., list[int]]
) -> None:
    doomed, spared = exchange(), exchange()
    before = list(store.read(SHARD))
    erase_one(store, ledger, SHARD, doomed, COURT)

    assert spared == shown(store, keyring)
    assert set(AUDIENCES) == open_entry(store, keyring, SHARD, doomed[0]).closed
    assert before == list(store.read(SHARD, 0, 4))


def test_the_erasure_names_the_entry_in_clear_and_the_order_under_seal(
    ledger: Ledger, store: Store, keyring: FileKeyRing, exchange: Callable[..., list[int]]
) -> None:
    doomed = exchange()
    records = erase_one(store, ledger, SHARD, doomed, COURT)
    opened = [open_entry(store, keyring, SHARD, record.index) for record in records]

    assert [("erasure", SHARD, index, "court") for index in doomed] == [
        tuple(one.entry[name] for name in ("type", "shard", "index", "authority")) for one in opened
    ]
    assert ("2026/AR/17", {"id": "dpo-1", "second": "head-2"}) == (
        opened[0].values["case_ref"],
        opened[0].values["agent"],
    )
    assert not any(word in one.stored.body for one in opened for word in (b"2026/AR/17", b"dpo-1", b"head-2"))


@pytest.mark.parametrize(
    ("order", "why"),
    [
        (Order("dpo-1", "law", reference="7", second="head-2"), "only a court or a data protection authority"),
        (Order("dpo-1", "law", "court", second="head-2"), "name the file number"),
        (Order("dpo-1", "law", "dpa", reference="7"), "a second person must agree"),
        (Order("dpo-1", "law", "dpa", reference="7", second="DPO-1"), "a second person must agree"),
    ],
    ids=["not_ordered_from_outside", "no_file_number", "one_person", "the_same_person_twice"],
)
def test_an_erasure_that_is_not_wholly_ordered_erases_nothing(
    ledger: Ledger, store: Store, keyring: FileKeyRing, exchange: Callable[..., list[int]], order: Order, why: str
) -> None:
    entries = exchange()
    with pytest.raises(OrderRefused, match=why):
        erase_one(store, ledger, SHARD, entries, order)

    assert (entries, 2) == (shown(store, keyring), store.size(SHARD))


def test_an_order_without_person_or_ground_or_of_an_unknown_authority_is_refused() -> None:
    for wrong in (("", "law"), ("dpo-1", ""), ("dpo-1", "law", "mayor")):
        with pytest.raises(OrderRefused):
            Order(*wrong)


def test_what_is_held_is_not_erased(
    ledger: Ledger, store: Store, keyring: FileKeyRing, exchange: Callable[..., list[int]]
) -> None:
    entries = exchange()
    hold(ledger, DPO, month=202611, review=LATER)
    with pytest.raises(OrderRefused, match="a hold covers entry 0"):
        erase_one(store, ledger, SHARD, entries, COURT)

    assert entries == shown(store, keyring)


def test_an_entry_that_does_not_exist_stops_the_whole_order(
    ledger: Ledger, store: Store, keyring: FileKeyRing, exchange: Callable[..., list[int]]
) -> None:
    entries = exchange()
    for order in (
        lambda: erase_one(store, ledger, SHARD, [0, 99], COURT),
        lambda: restrict(store, ledger, SHARD, [0, 99], DPO, review=LATER),
    ):
        with pytest.raises(OrderRefused, match="no entry 99"):
            order()

    assert (entries, 2) == (shown(store, keyring), store.size(SHARD))


def test_nothing_is_erased_or_hidden_when_the_ledger_cannot_record_it(
    ledger: Ledger, store: Store, keyring: FileKeyRing, exchange: Callable[..., list[int]]
) -> None:
    entries = exchange()
    ledger.close()
    with pytest.raises(LedgerUnwritable):
        erase_one(store, ledger, SHARD, entries, COURT)
    with pytest.raises(LedgerUnwritable):
        restrict(store, ledger, SHARD, entries, DPO, review=LATER)

    assert entries == shown(store, keyring)


# --- restricted, released


@both
def test_a_restricted_exchange_is_shown_to_no_citizen_until_it_is_released(
    ledger: Ledger, store: Store, keyring: FileKeyRing, exchange: Callable[..., list[int]], clock: Clock
) -> None:
    hidden, open_ = exchange(), exchange()
    restrict(store, ledger, SHARD, hidden, DPO, review=LATER)
    assert open_ == shown(store, keyring)
    clock.now += 1
    release(store, ledger, SHARD, hidden, DPO)

    assert hidden + open_ == shown(store, keyring)


def test_neither_the_restriction_nor_the_release_is_about_the_citizen(
    ledger: Ledger, store: Store, keyring: FileKeyRing, exchange: Callable[..., list[int]]
) -> None:
    hidden = exchange()
    restrict(store, ledger, SHARD, hidden, DPO, review=LATER)
    release(store, ledger, SHARD, hidden, DPO)

    assert [] == [part.tag for index in range(2, 6) for part in store.sealed(SHARD, index) if part.tag is not None]
    assert hidden == sorted(hit.index for hit in find_by_subject(store, keyring, SOMEBODY, 0, FAR))


def test_restrictions_are_listed_by_the_date_on_which_to_look_again(
    ledger: Ledger, store: Store, exchange: Callable[..., list[int]], clock: Clock
) -> None:
    first, second = exchange(), exchange()
    restrict(store, ledger, SHARD, first, DPO, review=date(2027, 9, 1))
    restrict(store, ledger, SHARD, second, DPO, review=LATER)
    assert [*second, *first] == [one.index for one in restrictions(store)]
    clock.now += 1
    release(store, ledger, SHARD, second, DPO)

    assert [(0, date(2027, 9, 1)), (1, date(2027, 9, 1))] == [(one.index, one.review) for one in restrictions(store)]


def test_what_is_not_restricted_cannot_be_released(
    ledger: Ledger, store: Store, exchange: Callable[..., list[int]]
) -> None:
    entries = exchange()
    with pytest.raises(OrderRefused, match=r"entry 0 of .* is not restricted"):
        release(store, ledger, SHARD, entries, DPO)
    with pytest.raises(OrderRefused, match="at least one entry"):
        restrict(store, ledger, SHARD, [], DPO, review=LATER)
    assert 2 == store.size(SHARD)


@both
def test_what_a_crash_left_between_record_and_row_is_finished(
    ledger: Ledger,
    store: Store,
    keyring: FileKeyRing,
    exchange: Callable[..., list[int]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hidden, doomed, spared = exchange(), exchange(), exchange()
    with monkeypatch.context() as crash:
        for name in ("set_vis", "erase"):
            crash.setattr(store, name, _die)
        with pytest.raises(KeyboardInterrupt):
            restrict(store, ledger, SHARD, hidden, DPO, review=LATER)
        with pytest.raises(KeyboardInterrupt):
            erase_one(store, ledger, SHARD, doomed, COURT)
    assert 4 == mend(store)

    assert spared == shown(store, keyring)
    assert 0 == mend(store)


def _die(*_: object) -> int:
    raise KeyboardInterrupt


# --- one exchange, whole


@both
def test_an_exchange_is_found_whole_and_without_its_neighbours(
    ledger: Ledger, store: Store, exchange: Callable[..., list[int]], clock: Clock
) -> None:
    other = "0192f3a47c1e7d3a9b5e2f6a8c4d1e71"
    first = exchange()
    ledger.append_blocking([a_draft(trace_id=other)])
    again = exchange()
    clock.now += 600_000_000
    later = exchange()  # the same trace, too late to be the same exchange

    for index in (*first, *again):
        assert [*first, *again] == exchange_of(store, SHARD, index)
    assert ([2], later) == (exchange_of(store, SHARD, 2), exchange_of(store, SHARD, later[0]))
    with pytest.raises(OrderRefused, match="no entry 99"):
        exchange_of(store, SHARD, 99)


def test_an_exchange_is_found_far_from_the_start(
    ledger: Ledger, store: Store, exchange: Callable[..., list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("audit.keeping.single._STEP", 2)
    ledger.append_blocking([a_draft(trace_id=f"{number:032x}") for number in range(1, 8)])
    entries = exchange()

    assert entries == exchange_of(store, SHARD, entries[1])
