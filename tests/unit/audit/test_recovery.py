"""R6: an intent that a crash left alone does not stay silent."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta

import pytest

from audit import FileKeyRing, Ledger, Store, open_entry, settle
from tests.unit.audit.kit import NOON, SHARD, SPAN, TRACE, Clock, a_draft, a_full_draft

MINUTE = 60_000_000


@pytest.fixture
def ledger(store: Store, open_ledger: Callable[..., Ledger]) -> Ledger:
    return open_ledger(store)


def test_a_dangling_intent_gets_an_unknown_that_names_it(ledger: Ledger, store: Store, clock: Clock) -> None:
    ledger.append_blocking([a_full_draft(), a_draft("outcome", clear={"intent_ref": 0}), a_full_draft()])
    clock.now += 5 * MINUTE
    [record] = settle(ledger)
    [stored] = store.read(SHARD, record.index)

    assert (3, "unknown", 2) == (stored.index, stored.kind, stored.ref)


def test_an_unknown_repeats_the_clear_facts_and_claims_no_outcome(ledger: Ledger, store: Store, clock: Clock) -> None:
    ledger.append_blocking([a_full_draft(clear={"start_time": NOON})])
    clock.now += 5 * MINUTE
    settle(ledger)
    entry = json.loads(list(store.read(SHARD))[1].body)

    expected = {
        "v": 1,
        "type": "unknown",
        "trace_id": TRACE,
        "span_id": SPAN,
        "name": "person.get",
        "ts": NOON + 5 * MINUTE,
        "ret": "Y10",
        "kid": "Y10-2026-11",
        "op": "dpv:Consult",
        "consumer": {"app": "housing-allowance", "org": "0207446759"},
        "dpl.core.processing_activity_id": "https://ropa.example.brussels/a/7f1c/v3",
        "intent_ref": 0,
        "status": "Unset",
        "reason_code": "OUTCOME_NOT_RECORDED",
    }
    assert expected == entry


def test_an_unknown_can_be_opened(ledger: Ledger, store: Store, keyring: FileKeyRing, clock: Clock) -> None:
    ledger.append_blocking([a_full_draft()])
    clock.now += 5 * MINUTE
    settle(ledger)

    assert "unknown" == open_entry(store, keyring, SHARD, 1).entry["type"]


def test_what_was_settled_is_not_settled_again(ledger: Ledger, store: Store, clock: Clock) -> None:
    ledger.append_blocking([a_draft()] * 3)
    clock.now += 5 * MINUTE

    assert (3, 0) == (len(settle(ledger)), len(settle(ledger)))


def test_an_exchange_still_running_is_left_alone(ledger: Ledger, clock: Clock) -> None:
    ledger.append_blocking([a_draft()])
    clock.now += 2 * MINUTE

    assert [] == settle(ledger)


def test_at_start_everything_open_is_settled(ledger: Ledger, clock: Clock) -> None:
    ledger.append_blocking([a_draft()])
    clock.now += 1

    assert 1 == len(settle(ledger, timedelta(0)))


def test_more_than_a_batch_is_settled(ledger: Ledger, store: Store, clock: Clock) -> None:
    ledger.append_blocking([a_draft()] * 700)
    clock.now += 5 * MINUTE
    settle(ledger)

    assert [] == store.dangling(SHARD, clock.now)
