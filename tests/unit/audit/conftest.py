"""Fixtures of the audit tests: one parametrised place, so every contract test runs over both engines."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from audit import FileKeyRing, Ledger, Store, open_store
from tests.unit.audit.kit import ENGINES, SHARD, Clock, engine_url


@pytest.fixture
def keyring(tmp_path: Path) -> FileKeyRing:
    return FileKeyRing(tmp_path / "keys")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=ENGINES)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    with engine_url(request.param, tmp_path) as place:
        yield place


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    opened = open_store(url)
    yield opened
    opened.close()


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Store]:
    """One engine only, for what does not depend on the engine."""
    with engine_url("sqlite", tmp_path) as place:
        opened = open_store(place)
        yield opened
        opened.close()


@pytest.fixture
def open_ledger(keyring: FileKeyRing, clock: Clock) -> Iterator[Callable[..., Ledger]]:
    opened: list[Ledger] = []

    def open_(store: Store, **more: object) -> Ledger:
        ledger = Ledger(store, keyring, **{"shard": SHARD, "clock": clock, **more})  # type: ignore[arg-type]
        opened.append(ledger)
        return ledger

    yield open_
    for ledger in opened:
        ledger.close()
