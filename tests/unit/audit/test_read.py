"""Opening entries: every value given comes back, and nothing that was touched is believed."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit import (
    EntryAltered,
    FileKeyRing,
    KeyMissing,
    Ledger,
    LedgerError,
    Store,
    Subject,
    find_by_agent,
    find_by_subject,
    open_entry,
    open_store,
)
from audit.disclosure import disclose
from audit.seal import Sealer
from tests.unit.audit.kit import NOON, PERSON, SHARD, Clock, a_draft, a_full_draft

YEAR = 366 * 86_400 * 1_000_000


@pytest.fixture
def ledger(store: Store, open_ledger: Callable[..., Ledger]) -> Ledger:
    return open_ledger(store)


def test_every_value_given_comes_back(ledger: Ledger, store: Store, keyring: FileKeyRing) -> None:
    [record] = ledger.append_blocking([a_full_draft()])
    opened = open_entry(store, keyring, SHARD, record.index)

    expected = {
        "agent": {"id": "agent-77", "unit": "housing", "role": "clerk"},
        "case_ref": "2026/117",
        "client": {"cert": "0a" * 32},
        "fields": ["address", "name"],
        "query_digest": "0f" * 32,
    }
    assert ([Subject("nrn", PERSON, "data-subject")], expected) == (opened.subjects, opened.values)


@pytest.mark.parametrize("count", [2, 64, 65, 300])
def test_every_subject_comes_back_in_order(ledger: Ledger, store: Store, keyring: FileKeyRing, count: int) -> None:
    subjects = [Subject("vin", str(n), "owner" if n % 2 else "") for n in range(count)]
    [record] = ledger.append_blocking([a_draft(subjects=subjects)])

    assert subjects == open_entry(store, keyring, SHARD, record.index).subjects


def test_only_the_audiences_asked_for_are_opened(ledger: Ledger, store: Store, keyring: FileKeyRing) -> None:
    [record] = ledger.append_blocking([a_full_draft()])
    opened = open_entry(store, keyring, SHARD, record.index, audiences=["subject"])

    assert ({"case_ref", "fields"}, {"agent", "technical"}) == (set(opened.values), opened.closed)


def test_a_destroyed_key_closes_its_audience_for_ever(ledger: Ledger, store: Store, keyring: FileKeyRing) -> None:
    [record] = ledger.append_blocking([a_full_draft()])
    keyring.destroy("kek-Y10-2026-11-agent")

    with pytest.raises(KeyMissing):
        open_entry(store, keyring, SHARD, record.index)


def test_the_other_audiences_outlive_a_destroyed_key(ledger: Ledger, store: Store, keyring: FileKeyRing) -> None:
    [record] = ledger.append_blocking([a_full_draft()])
    keyring.destroy("kek-Y10-2026-11-agent")

    assert "2026/117" == open_entry(store, keyring, SHARD, record.index, ["subject", "technical"]).values["case_ref"]


def test_an_entry_without_values_opens(ledger: Ledger, store: Store, keyring: FileKeyRing) -> None:
    [record] = ledger.append_blocking([a_draft()])
    opened = open_entry(store, keyring, SHARD, record.index)

    assert ([], {}, frozenset()) == (opened.subjects, opened.values, opened.closed)


def test_an_entry_that_is_not_there_is_an_error(store: Store, keyring: FileKeyRing) -> None:
    with pytest.raises(LedgerError):
        open_entry(store, keyring, SHARD, 0)


def test_a_person_is_found_by_number(ledger: Ledger, store: Store, keyring: FileKeyRing) -> None:
    ledger.append_blocking([a_draft(subjects=[("nrn", "90621200420")]), a_full_draft()])
    hits = find_by_subject(store, keyring, Subject("nrn", PERSON), 0, NOON + 1)

    assert [(1, "0207446759", "dpv:Consult")] == [(hit.index, hit.org, hit.op) for hit in hits]


def test_a_person_is_found_across_the_turn_of_the_year(
    ledger: Ledger, store: Store, keyring: FileKeyRing, clock: Clock
) -> None:
    for moment in (NOON, NOON + YEAR):
        clock.now = moment
        ledger.append_blocking([a_full_draft()])

    hits = find_by_subject(store, keyring, Subject("nrn", PERSON), NOON, NOON + YEAR + 1)
    assert [1, 0] == [hit.index for hit in hits]


def test_a_lost_index_key_is_an_error_not_an_empty_history(ledger: Ledger, store: Store, keyring: FileKeyRing) -> None:
    ledger.append_blocking([a_full_draft()])
    keyring.destroy("idx-subject-2026")

    with pytest.raises(KeyMissing):
        find_by_subject(store, keyring, Subject("nrn", PERSON), 0, NOON + 1)


def test_a_year_that_wrote_about_nobody_is_no_lost_year(ledger: Ledger, store: Store, keyring: FileKeyRing) -> None:
    ledger.append_blocking([a_draft()])

    assert [] == find_by_subject(store, keyring, Subject("nrn", PERSON), 0, 2**52)
    assert [] == find_by_agent(store, keyring, "agent-77", 0, 2**52)


def test_an_agent_is_found_by_identifier(ledger: Ledger, store: Store, keyring: FileKeyRing) -> None:
    ledger.append_blocking([a_draft(agent="agent-1"), a_draft(agent="agent-2")])

    assert [1] == [hit.index for hit in find_by_agent(store, keyring, "agent-2", 0, NOON + 1)]


def test_an_agent_is_not_found_as_a_subject(ledger: Ledger, store: Store, keyring: FileKeyRing) -> None:
    ledger.append_blocking([a_draft(agent="agent-1", subjects=[("vin", "x")])])

    assert [] == find_by_subject(store, keyring, Subject("nrn", "agent-1"), 0, NOON + 1)


# Each wound is what somebody with the database open could do; SQL on the SQLite file, columns are the same in both.
WOUNDS = {
    "body_changed": "UPDATE entry SET body = CAST(replace(body, 'Consult', 'Collect') AS BLOB) WHERE idx = 1",
    "body_and_hash_swapped": "UPDATE entry SET (lh, body) = (SELECT lh, body FROM entry WHERE idx = 0) WHERE idx = 1",
    "hash_changed": "UPDATE entry SET lh = zeroblob(32) WHERE idx = 1",
    "time_column_changed": "UPDATE entry SET ts = ts + 1 WHERE idx = 1",
    "kind_column_changed": "UPDATE entry SET kind = 'denied' WHERE idx = 1",
    "reference_changed": "UPDATE entry SET ref = 9 WHERE idx = 1",
    "ciphertext_swapped": "UPDATE side SET ct_subject = (SELECT ct_subject FROM side WHERE idx = 0) WHERE idx = 1",
    "ciphertext_cut": "UPDATE side SET ct_subject = substr(ct_subject, 2) WHERE idx = 1",
    "key_swapped": "UPDATE dek SET wrapped_agent = (SELECT wrapped_agent FROM dek WHERE idx = 0) WHERE idx = 1",
    "key_cut": "UPDATE dek SET wrapped_agent = zeroblob(40) WHERE idx = 1",
    "value_taken_away": "UPDATE side SET ct_agent = NULL WHERE idx = 1",
    "subject_taken_away": "DELETE FROM side WHERE idx = 1 AND part = 1",
    "both_swapped": "UPDATE side SET ct_subject = (SELECT ct_subject FROM side WHERE idx = 0) WHERE idx = 1;"
    "UPDATE dek SET wrapped_subject = (SELECT wrapped_subject FROM dek WHERE idx = 0) WHERE idx = 1",
}


@pytest.mark.parametrize("wound", list(WOUNDS))
def test_what_was_touched_is_not_believed(
    wound: str, sqlite: Store, open_ledger: Callable[..., Ledger], keyring: FileKeyRing, tmp_path: Path
) -> None:
    two = [("vin", "1"), ("vin", "2")]
    open_ledger(sqlite).append_blocking([a_full_draft(), a_full_draft(subjects=two, agent="agent-78")])
    open_entry(sqlite, keyring, SHARD, 1)  # whole before the wound
    connection = sqlite3.connect(tmp_path / "ledger.db")
    connection.executescript(WOUNDS[wound])
    connection.close()

    with pytest.raises(EntryAltered):
        open_entry(sqlite, keyring, SHARD, 1)


@pytest.mark.parametrize("count", [1, 65], ids=["listed", "rooted"])
def test_who_holds_the_keys_still_cannot_show_another_person(
    count: int, sqlite: Store, open_ledger: Callable[..., Ledger], keyring: FileKeyRing, tmp_path: Path
) -> None:
    [record] = open_ledger(sqlite).append_blocking([a_draft(subjects=[("vin", str(n)) for n in range(count)])])
    other = disclose("subject", {"id": "somebody-else", "type": "vin"}, "A" * 24)
    forged = Sealer(keyring).seal(other, bytes(32), record.leaf, "Y10", 202611, "subject")
    connection = sqlite3.connect(tmp_path / "ledger.db")
    connection.execute("UPDATE side SET ct_subject = ? WHERE part = 0", (forged[0],))
    connection.execute("UPDATE dek SET wrapped_subject = ? WHERE part = 0", (forged[1],))
    connection.commit()
    connection.close()

    with pytest.raises(EntryAltered, match=r"not the one|not those"):
        open_entry(sqlite, keyring, SHARD, 0)


def test_erased_keys_close_the_audience_and_leave_the_entry_provable(
    sqlite: Store, open_ledger: Callable[..., Ledger], keyring: FileKeyRing, tmp_path: Path
) -> None:
    open_ledger(sqlite).append_blocking([a_full_draft()])
    connection = sqlite3.connect(tmp_path / "ledger.db")
    connection.executescript("DELETE FROM dek")
    connection.close()

    assert {"subject", "agent", "technical"} == open_entry(sqlite, keyring, SHARD, 0).closed


_ASCII = st.text(st.characters(codec="ascii"))
_JSON = st.recursive(
    _ASCII | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_ASCII, inner, max_size=4),
    max_leaves=8,
)


@settings(max_examples=40, deadline=None)
@given(values=st.fixed_dictionaries({"case_ref": _JSON, "justification": _JSON, "client": _JSON, "fields": _JSON}))
def test_every_value_opened_equals_the_value_given(values: dict[str, Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(f"sqlite:///{folder}/ledger.db")
        ring = FileKeyRing(f"{folder}/keys")
        with Ledger(store, ring, shard=SHARD, clock=Clock()) as ledger:
            [record] = ledger.append_blocking([a_draft(committed=values)])
        opened = open_entry(store, ring, SHARD, record.index).values
        store.close()

    assert values == opened
