"""A month that is over: recorded first, then unreadable, then gone, whatever happens in between; proofs stay."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from contextlib import closing
from datetime import date
from pathlib import Path

import orjson
import pytest

from audit import FileKeyRing, KeyMissing, Ledger, Store, Subject, find_by_subject, open_entry, open_store
from audit.canonical import leaf_hash
from audit.engine import Engine
from audit.errors import LedgerUnwritable
from audit.keeping import Order, calendar, expire, hold, unhold
from audit.keeping.classes import RetentionClass, due
from audit.seal import AUDIENCES
from audit.tree.merkle import check_inclusion, inclusion_proof, root_of
from tests.unit.audit.keeping.conftest import CLASSES, DPO, LAW, TEN_YEARS_AGO, TODAY, both
from tests.unit.audit.kit import ENGINES, NOON, PERSON, SHARD, Clock, a_draft, a_full_draft, engine_url

FAR = 2**52
OLD_KEYS = [f"kek-Y10-2016-11-{audience}" for audience in AUDIENCES]


class Leaves:
    """Subtree roots of leaves in memory."""

    def __init__(self, leaves: list[bytes]) -> None:
        self.leaves = leaves

    def hash(self, level: int, index: int) -> bytes:
        return root_of(self.leaves[index << level : (index + 1) << level])


def clear_of(store: Store, kind: str) -> list[dict[str, object]]:
    return [orjson.loads(stored.body) for stored in store.rare([kind], 0, FAR)]


@pytest.mark.parametrize(
    ("month", "months", "first_day_gone"),
    [(201611, 120, date(2026, 12, 1)), (202612, 1, date(2027, 2, 1)), (202601, 6, date(2026, 8, 1)), (202602, 10, date(2027, 1, 1))],
)  # fmt: skip
def test_a_month_is_due_a_whole_term_after_its_end(month: int, months: int, first_day_gone: date) -> None:
    assert first_day_gone == due(month, months)


def test_a_class_without_months_or_legal_basis_is_refused() -> None:
    for months, basis in ((0, LAW), (6, "")):
        with pytest.raises(ValueError, match="at least one month, and a legal basis"):
            RetentionClass("M6", months, basis)


@both
def test_the_calendar_tells_what_is_kept_due_held_and_unruled(
    ledger: Ledger, store: Store, exchange: Callable[..., list[int]]
) -> None:
    exchange(TEN_YEARS_AGO)
    exchange(TEN_YEARS_AGO, retention="M6")
    exchange(TEN_YEARS_AGO, retention="Y7")
    exchange()
    hold(ledger, DPO, retention="M6", month=201611, review=date(2027, 6, 1))

    assert [("M6", 201611, "held"), ("Y10", 201611, "due"), ("Y7", 201611, "unruled"), ("Y10", 202611, "kept"), ("Y30", 202611, "kept")] == [
        (row.retention, row.month, row.state) for row in calendar(store, CLASSES, TODAY)
    ]  # fmt: skip
    assert [2, 2, 2, 2, 1] == [row.entries for row in calendar(store, CLASSES, TODAY, count=True)]


def test_nothing_expires_a_day_early(store: Store, keyring: FileKeyRing, ledger: Ledger, old: list[int]) -> None:
    assert [] == expire(store, keyring, ledger, CLASSES, date(2026, 11, 30))
    assert PERSON == open_entry(store, keyring, SHARD, old[0]).subjects[0].id


@both
def test_what_is_due_is_recorded_unreadable_and_gone(
    store: Store, keyring: FileKeyRing, ledger: Ledger, old: list[int]
) -> None:
    [expired] = expire(store, keyring, ledger, CLASSES, TODAY)

    assert ("Y10", 201611, 2) == (expired.retention, expired.month, expired.rows)
    assert [] == find_by_subject(store, keyring, Subject("nrn", PERSON), 0, FAR)
    assert set(AUDIENCES) == open_entry(store, keyring, SHARD, old[0]).closed
    for name in OLD_KEYS:
        with pytest.raises(KeyMissing, match="destroyed"):
            keyring.get(name, create=True)


def test_one_entry_says_what_was_erased_and_why(
    store: Store, keyring: FileKeyRing, ledger: Ledger, old: list[int]
) -> None:
    expire(store, keyring, ledger, CLASSES, TODAY)
    [entry] = clear_of(store, "erasure")

    assert ("Y10", 201611, 2, LAW, "system") == (
        entry["class"], entry["month"], entry["count"], entry["legal_basis"], entry["initiator"],
    )  # fmt: skip


def test_who_asked_to_erase_now_is_recorded(store: Store, keyring: FileKeyRing, ledger: Ledger, old: list[int]) -> None:
    expire(store, keyring, ledger, CLASSES, TODAY, Order("dpo-1", LAW))
    [stored] = store.rare(["erasure"], 0, FAR)

    assert {"id": "dpo-1"} == open_entry(store, keyring, SHARD, stored.index).values["agent"]


def test_expiring_twice_erases_and_records_once(
    store: Store, keyring: FileKeyRing, ledger: Ledger, old: list[int]
) -> None:
    expire(store, keyring, ledger, CLASSES, TODAY)

    assert [] == expire(store, keyring, ledger, CLASSES, TODAY)
    assert 1 == len(clear_of(store, "erasure"))


def test_what_is_not_due_stays_readable(
    store: Store, keyring: FileKeyRing, ledger: Ledger, old: list[int], exchange: Callable[..., list[int]]
) -> None:
    spared = [*exchange(), *exchange(TEN_YEARS_AGO, retention="Y30")]
    expire(store, keyring, ledger, CLASSES, TODAY)

    assert spared == sorted(hit.index for hit in find_by_subject(store, keyring, Subject("nrn", PERSON), 0, FAR))
    assert frozenset() == open_entry(store, keyring, SHARD, spared[2]).closed


def test_a_class_that_no_data_names_never_expires(
    store: Store, keyring: FileKeyRing, ledger: Ledger, old: list[int]
) -> None:
    assert [] == expire(store, keyring, ledger, {}, date(2126, 1, 1))
    assert [("Y10", 201611)] == store.kept()


def test_what_is_held_is_kept_until_the_hold_ends(
    store: Store, keyring: FileKeyRing, ledger: Ledger, old: list[int]
) -> None:
    hold(ledger, DPO, month=201611, review=date(2027, 6, 1))
    assert [] == expire(store, keyring, ledger, CLASSES, TODAY)
    unhold(ledger, DPO, month=201611)

    assert [201611] == [one.month for one in expire(store, keyring, ledger, CLASSES, TODAY)]


def test_nothing_is_erased_when_the_erasure_cannot_be_recorded(
    store: Store, keyring: FileKeyRing, ledger: Ledger, old: list[int]
) -> None:
    ledger.close()
    with pytest.raises(LedgerUnwritable):
        expire(store, keyring, ledger, CLASSES, TODAY)

    assert PERSON == open_entry(store, keyring, SHARD, old[0]).subjects[0].id


@both
def test_two_processes_do_not_expire_at_once(
    store: Store, keyring: FileKeyRing, ledger: Ledger, old: list[int]
) -> None:
    with store.chore("expire"):
        assert [] == expire(store, keyring, ledger, CLASSES, TODAY)
    assert 1 == len(expire(store, keyring, ledger, CLASSES, TODAY))


@both
def test_every_proof_that_was_valid_stays_valid(
    store: Store, keyring: FileKeyRing, ledger: Ledger, old: list[int], exchange: Callable[..., list[int]]
) -> None:
    exchange()
    before = [(stored.leaf, stored.body) for stored in store.read(SHARD)]
    leaves = [leaf for leaf, _ in before]
    root, proofs = (
        root_of(leaves),
        [inclusion_proof(index, len(leaves), Leaves(leaves)) for index in range(len(leaves))],
    )
    expire(store, keyring, ledger, CLASSES, TODAY)
    after = list(store.read(SHARD))

    assert before == [(stored.leaf, stored.body) for stored in after[: len(before)]]
    for index, proof in enumerate(proofs):
        check_inclusion(index, len(proofs), leaf_hash(after[index].body), proof, root)


EVERY = {"sqlite": 1, "postgres": 4}  # moments tried; making a schema for each takes its time


@pytest.mark.parametrize("engine", ENGINES)
def test_kill_9_at_any_moment_loses_neither_the_record_nor_the_erasure(
    engine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every durable step of one expiry is one moment; a process dies right after each, and the next one finishes."""
    monkeypatch.setattr("audit.engine._SLICE", 2)
    moment = 0
    while _dies_and_is_taken_up(engine, tmp_path / str(moment), moment):
        moment += EVERY[engine]
    assert 8 <= moment  # one entry, three keys, three slices, one line of the list


