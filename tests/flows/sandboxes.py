"""What these flows need beside the one sandbox of conftest.py: other hubs at the same mocks, and plain HTTP to a hub.

A second hub has a state of its own (keys, applications, ledger) and the first one's onboarding kit and parking file, so
that it can have other limits, another ledger, or be killed, without another region being started.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import orjson
import yaml

from connectors.client import Hub, Problem
from integrator import settings
from integrator.commands import apps, mock, sandbox
from integrator.commands.sandbox import Sandbox
from integrator.errors import ConfigurationError

SOURCES = ("rr", "ksz", "kbo", "div", "best", "dimona", "cadastre", "debts_receipts", "debts_postes", "debts_arrears", "parking")  # as the mocks name them
DEBTS = ("debts_receipts", "debts_postes", "debts_arrears")
CONNECTOR_OF = {"rr": "rijksregister", "parking": "parking_cards", **dict.fromkeys(DEBTS, "debts")}  # … and as the hub does, where that is another word
PATIENCE = 10.0  # seconds for a hub to end by itself


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer of the hub as it came over the wire."""

    status: int
    headers: httpx.Headers
    payload: bytes

    @property
    def body(self) -> Any:
        return orjson.loads(self.payload)

    @property
    def trace(self) -> str:
        return self.headers["belgov-trace-id"]

    @property
    def entries(self) -> list[int]:
        """Indices of the ledger entries that the answer names."""
        return [int(index) for index in self.headers["integrator-ledger-entries"].rpartition("/")[2].split(",")]


@dataclass(slots=True)
class Callers:
    """Applications enrolled at one hub: one for each organisation, for every purpose there is."""

    hub: str
    settings: settings.Settings
    keys: Path
    purposes: list[str]
    paths: dict[str, tuple[str, str]]  # service -> method, path
    _clients: dict[tuple[str, str], Hub] = field(default_factory=dict)
    _http: httpx.Client | None = None

    def client(self, purpose: str, organisation: str = "ixelles") -> Hub:
        """The vendors' client for a purpose; its organisation's application is enrolled at the first use."""
        known = self._clients.get((purpose, organisation))
        if known is None:
            key = self.keys / f"{organisation}.jwk"
            if not key.exists():
                apps.create(self.settings, f"test-{organisation}", organisation, self.purposes, key)
            known = self._clients[purpose, organisation] = Hub.from_key(key, purpose=purpose, url=self.hub)
            _wait_until_known(known)
        return known

    def ask(
        self, service: str, question: Mapping[str, Any], *, purpose: str, organisation: str = "ixelles", headers: Mapping[str, str] | None = None
    ) -> Reply:  # fmt: skip
        """Ask a service by its name; whatever comes back is returned, problems too."""
        method, path, body = self.request(service, question)
        return self.send(method, path, body, purpose=purpose, organisation=organisation, headers=headers)

    def request(self, service: str, question: Mapping[str, Any]) -> tuple[str, str, bytes | None]:
        """(method, path, body) of a question, keys that stand in the path put there."""
        method, path = self.paths[service]
        rest = dict(question)
        for name in [name for name in rest if "{" + name + "}" in path]:
            path = path.replace("{" + name + "}", str(rest.pop(name)))
        if method == "GET":
            query = str(httpx.QueryParams(rest))
            return method, f"{path}?{query}" if query else path, None
        return method, path, orjson.dumps(rest)

    def send(
        self, method: str, path: str, body: bytes | None, *, purpose: str, organisation: str = "ixelles", headers: Mapping[str, str] | None = None
    ) -> Reply:  # fmt: skip
        known = {
            "Authorization": f"Bearer {self.client(purpose, organisation).token()}",
            "Content-Type": "application/json",
        }
        if self._http is None:
            self._http = httpx.Client(base_url=self.hub, timeout=30.0, trust_env=False)
        answer = self._http.request(method, path, content=body, headers={**known, **(headers or {})})
        return Reply(answer.status_code, answer.headers, answer.content)

    def close(self) -> None:
        for one in self._clients.values():
            one.close()
        if self._http is not None:
            self._http.close()


