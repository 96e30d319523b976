"""The ASGI layer in front of every source: counts the call, lets the set fault strike, else steps aside.

A fault on the body starts from the source's true answer, so a truncated file is half of what would have come.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from mock_sources.asgi import App, Message, Receive, Scope, Send, header, problem, respond, respond_problem
from mock_sources.faults import FAMILIES, Board, Fault, UnknownFault, parse_scenario
from mock_sources.server import TRANSPORT

SCENARIO = b"integrator-test-scenario"
_HOUSEKEEPING = {"/oauth/token": "token", "/REST/oauth/v5/token": "token", "/health": "health"}
_SOAP = ("rr", "ksz", "kbo")
_RETRY_AFTER = (b"retry-after", b"2")
_DRIPS = 50
_GARBAGE = b"\x00<{"  # a NUL is neither JSON nor XML, wherever it lands


@dataclass(slots=True)
class Count:
    """How often a source was called. Counts only: what was asked is kept nowhere."""

    requests: int = 0  # everything that reached the source's door
    questions: int = 0  # the same without tokens and health
    struck: int = 0  # calls on which a fault struck


@dataclass(slots=True)
class Answer:
    """A source's answer, caught on its way out."""

    status: int = 0
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes = b""

    async def catch(self, message: Message) -> None:
        """Stands where the server's `send` would."""
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], list(message["headers"])
        else:
            self.body += message.get("body", b"")

    def start(self, length: int, content_type: bytes | None = None) -> Message:
        """The opening message for a body of that length, type replaced where given."""
        kept = [pair for pair in self.headers if pair[0] != b"content-length"]
        if content_type is not None:
            kept = [pair for pair in kept if pair[0] != b"content-type"] + [(b"content-type", content_type)]
        return {
            "type": "http.response.start",
            "status": 200 if self.status == 204 else self.status,  # a 204 has no body to be broken
            "headers": [*kept, (b"content-length", b"%d" % length)],
        }


class FaultLayer:
    """One source behind its door. `count` is read by the admin API."""

    def __init__(self, app: App, source: str, board: Board) -> None:
        self._app, self._source, self._board = app, source, board
        self.count = Count()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count, draw a fault, and either pass the call on or let the fault act."""
        place = _HOUSEKEEPING.get(scope["path"], "service")
        self.count.requests += 1
        self.count.questions += place == "service"
        try:
            fault = self._fault(scope, place)
        except UnknownFault as error:
            await respond_problem(send, problem(400, "badRequest", str(error)))
            return
        if fault is None:
            await self._app(scope, receive, send)
            return
        self.count.struck += 1
        await self._strike(fault, scope, receive, send)

    def _fault(self, scope: Scope, place: str) -> Fault | None:
        """The header's fault goes before the board's; tokens are struck only by a fault set `at` them."""
        scenario = header(scope, SCENARIO)
        if scenario is not None and place != "token":
            named = parse_scenario(scenario.decode("latin-1"), self._source)
            if named is not None:
                return named
        return self._board.draw(self._source, "token" if place == "token" else "service")

    async def _strike(self, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
        if FAMILIES[fault.kind] == "semantic":
            scope["mock.fault"], scope["mock.variant"] = fault.kind, fault.variant
            await self._app(scope, receive, send)
        elif fault.kind in ("delay", "lognormal"):
            await asyncio.sleep(self._seconds(fault))
            await self._app(scope, receive, send)
        elif fault.kind == "hang":
            await _until_gone(receive)
        elif fault.kind == "reset":
            await _reset(scope, receive)
        elif fault.kind in ("http500", "http503"):
            await self._http_error(int(fault.kind[-3:]), send)
        else:
            answer = Answer()
            await self._app(scope, receive, answer.catch)
            await _MANGLED[fault.kind](fault, answer, scope, receive, send)

    def _seconds(self, fault: Fault) -> float:
        if fault.kind == "delay":
            return fault.milliseconds / 1000
        return fault.milliseconds / 1000 * math.exp(self._board.gauss(fault.sigma))

    async def _http_error(self, status: int, send: Send) -> None:
        """REST sources speak problem+json; in front of SOAP stands a gateway that answers in HTML."""
        headers = [_RETRY_AFTER] if status == 503 else []
        kind = "serviceUnavailable" if status == 503 else "internalServerError"
        document = problem(status, kind, "set by a mock fault")
        if self._source in _SOAP:
            page = f"<html><head><title>{document['title']}</title></head><body>{status}</body></html>"
            await respond(send, status, page.encode(), b"text/html", headers)
            return
        await respond_problem(send, document, headers)


async def _until_gone(receive: Receive) -> None:
    """Say nothing until the caller gives up (or the server stops and cancels us)."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def _reset(scope: Scope, receive: Receive) -> None:
    """Send a TCP RST where the server lets us reach the socket; elsewhere fail as the caller would see it."""
    transport = scope.get("extensions", {}).get(TRANSPORT)
    if transport is None:
        raise ConnectionResetError("fault: reset")
    transport.reset()
    await _until_gone(receive)


async def _empty(fault: Fault, answer: Answer, scope: Scope, receive: Receive, send: Send) -> None:
    await send(answer.start(0))
    await send({"type": "http.response.body", "body": b""})


async def _truncated(fault: Fault, answer: Answer, scope: Scope, receive: Receive, send: Send) -> None:
    """Promise the whole length, send half, hang up. Without a socket to close: half a body, honestly framed."""
    transport = scope.get("extensions", {}).get(TRANSPORT)
    body = answer.body or b"{}"
    half = body[: len(body) // 2]
    await send(answer.start(len(half) if transport is None else len(body)))
    await send({"type": "http.response.body", "body": half, "more_body": transport is not None})
    if transport is not None:
        transport.close()
        await _until_gone(receive)


async def _malformed(fault: Fault, answer: Answer, scope: Scope, receive: Receive, send: Send) -> None:
    middle = len(answer.body) // 2
    body = answer.body[:middle] + _GARBAGE + answer.body[middle:]
    await send(answer.start(len(body)))
    await send({"type": "http.response.body", "body": body})


async def _content_type(fault: Fault, answer: Answer, scope: Scope, receive: Receive, send: Send) -> None:
    """The true body under a false name: only a caller that reads the header notices."""
    await send(answer.start(len(answer.body), b"text/html; charset=iso-8859-1"))
    await send({"type": "http.response.body", "body": answer.body})


async def _drip(fault: Fault, answer: Answer, scope: Scope, receive: Receive, send: Send) -> None:
    """The true answer, a few bytes at a time: each gap is short, the whole is not."""
    await send(answer.start(len(answer.body)))
    size = max(1, -(-len(answer.body) // _DRIPS))
    pieces = [answer.body[at : at + size] for at in range(0, len(answer.body), size)]
    for piece in pieces:
        await send({"type": "http.response.body", "body": piece, "more_body": True})
        await asyncio.sleep(fault.milliseconds / 1000 / len(pieces))
    await send({"type": "http.response.body", "body": b""})


_MANGLED: dict[str, Callable[[Fault, Answer, Scope, Receive, Send], Awaitable[None]]] = {
    "empty": _empty,
    "truncated": _truncated,
    "malformed": _malformed,
    "content_type": _content_type,
    "drip": _drip,
}
