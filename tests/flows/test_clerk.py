"""The clerk beside a hub: it counts what callers left, is there again when it dies, and never outlives its hub."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from audit.reports.tables import open_tables
from audit.reports.tally import SCHEMA
from integrator.commands.sandbox import Sandbox
from tests.flows.ledgers import book
from tests.flows.sandboxes import Beside, beside, callers

PATIENCE = 60.0  # seconds; most of it is never used


@pytest.fixture
def running(hub: Sandbox, tmp_path: Path) -> Iterator[Beside]:
    with beside(hub, tmp_path / "state") as started:
        yield started


def clerk_of(hub: int) -> int | None:
    """The process that a hub started for this; multiprocessing keeps another one that only watches."""
    for child in Path(f"/proc/{hub}/task/{hub}/children").read_text().split():
        with suppress(FileNotFoundError):
            if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes():
                return int(child)
    return None


def alive(process: int) -> bool:
    with suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def soon(found: Callable[[], object]) -> object:
    """What `found` says once it says something; fails after a long while."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if said := found():
            return said
        time.sleep(0.1)
    raise AssertionError("it never happened")


def test_a_clerk_that_is_killed_is_replaced_and_none_outlives_its_hub(running: Beside):
    assert running.process is not None
    hub = running.process.pid
    first = soon(lambda: clerk_of(hub))
    assert isinstance(first, int)

    os.kill(first, signal.SIGKILL)
    second = soon(lambda: (found := clerk_of(hub)) != first and found)
    assert isinstance(second, int)
    running.kill()

    assert soon(lambda: not alive(second))


def test_an_end_by_sigterm_takes_the_clerk_along(running: Beside):
    assert running.process is not None
    clerk = soon(lambda: clerk_of(running.process.pid))  # type: ignore[union-attr]
    assert isinstance(clerk, int)

    assert 0 == running.end()

    assert not alive(clerk)


def test_what_callers_left_is_counted_beside_the_hub(running: Beside, tmp_path: Path):
    doors = callers(running.running, running.settings, tmp_path / "keys")
    refused = doors.ask(
        "person.lifeStatus", {"ssin": "84651797654", "dossierReference": "1"}, purpose="building_permit"
    )
    with book(running.settings) as read:
        tables = open_tables(read.store, SCHEMA)
        try:
            counted = soon(lambda: tables.rows("SELECT reason FROM report_notable WHERE reason <> ''"))
        finally:
            tables.close()
    doors.close()

    assert (403, [(refused.body["reason"],)]) == (refused.status, counted)
