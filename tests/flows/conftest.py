"""A whole sandbox for tests: mock sources and hub as programs of their own on free ports of loopback.

One sandbox serves all flow tests of a test process; whoever makes a source ill does it with `fault`, which heals it
again. Each `ask` is an application of its own, enrolled while the hub runs, as a vendor would be.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from connectors.client import Hub, Problem
from integrator import settings
from integrator.commands import apps, mock, sandbox
from integrator.commands.sandbox import Sandbox
from tests.flows.ledgers import Book, book
from tests.flows.sandboxes import Callers, callers

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ("rr", "ksz", "kbo", "div", "best", "dimona", "cadastre", "debts_receipts", "debts_postes", "debts_arrears", "parking")  # as the mocks name them

Ask = Callable[..., Hub]
SetFault = Callable[..., None]


@pytest.fixture(scope="session")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """The sandbox, ready: `.hub` and `.mocks` are addresses, `.state` holds keys, ledger and logs."""
    with contextlib.ExitStack() as open_until_the_end:
        with _nobodys_settings():
            running = open_until_the_end.enter_context(
                sandbox.running(tmp_path_factory.mktemp("sandbox"), hub_port=0, mock_port=0)
            )
        yield running


@pytest.fixture(scope="session")
def hub_settings(hub: Sandbox) -> settings.Settings:
    """The settings the hub of `hub` runs with, for what reads its ledger or enrols applications."""
    port = int(hub.hub.rpartition(":")[2])
    with _nobodys_settings():
        return settings.load(None, mode="sandbox", state=str(hub.state), port=port, mocks=hub.mocks)


@contextlib.contextmanager
def _nobodys_settings() -> Iterator[None]:
    """What a developer set in the shell for a hub of their own is not for this one."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("STATE", "HOST", "PORT", "ISSUER", "LEDGER", "SHARD"):
            patch.delenv(f"INTEGRATOR_{name}", raising=False)
        patch.setenv("INTEGRATOR_MODE", "sandbox")
        yield


@pytest.fixture(scope="session")
def ask(hub: Sandbox, hub_settings: settings.Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ask]:
    """`ask(purpose, organisation="ixelles")`: the vendors' client of an application enrolled for just that."""
    folder = tmp_path_factory.mktemp("keys")
    clients: dict[tuple[str, str], Hub] = {}

    def client(purpose: str, organisation: str = "ixelles") -> Hub:
        known = clients.get((purpose, organisation))
        if known is None:
            name = f"test-{len(clients)}"
            apps.create(hub_settings, name, organisation, [purpose], folder / f"{name}.jwk")
            known = clients[purpose, organisation] = Hub.from_key(
                folder / f"{name}.jwk", purpose=purpose, url=hub.hub, timeout=30.0
            )
            _known_at_the_hub(known)
        return known

    yield client
    for one in clients.values():
        one.close()


@pytest.fixture(scope="session")
def doors(hub: Sandbox, hub_settings: settings.Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callers]:
    """Any service for any purpose over plain HTTP, where status, headers and bytes are what a test looks at."""
    known = callers(hub, hub_settings, tmp_path_factory.mktemp("callers"))
    yield known
    known.close()


@pytest.fixture(scope="session")
def ledger(hub_settings: settings.Settings) -> Iterator[Book]:
    """The ledger of `hub`, read from its store."""
    with book(hub_settings) as read:
        yield read


@pytest.fixture
def fault(hub: Sandbox) -> Iterator[SetFault]:
    """`fault("div", "reset", times=1)` makes a source ill until the end of the test."""

    def strike(source: str, kind: str, **more: Any) -> None:
        mock.call("PUT", f"{hub.mocks}/mock/faults/{source}", {"kind": kind, **more})

    yield strike
    heal(hub)


def heal(running: Sandbox) -> None:
    """Every source well again."""
    for source in SOURCES:
        mock.call("DELETE", f"{running.mocks}/mock/faults/{source}")


def _known_at_the_hub(client: Hub) -> None:
    """Applications are read again once a second: one that was enrolled just now is not known yet."""
    deadline = time.monotonic() + 5
    while True:
        try:
            client.token()
            return
        except Problem as problem:
            if problem.type != "oauth:invalid_client" or time.monotonic() > deadline:
                raise
        time.sleep(0.2)
