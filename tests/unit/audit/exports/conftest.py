"""A town's exchanges, and walks over them on each engine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from audit import FileKeyRing, Ledger, Store
from audit.exports import View, Walk
from audit.reports import Reports
from audit.reports.tables import Tables, open_tables
from tests.unit.audit.kit import ENGINES, Clock, engine_url
from tests.unit.audit.reports.conftest import Town

both = pytest.mark.parametrize("url", ENGINES, indirect=True)  # for what rests on SQL; the rest runs on SQLite alone


@pytest.fixture
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    with engine_url(getattr(request, "param", "sqlite"), tmp_path) as place:
        yield place


@pytest.fixture
def town(store: Store, open_ledger: Callable[..., Ledger], clock: Clock) -> Town:
    return Town(open_ledger(store), clock)


@pytest.fixture
def tables(store: Store) -> Iterator[Tables]:
    opened = open_tables(store, ())
    yield opened
    opened.close()


@pytest.fixture
def walk(tables: Tables) -> Callable[..., Walk]:
    return lambda *when, **more: Walk(tables, *when, **more)


@pytest.fixture
def view(store: Store, keyring: FileKeyRing) -> Callable[..., View]:
    def view_(*audiences: str, **more: Any) -> View:
        return View(store, keyring, audiences, **more)

    return view_


@pytest.fixture
def reports(store: Store, keyring: FileKeyRing, clock: Clock) -> Iterator[Reports]:
    opened = Reports(store, keyring, clock)
    yield opened
    opened.close()
