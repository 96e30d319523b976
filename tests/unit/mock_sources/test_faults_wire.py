"""Faults on a real socket: what a client of a broken source sees on the wire."""

from __future__ import annotations

import asyncio
import json
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPResponse
from urllib.parse import urlsplit

import aiohttp
import pytest

from mock_sources.asgi import Receive, Scope, Send, respond
from mock_sources.faults import Board, Fault, parse_fault
from mock_sources.layer import FaultLayer
from mock_sources.server import running

BODY = json.dumps({"plate": "é" * 400}).encode()


async def honest(scope: Scope, receive: Receive, send: Send) -> None:
    """A source with one answer; it shows which semantic fault reached it."""
    fault = str(scope.get("mock.fault", "none")).encode()
    if scope["path"] == "/nothing":
        await respond(send, 204)
        return
    await respond(send, 200, BODY, headers=[(b"seen-fault", fault)])


@dataclass
class Source:
    """A served layer, its board, and ways to call it."""

    base: str
    board: Board
    layer: FaultLayer

    def raw(self, path: str = "/", headers: str = "") -> bytes:
        """Everything the wire gave until it closed."""
        place = urlsplit(self.base)
        with socket.create_connection((place.hostname, place.port), timeout=5) as line:
            request = f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{headers}\r\n"
            line.sendall(request.encode())
            received = b""
            while part := line.recv(65536):
                received += part
            return received

    def get(self, path: str = "/", **headers: str) -> HTTPResponse:
        return urllib.request.urlopen(urllib.request.Request(self.base + path, headers=headers), timeout=5)


@pytest.fixture(scope="module")
def served() -> Iterator[Source]:
    board = Board()
    layer = FaultLayer(honest, "div", board)
    with running(layer) as base:
        yield Source(base, board, layer)


@pytest.fixture
def source(served: Source) -> Iterator[Source]:
    yield served
    served.board.clear("div")


def test_healthy_source_answers_untouched(source: Source) -> None:
    with source.get() as answer:
        assert answer.read() == BODY
        assert "none" == answer.headers["seen-fault"]


def test_reset_is_a_real_tcp_reset(source: Source) -> None:
    source.board.put("div", Fault("reset"))

    with pytest.raises(ConnectionResetError):
        source.raw()


def test_reset_hits_a_kept_alive_connection_in_the_middle_of_its_life(source: Source) -> None:
    async def talk() -> bytes:
        async with aiohttp.ClientSession() as session:
            async with session.get(source.base) as first:
                body = await first.read()
            with pytest.raises(aiohttp.ClientConnectionError):
                await session.post(source.base, headers={"Integrator-Test-Scenario": "div.reset"})
            return body

    assert asyncio.run(talk()) == BODY


def test_reset_named_in_the_request_strikes_that_request_only(source: Source) -> None:
    with pytest.raises(ConnectionResetError):
        source.raw(headers="Integrator-Test-Scenario: div.reset\r\n")
    assert source.raw().endswith(BODY)


def test_truncated_promises_more_than_it_sends(source: Source) -> None:
    source.board.put("div", Fault("truncated"))
    head, _, body = source.raw().partition(b"\r\n\r\n")

    assert b"content-length: %d" % len(BODY) in head.lower()
    assert BODY[: len(BODY) // 2] == body


def test_malformed_is_whole_but_cannot_be_read(source: Source) -> None:
    source.board.put("div", Fault("malformed"))
    with source.get() as answer:
        body = answer.read()

    assert len(BODY) < len(body)
    with pytest.raises(ValueError):
        json.loads(body)


def test_malformed_no_content_still_breaks_something(source: Source) -> None:
    source.board.put("div", Fault("malformed"))
    with source.get("/nothing") as answer:
        assert (200, True) == (answer.status, len(answer.read()) > 0)


def test_empty_keeps_the_status_and_loses_the_body(source: Source) -> None:
    source.board.put("div", Fault("empty"))
    with source.get() as answer:
        assert (200, b"") == (answer.status, answer.read())


def test_content_type_lies_about_a_true_body(source: Source) -> None:
    source.board.put("div", Fault("content_type"))
    with source.get() as answer:
        assert ("text/html; charset=iso-8859-1", BODY) == (answer.headers["content-type"], answer.read())


@pytest.mark.parametrize(("kind", "status"), [("http500", 500), ("http503", 503)])
def test_http_errors_of_a_rest_source_are_problems(source: Source, kind: str, status: int) -> None:
    source.board.put("div", Fault(kind))
    with pytest.raises(urllib.error.HTTPError) as refused:
        source.get()
    with refused.value as answer:
        assert status == answer.code
        assert "application/problem+json" == answer.headers["content-type"]
        assert ("2" if status == 503 else None) == answer.headers["retry-after"]
        assert status == json.load(answer)["status"]


def test_hang_says_nothing_and_the_server_lives_on(source: Source) -> None:
    source.board.put("div", Fault("hang", times=1))
    place = urlsplit(source.base)
    with socket.create_connection((place.hostname, place.port), timeout=0.3) as line:
        line.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        with pytest.raises(TimeoutError):
            line.recv(1)
    with source.get() as answer:
        assert answer.read() == BODY


def test_drip_brings_the_true_body_in_many_pieces(source: Source) -> None:
    source.board.put("div", Fault("drip", ms=150))

    async def pieces() -> list[bytes]:
        async with aiohttp.ClientSession() as session, session.get(source.base) as answer:
            return [piece async for piece in answer.content.iter_any()]

    received = asyncio.run(pieces())
    assert b"".join(received) == BODY
    assert len(received) > 5


@pytest.mark.parametrize("kind", ["delay", "lognormal"])
def test_a_late_answer_is_still_the_true_one(source: Source, kind: str) -> None:
    source.board.put("div", parse_fault("div", {"kind": kind, "ms": 5}))
    with source.get() as answer:
        assert answer.read() == BODY


def test_semantic_faults_reach_the_source_itself(source: Source) -> None:
    with source.get("/", **{"Integrator-Test-Scenario": "div.wrong_subject"}) as answer:
        assert "wrong_subject" == answer.headers["seen-fault"]


def test_a_scenario_for_another_source_passes_by(source: Source) -> None:
    with source.get("/", **{"Integrator-Test-Scenario": "kbo.wrong_subject"}) as answer:
        assert "none" == answer.headers["seen-fault"]


def test_a_misspelled_scenario_is_a_loud_400(source: Source) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        source.get("/", **{"Integrator-Test-Scenario": "div.resett"})
    with refused.value as answer:
        assert 400 == answer.code


def test_tokens_are_not_counted_as_questions_nor_struck_by_a_service_fault(source: Source) -> None:
    source.board.put("div", Fault("http500"))
    before = (source.layer.count.requests, source.layer.count.questions)
    with source.get("/oauth/token") as answer:
        assert answer.read() == BODY

    assert (before[0] + 1, before[1]) == (source.layer.count.requests, source.layer.count.questions)
