from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.unit.api import stand_in


@pytest.fixture
def make_hub(tmp_path: Path) -> Iterator[Callable[..., Any]]:
    made = []

    def make(now: Callable[[], float] = time.time, **settings: Any) -> Any:
        made.append(stand_in.StandIn(tmp_path / "state", now, **settings))
        return made[-1]

    yield make
    for hub in made:
        hub.identity.close()


@pytest.fixture
def hub(make_hub: Callable[..., Any]) -> Any:
    return make_hub()


@pytest.fixture
def api(hub: Any) -> Any:
    from integrator.api.app import build

    return build(hub)


@pytest.fixture
async def call(hub: Any, api: Any) -> Any:
    """A caller with a valid token."""
    return stand_in.Caller(api.front, await hub.token())


@pytest.fixture
def stranger(api: Any) -> Any:
    return stand_in.Caller(api.front)


@pytest.fixture
def serve(make_hub: Callable[..., Any]) -> Iterator[Callable[..., Any]]:
    """Start a hub on a free port, in a thread of its own with uvloop, as it runs for real."""
    running = []

    def start(**limits: Any) -> Any:
        live = stand_in.Live(make_hub(limits=limits))
        running.append(live)
        return live

    yield start
    for live in running:
        live.stop()


@pytest.fixture
def caller() -> Any:
    """Makes callers of an application: `caller(app, token)`."""
    return stand_in.Caller


@pytest.fixture
def wire() -> Any:
    """Opens plain connections: `wire(port)`."""
    return stand_in.Wire


@pytest.fixture(scope="module")
def _standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    hub = stand_in.StandIn(tmp_path_factory.mktemp("hub"), time.time, limits={"headSeconds": 0.3})
    live = stand_in.Live(hub)
    yield live
    live.stop()
    hub.identity.close()


@pytest.fixture
def live(_standing: Any) -> Any:
    """A running hub that a module's tests share; what it was asked is forgotten between them."""
    _standing.hub.exchange.asked.clear()
    return _standing
