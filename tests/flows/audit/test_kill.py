"""Nothing acknowledged is lost: kill -9 at any moment, open again, and every acknowledged entry is there.

A killed process proves the engine and our grouping, not the disk: page cache survives it. Power loss is what
synchronous=FULL and fsync=on are for; this machine cannot pull its own plug.
"""

from __future__ import annotations

import os
import random
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from audit import FileKeyRing, Ledger, open_entry, open_store, settle
from audit.canonical import leaf_hash
from tests.unit.audit.kit import ENGINES, SHARD, engine_url

APPENDER = Path(__file__).with_name("appender.py")
ROOT = Path(__file__).parents[3]


@pytest.fixture(params=ENGINES)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    with engine_url(request.param, tmp_path) as place:
        yield place


def run_until_killed(url: str, keys: Path, seconds: float) -> list[tuple[int, str]]:
    """Start an appender, kill -9 it `seconds` after its first word, and return what it had acknowledged."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen([sys.executable, APPENDER, url, keys, SHARD], stdout=subprocess.PIPE, env=environment)
    assert process.stdout is not None
    with process.stdout as pipe, selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ)
        said = read_for(selector, pipe.fileno(), 60.0, until_first_word=True)
        said += read_for(selector, pipe.fileno(), seconds)
        process.send_signal(signal.SIGKILL)
        process.wait()
        said += pipe.read()
    assert -signal.SIGKILL == process.returncode
    whole_lines = said[: said.rfind(b"\n") + 1].decode().splitlines()
    return [(int(index), leaf) for index, leaf in (line.split() for line in whole_lines)]


def read_for(selector: selectors.BaseSelector, pipe: int, seconds: float, *, until_first_word: bool = False) -> bytes:
    said = b""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0 and not (said and until_first_word):
        if selector.select(left):
            chunk = os.read(pipe, 65_536)
            if not chunk:
                raise AssertionError("the appender died by itself")
            said += chunk
    return said


def check_everything(url: str, keys: Path, acknowledged: dict[int, str]) -> int:
    """Every acknowledged entry is there, whole, with its values; no index is missing. Returns the size of the shard."""
    with closing(open_store(url)) as store:
        stored = list(store.read(SHARD))
        assert list(range(len(stored))) == [entry.index for entry in stored]
        assert [entry.leaf for entry in stored] == [leaf_hash(entry.body) for entry in stored]
        leaves = {entry.index: entry.leaf.hex() for entry in stored}
        assert {} == {index: leaf for index, leaf in acknowledged.items() if leaves.get(index) != leaf}
        ring = FileKeyRing(keys)
        for index in [*range(max(0, len(stored) - 40), len(stored))]:  # those around the kill
            assert "2026/117" == open_entry(store, ring, SHARD, index).values["case_ref"]
        return len(stored)


def kill_and_check(url: str, keys: Path, rounds: int, seed: int) -> None:
    chance = random.Random(seed)
    acknowledged: dict[int, str] = {}
    for _ in range(rounds):
        said = run_until_killed(url, keys, chance.uniform(0.0, 0.6))
        assert said
        assert set() == {index for index, _ in said} & acknowledged.keys()  # an index is never given twice
        acknowledged.update(said)
        check_everything(url, keys, acknowledged)


def test_three_kills_lose_nothing_acknowledged(url: str, tmp_path: Path) -> None:
    kill_and_check(url, tmp_path / "keys", rounds=3, seed=int.from_bytes(os.urandom(4)))


@pytest.mark.soak
def test_twenty_kills_lose_nothing_acknowledged(url: str, tmp_path: Path) -> None:
    kill_and_check(url, tmp_path / "keys", rounds=20, seed=int.from_bytes(os.urandom(4)))


def test_after_a_kill_every_intent_is_settled(url: str, tmp_path: Path) -> None:
    run_until_killed(url, tmp_path / "keys", 0.2)
    with closing(open_store(url)) as store:
        with Ledger(store, FileKeyRing(tmp_path / "keys"), shard=SHARD) as ledger:
            settle(ledger, timedelta(0))
        referred = {entry.ref for entry in store.read(SHARD)}
        intents = {entry.index for entry in store.read(SHARD) if entry.kind == "intent"}

        assert set() == intents - referred


def test_a_living_process_keeps_its_shard_from_another(url: str, tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, APPENDER, url, tmp_path / "keys", SHARD]
    first = subprocess.Popen(command, stdout=subprocess.PIPE, env=environment)
    try:
        assert first.stdout is not None
        first.stdout.readline()
        second = subprocess.run(command, capture_output=True, env=environment, timeout=60, check=False)
    finally:
        first.kill()
        first.communicate()

    assert (1, True) == (second.returncode, b"ShardTaken" in second.stderr)