def _dies_and_is_taken_up(engine: str, folder: Path, moment: int) -> bool:
    keyring = FileKeyRing(folder / "keys")
    with engine_url(engine, folder) as url:
        _write(url, keyring)
        died = _dies(url, keyring, moment)
        with closing(open_store(url)) as store, Ledger(store, keyring, shard=SHARD, clock=Clock()) as ledger:
            assert [6] == [entry["count"] for entry in clear_of(store, "erasure")]
            expire(store, keyring, ledger, CLASSES, TODAY)

            assert [6] == [entry["count"] for entry in clear_of(store, "erasure")]
            assert [6, 7, 8] == _side_rows(store)
            assert ("Y10", 201611) not in store.kept()
            assert [True] * 3 == [_destroyed(keyring, name) for name in OLD_KEYS]
    return died


def _write(url: str, keyring: FileKeyRing) -> None:
    """Six entries that are due, of a month in which another class is not (so that rows go slice by slice), and one of now."""
    clock = Clock(TEN_YEARS_AGO)
    with closing(open_store(url)) as store, Ledger(store, keyring, shard=SHARD, clock=clock) as ledger:
        ledger.append_blocking([a_full_draft() for _ in range(6)])
        ledger.append_blocking([a_draft(retention="Y30")])
        clock.now = NOON
        ledger.append_blocking([a_draft(retention="M6")])


def _dies(url: str, keyring: FileKeyRing, moment: int) -> bool:
    """Expire in a process of its own that is killed at its `moment`-th durable step; False when it came to an end."""
    child = os.fork()
    if child == 0:
        try:
            _expire_and_die(url, keyring, moment)
        finally:
            os._exit(3)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
    return os.WIFSIGNALED(status)


def _expire_and_die(url: str, keyring: FileKeyRing, moment: int) -> None:
    store = open_store(url)
    assert isinstance(store, Engine)
    ledger = Ledger(store, keyring, shard=SHARD, clock=Clock())
    left = [moment]

    def mortal(step: Callable[..., object]) -> Callable[..., object]:
        def taken(*values: object) -> object:
            done = step(*values)
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            left[0] -= 1
            return done

        return taken

    for holder, name in ((ledger, "append_blocking"), (keyring, "destroy"), (store, "_change")):
        setattr(holder, name, mortal(getattr(holder, name)))
    expire(store, keyring, ledger, CLASSES, TODAY)
    os._exit(0)


def _side_rows(store: Store) -> list[int]:
    return [stored.index for stored in store.read(SHARD) if store.sealed(SHARD, stored.index)]


def _destroyed(keyring: FileKeyRing, name: str) -> bool:
    try:
        keyring.get(name)
    except KeyMissing:
        return True
    return False
