"""Composition: every source in one ASGI process, each behind its fault layer, the admin API beside them.

/rr /ksz /kbo /div /best /dimona /cadastre   the sources, at the paths the real ones use behind that prefix
/debts_receipts /debts_postes /debts_arrears   three accounting packages, each of another body and unlike the others
/tsa                       a time stamping authority; its root is state/tsa/root.pem
/oidc                      an OpenID issuer; its one client is in state/oidc/client.json
/iam /eid /itsme           OpenID issuers that vouch for the invented staff
/packages                  closed packages of a municipality, for whoever plays its clerk: /packages/population_view/changes
/mock                      faults, counters, personas, health
state/credentials          the onboarding kit · state/parking/cards.txt, the legacy package's file
state/packages             what the packages keep · state/access, how to get into them, one file each
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from mock_sources import credentials as kit
from mock_sources.admin import Admin
from mock_sources.asgi import App, Receive, Scope, Send, problem, respond_problem
from mock_sources.clock import Clock, system_clock
from mock_sources.credentials import Credentials
from mock_sources.faults import Board
from mock_sources.iam import IamDoor, open_all
from mock_sources.layer import FaultLayer
from mock_sources.oidc import Door, Issuer
from mock_sources.packages import Packages
from mock_sources.sources import parking
from mock_sources.sources.parking import Package
from mock_sources.tsa import Authority, Tsa
from mock_sources.world import World

ROOMS = {"rr": "rijksregister"} | {
    name: name
    for name in ("ksz", "kbo", "div", "best", "dimona", "cadastre", "debts_receipts", "debts_postes", "debts_arrears")
}
"""Prefix of a source that answers over HTTP, and the folder under sources/ that holds it."""


_BRUSSELS = ZoneInfo("Europe/Brussels")  # "moved yesterday" is said by a clerk in Brussels


class Mocks:
    """The whole region over HTTP; its parts are there for tests that run in-process."""

    def __init__(
        self, world: World, credentials: Credentials, board: Board, sources: Mapping[str, App], parking: Package
    ) -> None:
        self.world, self.credentials, self.board, self.parking = world, credentials, board, parking
        self.layers = {name: FaultLayer(app, name, board) for name, app in sources.items()}
        counts = {name: layer.count for name, layer in self.layers.items()}
        self._doors: dict[str, App] = {**self.layers, "mock": Admin(board, counts, self._facts, self._find)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Route on the first path segment; the source sees the path that the real one would see."""
        if scope["type"] != "http":
            raise RuntimeError("the mock sources speak HTTP only")
        _, prefix, rest = (*scope["path"].split("/", 2), "", "")[:3]
        door = self._doors.get(prefix)
        if door is None:
            await respond_problem(send, problem(404, "resourceNotFound", f"here are: {', '.join(self._doors)}"))
            return
        scope["root_path"] = scope.get("root_path", "") + "/" + prefix
        scope["path"] = "/" + rest
        scope["raw_path"] = scope["raw_path"][len(prefix) + 1 :] or b"/"
        await door(scope, receive, send)

    def open(self, prefix: str, door: App) -> None:
        """One more address, without faults."""
        self._doors[prefix] = door

    def _facts(self) -> dict[str, Any]:
        """What /mock/health shows beside its status."""
        return {
            "sources": [*ROOMS, "parking"],
            "credentials": str(self.credentials.folder),
            "parking": str(self.parking.path),
            "world": dict(self.world.counts),
        }

    def _find(self, text: str, limit: int) -> list[dict[str, Any]]:
        find = import_module("mock_sources.world.find").find
        return list(find(self.world, text, limit=limit))


def build(state: Path, seed: int = 7, clock: Clock | None = None, *, base: str = "") -> Mocks:
    """Build the region from a seed and open every source on it; writes the kit and the parking file under `state`.

    `base`: where all this will be served; then what is not reached over HTTP listens too, on a port of its own.

    Raises credentials.KitIncomplete when `state/credentials` is damaged.
    """
    clock = clock or system_clock
    issuer = Issuer(state, lambda: clock().timestamp())
    authority = Authority(state)  # before the kit: who waits for the kit finds the authority's root too
    packages = Packages(state.resolve(), clock, listen=bool(base))  # likewise
    if base:
        packages.stand_at(base)
    credentials = kit.ensure(state.resolve())
    world, board = World.build(seed, lambda: clock().astimezone(_BRUSSELS).date()), Board(seed)
    sources = {prefix: _open(room, world, credentials, clock) for prefix, room in ROOMS.items()}
    sources["tsa"] = Tsa(authority)
    package = parking.build(world, credentials, clock)
    board.watch("parking", package.apply)
    mocks = Mocks(world, credentials, board, sources, package)
    mocks.open("oidc", Door(issuer, lambda: [(one.ssin, one.title_en) for one in world.personas.values() if one.ssin]))
    mocks.open("packages", packages)
    for name, vouching in open_all(lambda: clock().timestamp()).items():
        mocks.open(name, IamDoor(vouching))
    return mocks


def _open(room: str, world: World, credentials: Credentials, clock: Clock) -> App:
    app: App = import_module(f"mock_sources.sources.{room}").build(world, credentials, clock)
    return app
