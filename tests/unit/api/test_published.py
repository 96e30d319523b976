"""Checkpoints are for everyone, tiles and entries for auditors; what is neither is not there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

LOG = "audit.hub.example/test/hub-1/2026"
PUBLIC = {
    "policy": b"log x\nquorum none\n",
    "policy.note": b"log x\n\n-- x\n",
    f"{LOG}/checkpoint": b"origin\n7\nroot\n",
    f"{LOG}/vkey": b"key\n",
    "audit.hub.example/test/anchor/timestamp/7-tsa.tsr": b"stamp",
    "audit.hub.example/test/anchor/witnessed/7": b"note",
}
PRIVATE = {
    f"{LOG}/tile/0/000.p/7": b"h" * 224,
    f"{LOG}/tile/1/x001/234": b"h",
    f"{LOG}/tile/entries/000.p/7": b"\0\2{}",
}


class Shelf:
    """What the hub would show; whoever says `Auditor: yes` is one."""

    def __init__(self) -> None:
        self.files = {**PUBLIC, **PRIVATE, f"{LOG}/anchored": b"secret"}

    def read(self, path: str) -> bytes:
        try:
            return self.files[path]
        except KeyError:
            raise FileNotFoundError(path) from None

    def bundle(self, origin: str, index: int, width: int) -> bytes:
        return self.read(f"{origin}/tile/entries/{index:03}.p/{width}")

    async def may_read(self, request: Any) -> bool:
        return request.headers.get("auditor") == "yes"


@pytest.fixture
def reader(make_hub: Callable[..., Any], caller: Callable[..., Any]) -> Any:
    from integrator.api.app import build

    hub = make_hub()
    hub.published = Shelf()
    return caller(build(hub).front)


@pytest.mark.parametrize("path", PUBLIC)
async def test_strangers_get_what_proves(reader: Any, path: str):
    answer = await reader("GET", f"/log/{path}")

    assert (200, PUBLIC[path]) == (answer.status, answer.body)


@pytest.mark.parametrize("path", PRIVATE)
async def test_strangers_do_not_get_what_tells(reader: Any, path: str):
    answer = await reader("GET", f"/log/{path}")

    assert 403 == answer.status
    assert b"console" in answer.body


@pytest.mark.parametrize("path", PRIVATE)
async def test_auditors_get_tiles_and_entries(reader: Any, path: str):
    answer = await reader("GET", f"/log/{path}", headers={"auditor": "yes"})

    assert (200, PRIVATE[path]) == (answer.status, answer.body)
    assert "immutable" in answer.headers["cache-control"]


@pytest.mark.parametrize(
    "path",
    [
        f"{LOG}/anchored", f"{LOG}/", LOG, "", "checkpoint", f"{LOG}/tile", f"{LOG}/tile/0/000.p/0", f"{LOG}/tile/0/00",
        f"{LOG}/checkpoint/more", "../signed/x", f"{LOG}/../../keys", f"{LOG}/timestamp/.hidden", f"{LOG}/tile/entries/009",
    ],
)  # fmt: skip
async def test_what_is_not_published_is_not_there(reader: Any, path: str):
    answer = await reader("GET", f"/log/{path}", headers={"auditor": "yes"})

    assert 404 == answer.status


async def test_a_hub_that_publishes_nothing_says_so(stranger: Any):
    assert 404 == (await stranger("GET", "/log/policy")).status
