"""An alert whose place nobody could write down: it is listed, read and settled like the others, and says so."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from integrator.alerting import Alerting, open_alerting
from integrator.database import Database
from integrator.emergency import Emergencies, Rules, Store
from integrator.model import Caller, Request, Trace
from tests.unit.consoles.citizen.rig import House, house
from tests.unit.consoles.desk import IXELLES, WHY

SAYS_SO = {"nl": "noemt geen regel", "fr": "ne nomme aucune ligne", "en": "names no line"}


@pytest.fixture
def home(tmp_path: Path) -> Iterator[House]:
    with house(tmp_path) as opened:
        yield opened


@pytest.fixture
def alerting(home: House) -> Iterator[Alerting]:
    opened = open_alerting(
        home.store, home.keyring, SimpleNamespace(ledger=home.ledger), lambda: home.clock.now / 1_000_000
    )
    home.consoles.extras["alerting"] = opened
    yield opened
    opened.close()


@pytest.fixture
async def unplaced(home: House, alerting: Alerting, tmp_path: Path) -> str:
    """An emergency was opened, its place was not noted, and its time is over; the id of the alert that came of it."""
    database = Database(f"sqlite:///{tmp_path}/emergency.db", "emergency")
    office = Emergencies(Store(database), Rules(), lambda: home.clock.now / 1_000_000)
    caller = Caller(IXELLES, "desk", "youth_support", "a.7f3")
    request = Request("person.get", caller, {}, Trace("1" * 32, "2" * 16), emergency="the child is at the door")
    await office.open(request, "OUTSIDE_HOURS")
    home.clock.now += 25 * 3_600_000_000
    assert 1 == office.settle(home.ledger.append_blocking)
    office.close()
    [alert] = alerting.alerts.open().alerts
    return alert.id


def test_it_is_read_back_without_a_place(alerting: Alerting, unplaced: str) -> None:
    alert = alerting.alerts.get(unplaced)

    assert ("EMERGENCY_UNCONFIRMED", IXELLES, None, None) == (alert.rule, alert.org, alert.shard, alert.index)


@pytest.mark.parametrize("language", list(SAYS_SO))
async def test_the_pages_show_it_and_say_what_is_missing(home: House, unplaced: str, language: str) -> None:
    officer = await home.officer()

    assert 200 == (await officer.get(f"/console/alerts/?lang={language}")).status
    assert unplaced.replace("/", "%2F") in officer.page
    assert 200 == (await officer.get(f"/console/alerts/one?id={unplaced}&lang={language}")).status
    assert SAYS_SO[language] in officer.page


async def test_it_is_settled_like_any_other(home: House, alerting: Alerting, unplaced: str) -> None:
    officer = await home.officer()
    await officer.get(f"/console/alerts/one?id={unplaced}")
    await officer.post("/console/alerts/settle", id=unplaced, words=WHY, how="escalate")

    assert "escalated" == alerting.alerts.get(unplaced).state
