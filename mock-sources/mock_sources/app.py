"""Composition: every source in one ASGI process, each behind its fault layer, the admin API beside them.

/rr /ksz /kbo /div /best   the sources, at the paths the real ones use behind that prefix
/mock                      faults, counters, personas, health
state/credentials          the onboarding kit · state/parking/cards.txt, the legacy package's file
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from mock_sources import credentials as kit
from mock_sources.admin import Admin, Find
from mock_sources.asgi import App, Receive, Scope, Send, problem, respond_problem
from mock_sources.clock import Clock, system_clock
from mock_sources.credentials import Credentials
from mock_sources.faults import Board
from mock_sources.layer import FaultLayer
from mock_sources.world import World

ROOMS = {"rr": "rijksregister", "ksz": "ksz", "kbo": "kbo", "div": "div", "best": "best"}
"""Prefix of a source that answers over HTTP, and the folder under sources/ that holds it."""


class Mocks:
    """The whole region over HTTP. `credentials`, `world` and `board` are there for tests that run in-process."""

    def __init__(
        self, world: World, credentials: Credentials, board: Board, sources: Mapping[str, App], find: Find
    ) -> None:
        self.world, self.credentials, self.board = world, credentials, board
        self._doors: dict[str, App] = {}
        layers = {name: FaultLayer(app, name, board) for name, app in sources.items()}
        self._doors.update(layers)
        self._doors["mock"] = Admin(board, {name: layer.count for name, layer in layers.items()}, self._facts, find)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Route on the first path segment; the source sees the path that the real one would see."""
        if scope["type"] != "http":
            raise RuntimeError("the mock sources speak HTTP only")
        _, prefix, rest = (*scope["path"].split("/", 2), "", "")[:3]
        door = self._doors.get(prefix)
        if door is None:
            await respond_problem(send, problem(404, "resourceNotFound", f"sources here: {', '.join(self._doors)}"))
            return
        scope["root_path"] = scope.get("root_path", "") + "/" + prefix
        scope["path"] = "/" + rest
        scope["raw_path"] = scope["raw_path"][len(prefix) + 1 :] or b"/"
        await door(scope, receive, send)

    def _facts(self) -> dict[str, Any]:
        """What /mock/health shows beside its status."""
        return {"credentials": str(self.credentials.folder), "world": dict(self.world.counts)}


def build(state: Path, seed: int = 7, clock: Clock | None = None) -> Mocks:
    """Build the region from a seed and open every source on it; writes the kit and the parking file under `state`.

    Raises credentials.KitIncomplete when `state/credentials` is damaged.
    """
    clock = clock or system_clock
    credentials = kit.ensure(state)
    world, board = World.build(seed, lambda: clock().date()), Board(seed)
    sources = {
        prefix: import_module(f"mock_sources.sources.{room}").build(world, credentials, clock)
        for prefix, room in ROOMS.items()
    }
    package = import_module("mock_sources.sources.parking").build(world, credentials, clock)
    board.watch("parking", package.apply)
    return Mocks(world, credentials, board, sources, _finder(world))


def _finder(world: World) -> Find:
    return lambda text: find.personas(world, text)
