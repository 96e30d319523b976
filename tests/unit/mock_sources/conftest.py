"""In-process calls to a mock (`ask`), a clock that stands still, the published contracts where they lie beside us."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlencode

import pytest

CONTRACTS = Path(__file__).resolve().parents[3].parent / "shared" / "contracts"


@dataclass
class Answered:
    """What a mock answered."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def json(self) -> Any:
        return json.loads(self.body)


Ask = Callable[..., Answered]


@pytest.fixture
def ask() -> Ask:
    """ask(app, method, path, query=…, headers=…, body=…, fault=…) -> Answered, without a socket."""

    def call(
        app: Any,
        method: str,
        path: str,
        *,
        query: dict[str, str] | Iterable[tuple[str, str]] = (),
        headers: dict[str, str] | None = None,
        body: bytes = b"",
        fault: str | None = None,
    ) -> Answered:
        scope = {
            "type": "http",
            "method": method,
            "path": unquote(path),
            "raw_path": path.encode(),
            "root_path": "",
            "query_string": urlencode(dict(query) if isinstance(query, dict) else list(query)).encode(),
            "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in (headers or {}).items()],
        }
        if fault is not None:
            scope["mock.fault"] = fault
        return asyncio.run(_converse(app, scope, body))

    return call


async def _converse(app: Any, scope: dict[str, Any], body: bytes) -> Answered:
    answered = Answered(0)

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            answered.status = message["status"]
            answered.headers = {name.decode(): value.decode("latin-1") for name, value in message["headers"]}
        else:
            answered.body += message.get("body", b"")

    await app(scope, receive, send)
    return answered


class StillClock:
    """A clock that moves only when told."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **much: float) -> None:
        self.now += timedelta(**much)


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


@pytest.fixture
def contracts() -> Path:
    """The published contracts; the test is skipped where they do not lie beside the checkout."""
    if not CONTRACTS.is_dir():
        pytest.skip("the published contracts are not beside this checkout")
    return CONTRACTS


@pytest.fixture(scope="session")
def world() -> Any:
    """The whole region, derived; nothing in it is loaded, so sharing one is only a matter of half a second."""
    from mock_sources.world import World

    return World.build(7, lambda: date(2026, 11, 23))
