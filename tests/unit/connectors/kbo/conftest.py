"""One connector for all tests of the room (zeep reads its contract in a tenth of a second), with a send to exchange."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from connectors.kbo import build
from connectors.kbo.client import Kbo
from integrator.contract import HttpAnswer, Send, Tools
from tests.contract import cases as played


class Exchangeable:
    """A send that passes on to whatever the test put in."""

    send: Send

    async def __call__(self, *words: Any, **options: Any) -> HttpAnswer:
        return await self.send(*words, **options)


@pytest.fixture(scope="session")
def room(tmp_path_factory: pytest.TempPathFactory) -> tuple[Kbo, Exchangeable]:
    kit = tmp_path_factory.mktemp("kbo") / "kbo.json"
    kit.write_text(json.dumps({"username": "hub", "password": "kept-secret"}))
    send = Exchangeable()
    folder = played.ROOT / "connectors" / "kbo"
    return build(Tools("kbo", folder, {"credentials": str(kit)}, send, lambda: played.NOW, True)), send


@pytest.fixture
def with_send(room: tuple[Kbo, Exchangeable]) -> Callable[[Send], Kbo]:
    def give(send: Send) -> Kbo:
        room[1].send = send
        return room[0]

    return give
