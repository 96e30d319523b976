"""The clerk counts whatever becomes of the databases that alerts need, and judges later what it could not judge then."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from audit.alerts import Alerts
from audit.reports.tables import open_tables
from audit.reports.tally import SCHEMA
from integrator import clerk, settings
from integrator.alerting import Alerting
from integrator.publishing import open_logbook, open_publishing
from tests.unit.audit.kit import a_draft
from tests.unit.consoles.desk import ANNA, IXELLES

PATIENCE = 30.0  # seconds


@pytest.fixture
def chosen(tmp_path: Path) -> settings.Settings:
    """The folder of the watching database is not there."""
    state = str(tmp_path / "state")
    found = settings.load(None, state=state, watching={"database": f"sqlite:///{tmp_path}/missing/watching.db"})
    publishing = open_publishing(found, time.time)
    clear = {"consumer": {"org": IXELLES, "app": "counter"}, "flags": ["SELF"], "reason_code": "PURPOSE_UNKNOWN"}
    publishing.ledger.append_blocking([a_draft("denied", clear=clear, subjects=[ANNA])])
    publishing.close()
    return found


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clerk, "EVERY", 0.01)
    monkeypatch.setattr(clerk, "AGAIN", 0.01)


def until(found: Callable[[], object]) -> Callable[[], bool]:
    """For the clerk: wanted until that is found; what is never found fails the test."""
    end = time.monotonic() + PATIENCE

    def wanted() -> bool:
        assert time.monotonic() < end, "it never happened"
        return not found()

    return wanted


@pytest.fixture
def seen(chosen: settings.Settings) -> Iterator[Any]:
    """What the clerk has done: refusals it counted, alerts it raised."""
    book = open_logbook(chosen)
    tables = open_tables(book.store, SCHEMA)
    yield SimpleNamespace(
        counted=lambda: tables.rows("SELECT reason FROM report_notable WHERE reason <> ''"),
        alerts=lambda: [one.rule for one in Alerts(book.store, lambda drafts: []).open().alerts],
    )
    tables.close()
    book.store.close()


def test_what_cannot_be_opened_for_alerts_does_not_stop_the_counting(
    chosen: settings.Settings, seen: Any, tmp_path: Path
) -> None:
    clerk._work(chosen, until(seen.counted))
    assert [] == seen.alerts()

    (tmp_path / "missing").mkdir()
    clerk._work(chosen, until(seen.alerts))
    assert ["OWN_DATA"] == seen.alerts()


def test_alerts_come_when_their_database_does_without_another_start(
    chosen: settings.Settings, seen: Any, tmp_path: Path
) -> None:
    def found() -> object:
        if seen.counted():
            (tmp_path / "missing").mkdir(exist_ok=True)
        return seen.alerts()

    clerk._work(chosen, until(found))

    assert ["OWN_DATA"] == seen.alerts()


def test_a_database_that_fails_under_way_is_a_step_that_is_tried_again() -> None:
    def step(most: int) -> int:
        raise OperationalError("SELECT", {}, Exception("gone"))

    parts: Any = SimpleNamespace(step=step, behind=True)

    assert not Alerting(parts, parts, parts, parts, parts).step()
