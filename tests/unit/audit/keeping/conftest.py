"""A ledger that wrote in 2016 and 2026, and what was ordered about it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from audit import Ledger, Store
from audit.keeping import Order, RetentionClass
from tests.unit.audit.kit import ENGINES, Clock, a_draft, a_full_draft, engine_url

TEN_YEARS_AGO = 1_479_211_200_000_000  # µs, 15 November 2016
TODAY = date(2026, 12, 1)  # the first day on which nothing of November 2016 is kept under Y10
LAW = "eu-gdpr:A5-1-e"
CLASSES = {
    "Y10": RetentionClass("Y10", 120, LAW),
    "M6": RetentionClass("M6", 6, LAW),
    "Y30": RetentionClass("Y30", 360, LAW),
}
DPO = Order("dpo-1", "eu-gdpr:A23-1-d", reason="an inquiry is under way")
COURT = Order("dpo-1", "eu-gdpr:A17-1-d", "court", reference="2026/AR/17", reason="ordered", second="head-2")


both = pytest.mark.parametrize("url", ENGINES, indirect=True)
"""Over both engines: what reaches SQL that test_store.py does not try by itself."""


@pytest.fixture
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    with engine_url(getattr(request, "param", "sqlite"), tmp_path) as place:
        yield place


@pytest.fixture
def ledger(store: Store, open_ledger: Callable[..., Ledger]) -> Ledger:
    return open_ledger(store)


@pytest.fixture
def exchange(ledger: Ledger, clock: Clock) -> Callable[..., list[int]]:
    """Record an intent and its outcome about a person; returns their indices."""

    def record(when: int | None = None, **about: Any) -> list[int]:
        now = clock.now
        clock.now = when or now
        [intent] = ledger.append_blocking([a_full_draft(**about)])
        about.pop("committed", None)
        about = {"subjects": [("nrn", "85610100147", "data-subject")], **about}
        [outcome] = ledger.append_blocking([a_draft("outcome", clear={"intent_ref": intent.index}, **about)])
        clock.now = now
        return [intent.index, outcome.index]

    return record


@pytest.fixture
def old(exchange: Callable[..., list[int]]) -> list[int]:
    return exchange(TEN_YEARS_AGO)