def callers(running: Sandbox, chosen: settings.Settings, keys: Path) -> Callers:
    """Nobody is enrolled yet; services are found in the hub's own description."""
    described = httpx.get(f"{running.hub}/openapi.json", trust_env=False, timeout=30.0).json()
    paths = {
        operation["x-service"]: (method.upper(), path)
        for path, methods in described["paths"].items()
        for method, operation in methods.items()
        if "x-service" in operation
    }
    keys.mkdir(parents=True, exist_ok=True)
    return Callers(running.hub, chosen, keys, purposes(), paths)


def purposes() -> list[str]:
    return sorted(path.stem for path in (Path(__file__).resolve().parents[2] / "policies").glob("*.yaml"))


def _wait_until_known(client: Hub) -> None:
    """Applications are read again once a second: one that was enrolled just now is not known yet."""
    deadline = time.monotonic() + 10
    while True:
        try:
            client.token()
            return
        except Problem as problem:
            if problem.type != "oauth:invalid_client" or time.monotonic() > deadline:
                raise
        time.sleep(0.1)


# --- hubs beside the first one ----------------------------------------------------------------------------------------


@dataclass(slots=True)
class Beside:
    """A hub of one's own at the mocks of another sandbox: it can be ended, killed, and started again on what it left."""

    mocks: str
    state: Path
    port: int
    file: Path  # its settings
    settings: settings.Settings
    process: subprocess.Popen[bytes] | None = None
    _starts: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    @property
    def hub(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def running(self) -> Sandbox:
        return Sandbox(self.hub, self.mocks, self.state)

    def configure(self, **chosen: Any) -> None:
        """Other settings from its next start on, where they need to know its address or somebody else's."""
        told = yaml.safe_load(self.file.read_text(encoding="utf-8"))
        self.file.write_text(yaml.safe_dump({**told, **chosen}), encoding="utf-8")
        with plain_environment():
            self.settings = settings.load(self.file)

    def start(self) -> None:
        """Start it, and wait until it answers; each start has a log of its own."""
        name = f"hub-{next(self._starts)}"
        words = sandbox.command("serve", "--settings", str(self.file))
        with plain_environment():
            self.process = sandbox.start(self.running, name, words, f"{self.hub}/readyz")

    def end(self) -> int:
        """SIGTERM; the exit code. Fails after a while, and kills, so that nothing is left running."""
        return self.signal(signal.SIGTERM)

    def kill(self) -> int:
        return self.signal(signal.SIGKILL)

    def signal(self, number: signal.Signals) -> int:
        process, self.process = self.process, None
        if process is None:
            raise ConfigurationError("this hub is not running")
        process.send_signal(number)
        try:
            return process.wait(PATIENCE + 25)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()


@contextlib.contextmanager
def beside(first: Sandbox, state: Path, *, start: bool = True, **chosen: Any) -> Iterator[Beside]:
    """A second hub at the first one's mocks. `chosen`: what its settings file says beside state, port and mocks."""
    state.mkdir(parents=True)
    (state / "mock").symlink_to(first.state / "mock")
    port = sandbox.free_port(0)
    file = state / "settings.yaml"
    file.write_text(
        yaml.safe_dump({"state": str(state), "port": port, "mocks": first.mocks, **chosen}), encoding="utf-8"
    )
    with plain_environment():
        hub = Beside(first.mocks, state, port, file, settings.load(file))
    try:
        if start:
            hub.start()
        yield hub
    finally:
        if hub.process is not None:
            hub.end()


def strike(mocks: str, source: str, kind: str, **more: Any) -> None:
    """Make a source ill until it is healed."""
    mock.call("PUT", f"{mocks}/mock/faults/{source}", {"kind": kind, **more})


def heal(mocks: str, *sources: str) -> None:
    for source in sources or SOURCES:
        mock.call("DELETE", f"{mocks}/mock/faults/{source}")


def struck(mocks: str, source: str) -> int:
    """On how many calls a fault struck since the mocks were started."""
    return int(mock.call("GET", f"{mocks}/mock/requests/{source}")["struck"])


@contextlib.contextmanager
def plain_environment() -> Iterator[None]:
    """What a developer set for a hub of their own is not for the hubs of a test."""
    kept = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith("INTEGRATOR_")}
    os.environ["INTEGRATOR_MODE"] = "sandbox"
    try:
        yield
    finally:
        del os.environ["INTEGRATOR_MODE"]
        os.environ.update(kept)
