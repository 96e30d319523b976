"""Closed packages of the sandbox take part, each by the one way it has: a clerk enters something, the hub hands it in once."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from integrator.adapters.ways.journal import Journal
from integrator.commands import apps, mock
from integrator.commands.sandbox import Sandbox
from integrator.database import Database
from tests.flows.ledgers import book
from tests.flows.sandboxes import Beside, beside

ANN, BOB = "84651797654", "94641897237"
PAUSE = 0.2


@pytest.fixture
def watching(hub: Sandbox, tmp_path: Path) -> Iterator[Beside]:
    """A hub that looks at the packages of the sandbox, which are enrolled."""
    chosen: dict[str, Any] = {"run": ["population_view"], "pauseSeconds": PAUSE}
    with beside(hub, tmp_path / "state", adapters=chosen) as running:
        apps.create(running.settings, "population-view", "ixelles", ["file_update"], tmp_path / "population-view.jwk")
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


def until(what: Any, seconds: float = 60.0) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.1)
    return found


def test_what_a_clerk_enters_in_the_population_package_is_announced_once(watching: Beside) -> None:
    before = handed_in(watching, "person.changes")
    for person in (ANN, BOB):
        change = {"ssin": person, "movedOn": "2026-11-20", "street": "Rue du Trône"}
        mock.call("POST", f"{watching.mocks}/packages/population_view/changes", change)

    until(lambda: handed_in(watching, "person.changes") >= before + 2 and settled(watching, "population_view"))
    watching.kill()
    watching.start()
    time.sleep(5 * PAUSE)

    assert before + 2 == handed_in(watching, "person.changes")
