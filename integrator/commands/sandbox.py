"""Starts the mock sources and the hub as programs of their own on loopback, and stops them; used by the demo and benches."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from integrator.commands import mock
from integrator.errors import ConfigurationError

_PATIENCE = 60.0  # seconds until a program must be ready, on a busy machine too


@dataclass(slots=True)
class Sandbox:
    """Addresses of what runs, and where its logs are."""

    hub: str
    mocks: str
    state: Path
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    hub_words: list[str] = field(default_factory=list)  # how its hub was started

    def stop(self) -> None:
        """Ask each to finish what it accepted; insist after ten seconds."""
        for process in reversed(self.processes):
            process.terminate()
        for process in reversed(self.processes):
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def crash(self) -> None:
        """The hub dies as in a power cut, and is started again on what it left."""
        hub = self.processes.pop()
        hub.kill()
        hub.wait()
        start(self, "hub-again", self.hub_words, f"{self.hub}/readyz")


@contextlib.contextmanager
def running(
    state: Path,
    *,
    hub_port: int = 8080,
    mock_port: int = 8090,
    ledger: str | None = None,
    settings: Mapping[str, Any] | None = None,
) -> Iterator[Sandbox]:
    """Both programs, ready to be asked. A taken port is replaced by a free one.

    `settings`: what the hub's settings say beside state, port and mocks; they then lie in <state>/settings.yaml.
    """
    state.mkdir(parents=True, exist_ok=True)
    hub_port, mock_port = free_port(hub_port), free_port(mock_port)
    sandbox = Sandbox(f"http://127.0.0.1:{hub_port}", f"http://127.0.0.1:{mock_port}", state)
    try:
        mocks = launch(sandbox, "mocks", mock.command(state / "mock", mock_port))
        _until(
            lambda: (state / "mock" / "credentials").is_dir(), sandbox, "mocks", mocks
        )  # what the hub needs to begin
        arguments = ["serve", "--port", str(hub_port), "--state", str(state), "--mocks", sandbox.mocks]
        if settings is not None:
            file = state / "settings.yaml"
            told = {"mode": "sandbox", "state": str(state), "port": hub_port, "mocks": sandbox.mocks, **settings}
            file.write_text(yaml.safe_dump(told), encoding="utf-8")
            arguments += ["--settings", str(file)]
        sandbox.hub_words = command(*arguments, *(["--ledger", ledger] if ledger else []))
        hub = launch(sandbox, "hub", sandbox.hub_words)
        _until(lambda: _answers(f"{sandbox.mocks}/mock/health"), sandbox, "mocks", mocks)
        _until(lambda: _answers(f"{sandbox.hub}/readyz"), sandbox, "hub", hub)
        yield sandbox
    finally:
        sandbox.stop()


def command(*words: str) -> list[str]:
    """The hub's own command line, by this interpreter; -P keeps a stray module of the working directory out."""
    return [sys.executable, "-P", "-m", "integrator.cli", *words]


def start(sandbox: Sandbox, name: str, words: list[str], ready: str) -> subprocess.Popen[bytes]:
    """Start one program and wait until it answers at `ready`. Raises `ConfigurationError` with the end of its log."""
    process = launch(sandbox, name, words)
    _until(lambda: _answers(ready), sandbox, name, process)
    return process


def launch(sandbox: Sandbox, name: str, words: list[str]) -> subprocess.Popen[bytes]:
    """Start one program; what it prints goes to <state>/<name>.log."""
    with (sandbox.state / f"{name}.log").open("wb") as output:
        process = subprocess.Popen(words, stdout=output, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
    sandbox.processes.append(process)
    return process


def _until(ready: Callable[[], bool], sandbox: Sandbox, name: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        if ready():
            return
        time.sleep(0.03)
    log = sandbox.state / f"{name}.log"
    raise ConfigurationError(
        f"{name} did not start; its log ({log}) ends with:\n{log.read_text(errors='replace')[-2000:]}"
    )


def free_port(wished: int) -> int:
    """The wished port when nobody has it, else any free one."""
    for port in (wished, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise ConfigurationError("no free port on loopback")


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=1) as reply:  # noqa: S310
            return bool(reply.status == 200)
    except (urllib.error.URLError, OSError):
        return False
