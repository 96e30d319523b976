"""Where scenarios play: sources and hub as programs of their own, packages at work beside them, applications enrolled."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import quote

from connectors.client import Hub, Problem
from integrator import clock, settings
from integrator.commands import apps, mock, sandbox
from integrator.commands.sandbox import Sandbox
from integrator.commands.scenario.screen import Screen
from integrator.commands.scenario.script import Scenario
from integrator.errors import ConfigurationError

_KNOWN_WITHIN = 10.0  # seconds: the hub looks for new applications once a second


@dataclass(slots=True)
class Stage:
    """What every step may use."""

    running: Sandbox
    settings: settings.Settings
    file: Path  # of these settings, for command lines
    keys: Path
    known: dict[str, Any] = field(default_factory=dict)  # people, and what steps kept
    kept: dict[str, Any] = field(default_factory=dict)  # what waited in each package's quarantine before the case
    mark: Mapping[str, int] = field(default_factory=dict)  # how long each shard of the ledger was before the case
    _clients: dict[tuple[str, str], Hub] = field(default_factory=dict)

    @property
    def today(self) -> date:
        return clock.today(clock.system())

    def folder(self, adapter: str, way: str) -> Path:
        """`in` or `out` of a package, which the hub shares with it."""
        path = Path(self.settings.adapters["folders"]) / adapter / way
        path.mkdir(parents=True, exist_ok=True)
        return path

    def client(self, application: str, purpose: str) -> Hub:
        found = self._clients.get((application, purpose))
        if found is None:
            path = self.keys / f"{application}.jwk"
            found = self._clients[application, purpose] = Hub.from_key(path, purpose=purpose, url=self.running.hub)
            _wait_until_known(found)
        return found

    def client_of(self, agent: str, application: str, purpose: str) -> Hub:
        """For one of the invented staff, signed in once: what ends his token ends this. Raises `Problem`."""
        found = self._clients.get((f"{application}/{agent}", purpose))
        if found is None:
            vouched = mock.call("POST", f"{self.running.mocks}/iam/token", {"person": agent})
            found = self.client(application, purpose).for_agent(vouched["id_token"])
            self._clients[f"{application}/{agent}", purpose] = found
        return found

    def sign_out(self) -> None:
        """Nobody sits at a screen."""
        for key in [key for key in self._clients if "/" in key[0]]:
            self._clients.pop(key).close()

    def enrol(self, scenario: Scenario) -> None:
        """Those that are not yet: scenarios on one stage may share an application."""
        for name, one in scenario.applications.items():
            path = self.keys / f"{name}.jwk"
            if not path.exists():
                apps.create(self.settings, name, one["organisation"], list(one["purposes"]), path)

    def meet(self, scenario: Scenario) -> None:
        """Find the people of a scenario among the mocks' own. Raises `ConfigurationError`."""
        for name, query in scenario.people.items():
            found = mock.call("GET", f"{self.running.mocks}/mock/personas?limit=1&find={quote(query, safe='')}")[
                "items"
            ]
            if not found:
                raise ConfigurationError(f"{scenario.name}: the mocks know nobody for {name}: {query}")
            self.known[name] = found[0]

    def close(self) -> None:
        for one in self._clients.values():
            one.close()


@contextlib.contextmanager
def stage(state: Path, scenarios: Sequence[Scenario], screen: Screen) -> Iterator[Stage]:
    """One sandbox for all of them, with every package that any of them needs."""
    adapters = sorted({name for one in scenarios for name in one.adapters})
    chosen = {
        "adapters": {"run": adapters, "pauseSeconds": 0.2},
        "delivery": {"firstRetrySeconds": 1, "longestRetrySeconds": 2},
    }
    with _own_settings(), sandbox.running(state, hub_port=0, mock_port=0, settings=chosen) as running:
        file = state / "settings.yaml"
        keys = state / "keys-of-applications"
        keys.mkdir(exist_ok=True, mode=0o700)
        ready = Stage(running, settings.load(file), file, keys, {"hub": running.hub})
        screen.running(running)
        try:
            yield ready
        finally:
            ready.close()


@contextlib.contextmanager
def _own_settings() -> Iterator[None]:
    """What was set in the shell for another hub is not for this one."""
    mine = [name for name in os.environ if name.startswith("INTEGRATOR_") and name != "INTEGRATOR_HOME"]
    kept = {name: os.environ.pop(name) for name in mine}
    try:
        yield
    finally:
        os.environ.update(kept)


def _wait_until_known(client: Hub) -> None:
    deadline = time.monotonic() + _KNOWN_WITHIN
    while True:
        try:
            client.token()
            return
        except Problem as problem:
            if problem.type != "oauth:invalid_client" or time.monotonic() > deadline:
                raise
        time.sleep(0.1)
