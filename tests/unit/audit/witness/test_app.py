"""The witness over HTTP: paths, methods, and bodies that are too long or cut off."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator

import httpx
import pytest

from audit.witness.app import app
from audit.witness.request import MAX_BODY
from audit.witness.witness import Witness
from tests.unit.audit.witness.conftest import ORIGIN, Log


@pytest.fixture
async def http(witness: Witness) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app(witness))
    async with httpx.AsyncClient(transport=transport, base_url="http://witness.invalid") as client:
        yield client


async def test_a_checkpoint_is_cosigned_and_a_conflict_has_the_media_type_of_the_protocol(
    http: httpx.AsyncClient, log: Log
) -> None:
    log.grow_to(5)

    first = await http.post("/add-checkpoint", content=log.request(0, 5))
    again = await http.post("/add-checkpoint", content=log.request(0, 5))

    assert 200 == first.status_code and first.text.startswith("— ")
    assert (409, "text/x.tlog.size", b"5\n") == (again.status_code, again.headers["content-type"], again.content)


async def test_a_monitor_reads_what_was_cosigned(http: httpx.AsyncClient, log: Log) -> None:
    path = f"/{hashlib.sha256(ORIGIN.encode()).hexdigest()}/checkpoint"
    before = await http.get(path)
    note = log.grow_to(5)
    reply = await http.post("/add-checkpoint", content=log.request(0, 5))

    assert 404 == before.status_code
    assert note + reply.content == (await http.get(path)).content


async def test_what_is_not_offered_is_said_so(http: httpx.AsyncClient) -> None:
    statuses = [
        (await http.get("/add-checkpoint")).status_code,
        (await http.post("/sign-subtree", content=b"x")).status_code,
        (await http.get("/")).status_code,
        (await http.get(f"/{'G' * 64}/checkpoint")).status_code,
    ]

    assert [405, 404, 404, 404] == statuses


async def test_a_body_without_end_is_refused_before_it_is_read_whole(http: httpx.AsyncClient) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while sent < 100 * MAX_BODY:
            sent += 8192
            yield bytes(8192)

    assert 400 == (await http.post("/add-checkpoint", content=endless())).status_code
    assert sent < 3 * MAX_BODY


async def test_a_caller_who_leaves_in_the_middle_changes_nothing(witness: Witness, log: Log) -> None:
    log.grow_to(5)
    messages = iter(
        [{"type": "http.request", "body": log.request(0, 5), "more_body": True}, {"type": "http.disconnect"}]
    )
    told: list[int] = []

    async def receive() -> dict[str, object]:
        return next(messages)

    async def send(message: dict[str, object]) -> None:
        told.extend([message["status"]] if "status" in message else [])  # type: ignore[list-item]

    scope = {"type": "http", "method": "POST", "path": "/add-checkpoint"}
    await app(witness)(scope, receive, send)  # type: ignore[arg-type]

    assert [400] == told
    assert 200 == witness.add_checkpoint(log.request(0, 5)).status
