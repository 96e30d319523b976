"""Killed at any moment, whoever it is: nothing that was acknowledged is lost, nothing is done twice, order is kept."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import socket
import sqlite3
import subprocess
import sys
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.unit.audit.kit import engine_url

HERE = Path(__file__).resolve()
ROOT = HERE.parents[3]
NATS = os.environ.get("INTEGRATOR_TEST_NATS", "nats://127.0.0.1:4222")
ROLES = ("accept", "relay", "receive")


@dataclass
class Campaign:
    folder: Path
    plan: dict[str, Any]
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    kills: Counter[str] = field(default_factory=Counter)

    def start(self, role: str) -> None:
        path = self.folder / "plan.json"
        path.write_text(json.dumps(self.plan))
        environment = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'mock-sources'}"}
        with (self.folder / f"{role}.log").open("ab") as log:
            self.running[role] = subprocess.Popen(
                [sys.executable, str(HERE.with_name("campaign.py")), role, str(path)],
                stdout=log,
                stderr=log,
                env=environment,
                cwd=ROOT,
            )

    def kill(self, role: str) -> None:
        self.running[role].kill()
        self.running[role].wait()
        self.kills[role] += 1

    def tend(self) -> None:
        """Who fell by itself is said; who accepted everything may rest."""
        for role, process in self.running.items():
            code = process.poll()
            if code is not None and not (role == "accept" and code == 0):
                raise AssertionError(f"{role} ended with {code}:\n{(self.folder / f'{role}.log').read_text()[-3000:]}")

    def effects(self) -> list[tuple[int, int]]:
        return self._received("SELECT lane, number FROM effect ORDER BY n")

    def count(self) -> int:
        found = self._received("SELECT count(*) FROM effect")
        return int(found[0][0]) if found else 0

    def again(self) -> int:
        return int(self._received("SELECT count(*) FROM again")[0][0])

    def _received(self, query: str) -> list[Any]:
        path = self.folder / "received.db"
        if not path.exists():
            return []
        with (
            contextlib.closing(sqlite3.connect(path, timeout=10)) as database,
            contextlib.suppress(sqlite3.OperationalError),
        ):
            return database.execute(query).fetchall()
        return []

    def end(self) -> None:
        for process in self.running.values():
            process.kill()
            process.wait()


@contextlib.contextmanager
def campaign(
    engine: str, folder: Path, *, lanes: int, each: int, lease: float, unkind: bool = True
) -> Iterator[Campaign]:
    with engine_url("sqlite" if engine == "sqlite" else "postgres", folder) as url, socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
        found.close()
        stream = f"campaign-{uuid.uuid4().hex}"
        plan = {
            "url": url, "folder": str(folder), "lanes": lanes, "each": each, "port": port, "unkind": unkind, "lease": lease,
            "nats": NATS if engine == "postgres+nats" else "", "stream": stream,
        }  # fmt: skip
        fought = Campaign(folder, plan)
        try:
            yield fought
        finally:
            fought.end()
            if plan["nats"]:
                asyncio.run(_forget(stream))


async def _forget(stream: str) -> None:
    import nats

    client = await nats.connect(NATS, connect_timeout=3, allow_reconnect=False)
    with contextlib.suppress(Exception):
        await client.jetstream().delete_stream(stream)
    await client.close()


def fight(fought: Campaign, kills: int, patience: float) -> None:
    """Start all three, kill one of them whenever a share has arrived, until everything has."""
    total = fought.plan["lanes"] * fought.plan["each"]
    chance = random.Random(kills)
    marks = sorted(chance.randrange(total * 19 // 20) for _ in range(kills))
    marks[0] = 0  # one in the very first moment
    for role in ("receive", "relay", "accept"):
        fought.start(role)
    deadline = time.monotonic() + patience
    while (arrived := fought.count()) < total:
        assert time.monotonic() < deadline, f"{arrived} of {total} arrived; kills: {fought.kills}"
        fought.tend()
        if marks and arrived >= marks[0]:
            marks.pop(0)
            alive = [one for one in ROLES if fought.running[one].poll() is None]
            role = min(
                alive, key=lambda one: (fought.kills[one], chance.random())
            )  # each as often as the others, in any order
            fought.kill(role)
            fought.start(role)
        threading.Event().wait(0.02)


def settled(fought: Campaign) -> dict[str, int]:
    """Messages of the outbox by state, once nothing is open any more: the last acknowledgement may have been lost."""
    from sqlalchemy import text

    from integrator.database import Database

    database = Database(fought.plan["url"], "delivery")
    try:
        for _ in range(600):
            rows = database.now(
                lambda c: c.execute(text("SELECT state, count(*) FROM delivery_message GROUP BY state")).all()
            )
            if not {row[0] for row in rows} & {"waiting", "unknown"}:
                break
            threading.Event().wait(0.1)
        return {row[0]: row[1] for row in rows}
    finally:
        database.close()


def check(fought: Campaign, kills: int) -> None:
    lanes, each = fought.plan["lanes"], fought.plan["each"]
    effects = fought.effects()
    by_lane: dict[int, list[int]] = {}
    for lane, number in effects:
        by_lane.setdefault(lane, []).append(number)

    assert lanes * each == len(set(effects)), "lost"
    assert len(set(effects)) == len(effects), "done twice"
    assert {lane: list(range(each)) for lane in range(lanes)} == by_lane, "out of order"
    assert {"delivered": lanes * each} == settled(fought)
    assert kills == sum(fought.kills.values())
    assert fought.again() > 0, "no duplicate ever came: the campaign proves nothing"
    print(
        f"\n{lanes * each} delivered, {sum(fought.kills.values())} kills {dict(fought.kills)}, {fought.again()} came again"
    )


@pytest.mark.parametrize("engine", ["sqlite", pytest.param("postgres+nats", marks=pytest.mark.postgres)])
def test_nothing_is_lost_done_twice_or_out_of_order(engine: str, tmp_path: Path) -> None:
    with campaign(engine, tmp_path, lanes=40, each=12, lease=5.0) as fought:
        fight(fought, kills=4, patience=240)
        check(fought, 4)


@pytest.mark.soak
@pytest.mark.parametrize("engine", ["sqlite", pytest.param("postgres+nats", marks=pytest.mark.postgres)])
def test_a_hundred_thousand_through_fifty_deaths(engine: str, tmp_path: Path) -> None:
    lanes, each, kills = (
        int(one) for one in os.environ.get("CAMPAIGN", "1000,100,50").split(",")
    )  # smaller where others work
    with campaign(engine, tmp_path, lanes=lanes, each=each, lease=15.0) as fought:
        fight(fought, kills=kills, patience=7200)
        check(fought, kills)
