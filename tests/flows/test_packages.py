"""Closed packages of the sandbox take part, each by the one way it has: a clerk enters something, the hub hands it in once."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from integrator.adapters.ways.journal import Journal
from integrator.commands import apps, mock
from integrator.commands.sandbox import Sandbox
from integrator.database import Database
from integrator.delivery.tables import MESSAGE
from tests.flows.ledgers import book
from tests.flows.sandboxes import Beside, beside
from tests.flows.test_adapters import SOON, deposited, follow, until

ANN, BOB = "84651797654", "94641897237"
PAUSE = 0.2
PACKAGES = {
    "population_view": "ixelles",
    "parking_register": "brussels",
    "irisbox": "regional-portal",
}  # adapter -> whose it is


@pytest.fixture
def watching(hub: Sandbox, tmp_path: Path) -> Iterator[Beside]:
    """A hub that looks at the packages of the sandbox, which are enrolled."""
    chosen: dict[str, Any] = {"run": list(PACKAGES), "pauseSeconds": PAUSE}
    with beside(hub, tmp_path / "state", adapters=chosen) as running:
        for adapter, organisation in PACKAGES.items():
            name = adapter.replace("_", "-")
            purpose = "council_interpellation" if adapter == "irisbox" else "file_update"
            apps.create(running.settings, name, organisation, [purpose], tmp_path / f"{name}.jwk")
        who = follow(running, tmp_path)
        wish = {"service": "council.interpellation.submit", "mode": "pull", "endDate": SOON}
        made = who.send(
            "POST", "/events/v1/subscriptions/create", orjson.dumps(wish), purpose="council_interpellation",
            headers={"Idempotency-Key": str(uuid.uuid4())},
        )  # fmt: skip
        assert 201 == made.status, made.payload
        who.close()
        yield running


def handed_in(hub: Beside, service: str) -> int:
    with book(hub.settings) as ledger:
        found = ledger.since(0) if ledger.shards() else []
    return sum(one["type"] == "intent" and one["name"] == service for one in found)


def settled(hub: Beside, adapter: str) -> bool:
    """Whether all that was met there had its effect."""
    database = Database(hub.settings.adapters["database"], "adapters")
    try:
        state = database.now(lambda connection: Journal(connection, adapter).state())
    finally:
        database.close()
    return state.position is not None and state.page is None


def test_what_a_clerk_enters_in_the_population_package_is_announced_once(watching: Beside) -> None:
    before = handed_in(watching, "person.announceChange")
    for person in (ANN, BOB):
        change = {"ssin": person, "movedOn": "2026-11-20", "street": "Rue du Trône"}
        mock.call("POST", f"{watching.mocks}/packages/population_view/changes", change)

    until(lambda: handed_in(watching, "person.announceChange") >= before + 2 and settled(watching, "population_view"))
    watching.kill()
    watching.start()
    time.sleep(5 * PAUSE)

    assert before + 2 == handed_in(watching, "person.announceChange")


def test_a_file_of_the_parking_register_comes_over_sftp_and_each_row_reaches_the_municipality(watching: Beside) -> None:
    rows = [{"ssin": person, "dossier": "PK-2026-1", "seen": f"seen of {at}"} for at, person in enumerate((ANN, BOB))]

    mock.call("POST", f"{watching.mocks}/packages/parking_register/files", {"rows": rows})

    until(lambda: {"seen of 0", "seen of 1"} <= {what for _, what in deposited(watching)})
    assert 2 == sum(what.startswith("seen of ") for _, what in deposited(watching))


def test_a_question_of_the_electronic_counter_is_fetched_and_reaches_the_council(watching: Beside) -> None:
    asked = {"municipality": "1992100975", "topic": "a crossing", "text": "When will it be lit?", "language": "FR"}
    for person in (ANN, BOB):
        mock.call("POST", f"{watching.mocks}/packages/irisbox/questions", {"ssin": person, **asked})

    until(lambda: 2 == submitted(watching), 120.0)
    time.sleep(5 * PAUSE)
    assert 2 == submitted(watching)


def submitted(hub: Beside) -> int:
    """Questions in the outbox."""
    database = Database(hub.settings.ledger, "delivery")
    try:
        found = database.now(lambda c: c.execute(MESSAGE.select()).mappings().all())
    finally:
        database.close()
    return sum(one["service"] == "council.interpellation.submit" for one in found)
