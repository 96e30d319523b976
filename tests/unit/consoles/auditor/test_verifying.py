"""Verifications that auditors start: one at a time, and a run that came to no verdict is never shown as a good one."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from integrator.consoles.auditor.process import Found, Told, VerificationBroken
from integrator.consoles.auditor.verifying import Verifying
from integrator.consoles.database import Database

GOOD = {"level": "L2", "ok": True, "findings": [], "checked": 3, "skipped": "", "notes": []}
WOUND = {"level": "L2", "code": "ENTRY_ALTERED", "where": "hub/1 entry 2", "expected": "a", "found": "b"}
BAD = GOOD | {"ok": False, "findings": [WOUND]}


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database(f"sqlite:///{tmp_path}/consoles.db")
    yield opened
    opened.close()


async def test_a_verdict_is_kept_with_who_asked_for_it(database: Database) -> None:
    verifying = Verifying(database, lambda since, told: ([BAD], {}), lambda: 1000.0)
    id_ = await verifying.start("auditor", "all")
    await verifying.wait()
    run = await verifying.run(id_)

    assert run is not None
    assert ("wrong", "auditor", "ENTRY_ALTERED", None) == (
        run.state, run.by, run.verdicts[0]["findings"][0]["code"], verifying.progress(id_),
    )  # fmt: skip


async def test_a_second_click_goes_to_the_run_that_is_under_way(database: Database) -> None:
    on = threading.Event()

    def work(since: Mapping[str, Any], told: Told) -> Found:
        told(1, 3)
        assert on.wait(10)
        return [GOOD], {}

    verifying = Verifying(database, work, lambda: 1000.0)
    first = await verifying.start("auditor", "all")
    second = await verifying.start("other", "all")
    running = verifying.progress(first)
    on.set()
    await verifying.wait()

    assert (first, 1) == (second, len(await verifying.newest()))
    assert running is not None


async def test_a_process_that_died_is_no_good_verdict(database: Database) -> None:
    def work(since: Mapping[str, Any], told: Told) -> Found:
        raise VerificationBroken("the process ended")

    verifying = Verifying(database, work, lambda: 1000.0)
    id_ = await verifying.start("auditor", "all")
    await verifying.wait()
    run = await verifying.run(id_)

    assert run is not None
    assert "broken" == run.state


async def test_what_is_new_goes_on_only_from_the_last_run_that_found_nothing_wrong(database: Database) -> None:
    seen: list[Mapping[str, Any]] = []
    answers: list[Found] = [([GOOD], {"hub/1": {"size": 256}}), ([BAD], {"hub/1": {"size": 512}}), ([GOOD], {})]

    def work(since: Mapping[str, Any], told: Told) -> Found:
        seen.append(since)
        return answers[len(seen) - 1]

    now = iter(range(1000, 2000))
    verifying = Verifying(database, work, lambda: float(next(now)))
    for reach in ("all", "new", "new"):
        await verifying.start("auditor", reach)
        await verifying.wait()

    assert [{}, {"hub/1": {"size": 256}}, {"hub/1": {"size": 256}}] == seen
