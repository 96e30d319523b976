"""Asking outsiders over HTTP: whole answers within time and size, or Unreachable; nothing in between."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from audit.posting import Answer, Unreachable, send
from mock_sources.server import running

KIND = "application/x"


async def outsider(scope: Any, receive: Any, send: Any) -> None:
    """Answers as its path says."""
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    status, headers, said = 200, [(b"content-type", b"Text/Plain; charset=utf-8")], body or b"nothing was sent"
    match scope["path"]:
        case "/refuse":
            status = 422
        case "/elsewhere":
            status, headers = 302, [(b"location", b"/ok")]
        case "/long":
            said = b"x" * 5000
        case "/slow":
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            for _ in range(100):
                await send({"type": "http.response.body", "body": b"x", "more_body": True})
                await asyncio.sleep(0.05)
            said = b""
    if scope["path"] != "/slow":
        await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": said})


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with running(outsider) as base:
        yield base


@pytest.fixture
def raw() -> Iterator[Any]:
    """A server that answers every connection with the given bytes, then hangs up."""
    opened = socket.create_server(("127.0.0.1", 0))
    answers: list[bytes] = []

    def serve() -> None:
        connection, _ = opened.accept()
        with connection:
            connection.recv(4096)
            connection.sendall(answers[0])

    thread = threading.Thread(target=serve, daemon=True)

    def answer(data: bytes) -> str:
        answers.append(data)
        thread.start()
        return f"http://127.0.0.1:{opened.getsockname()[1]}/"

    yield answer
    opened.close()
    thread.join(5)


def test_a_body_is_posted_and_its_answer_comes_back_whole(url: str) -> None:
    assert Answer(200, "text/plain", b"\x00body") == send(f"{url}/ok", b"\x00body", KIND, timeout=5)
    assert b"nothing was sent" == send(f"{url}/ok", None, "", timeout=5).body


def test_a_refusal_is_an_answer(url: str) -> None:
    assert 422 == send(f"{url}/refuse", b"x", KIND, timeout=5).status


def test_a_redirect_is_an_answer_and_is_not_followed(url: str) -> None:
    assert 302 == send(f"{url}/elsewhere", b"x", KIND, timeout=5).status


def test_a_proxy_of_the_environment_is_not_asked(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")

    assert 200 == send(f"{url}/ok", b"x", KIND, timeout=5).status


def test_too_long_an_answer_is_not_read_to_its_end(url: str) -> None:
    assert 5000 == len(send(f"{url}/long", b"x", KIND, timeout=5, limit=5000).body)
    with pytest.raises(Unreachable, match="longer"):
        send(f"{url}/long", b"x", KIND, timeout=5, limit=4999)


def test_an_answer_that_drips_is_given_up_though_it_never_pauses(url: str) -> None:
    with pytest.raises(Unreachable, match="slower"):
        send(f"{url}/slow", b"x", KIND, timeout=0.3)


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"rubbish\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhal",
        b"HTTP/1.1 422 No\r\nContent-Length: 10\r\n\r\nhalf",
    ],
    ids=["nothing", "rubbish", "cut off", "cut off in a chunk", "refusal cut off"],
)
def test_what_is_no_whole_answer_is_unreachable(answer: bytes, raw: Any) -> None:
    with pytest.raises(Unreachable):
        send(raw(answer), b"x", KIND, timeout=5)


def test_nobody_there_is_unreachable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(Unreachable):
        send(f"http://127.0.0.1:{port}/", b"x", KIND, timeout=5)


@pytest.mark.parametrize("address", ["file:///etc/passwd", "ftp://x/", "", "tsa.example", "http://"])
def test_only_http_addresses_are_asked(address: str) -> None:
    with pytest.raises(Unreachable):
        send(address, None, "", timeout=5)
