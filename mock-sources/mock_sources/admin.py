"""The admin API under /mock: set and clear faults, count calls, find personas, see that the mocks are up.

It listens on loopback with the mocks and is no part of any source; whoever reaches it may break every source.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import orjson

from mock_sources.asgi import (
    BodyTooLarge,
    Receive,
    Scope,
    Send,
    header,
    problem,
    query_pairs,
    read_body,
    respond,
    respond_json,
    respond_problem,
)
from mock_sources.faults import KINDS, NAMES, Board, UnknownFault, parse_fault
from mock_sources.layer import Count

_BODY_LIMIT = 4096
_PERSONAS = 100

Facts = Callable[[], dict[str, Any]]
Find = Callable[[str, int], list[dict[str, Any]]]


class Admin:
    """ASGI callable for everything under /mock."""

    def __init__(self, board: Board, counts: Mapping[str, Count], facts: Facts, find: Find) -> None:
        self._board, self._counts, self._facts, self._find = board, counts, facts, find

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one admin request; a path or method that does not exist is a problem, never a silence."""
        method, parts = scope["method"], scope["path"].strip("/").split("/")
        match parts:
            case ["health"] if method == "GET":
                await respond_json(send, 200, {"status": "UP", **self._facts()})
            case ["personas"] if method == "GET":
                await self._personas(scope, send)
            case ["faults"] if method == "GET":
                await respond_json(send, 200, {"items": [self._shown(source) for source in KINDS]})
            case ["faults", name] if name in NAMES:
                await self._fault(method, NAMES[name], scope, receive, send)
            case ["requests"] if method == "GET":
                await respond_json(send, 200, {"items": [self._count(source) for source in self._counts]})
            case ["requests", name] if NAMES.get(name) in self._counts:
                await self._requests(method, NAMES[name], send)
            case _:
                await respond_problem(send, problem(404, "resourceNotFound", "see mock-sources/README.md for /mock"))

    async def _personas(self, scope: Scope, send: Send) -> None:
        """All personas, or those for whom `find` holds; the language of `find` is world/find.py's."""
        asked = dict(query_pairs(scope))
        try:
            limit = int(asked.get("limit", _PERSONAS))
            # A rare property may take seconds to find: the sources must go on answering meanwhile.
            items = await asyncio.to_thread(self._find, asked.get("find", ""), limit)
        except ValueError as error:
            await respond_problem(send, problem(400, "badRequest", str(error)))
            return
        await respond_json(send, 200, {"items": items, "total": len(items)})

    async def _fault(self, method: str, source: str, scope: Scope, receive: Receive, send: Send) -> None:
        if method == "PUT":
            await self._put(source, scope, receive, send)
        elif method == "DELETE":
            self._board.clear(source)
            await respond(send, 204)
        elif method == "GET":
            await respond_json(send, 200, self._shown(source))
        else:
            await _refuse_method(send, b"GET, PUT, DELETE")

    async def _put(self, source: str, scope: Scope, receive: Receive, send: Send) -> None:
        """JSON only: a web page open in a browser cannot send that here without being asked first (CORS)."""
        if not (header(scope, b"content-type") or b"").startswith(b"application/json"):
            await respond_problem(send, problem(415, "unsupportedMediaType", "send application/json"))
            return
        try:
            document = orjson.loads(await read_body(receive, _BODY_LIMIT))
            self._board.put(source, parse_fault(source, document))
        except (BodyTooLarge, orjson.JSONDecodeError, UnknownFault) as error:
            await respond_problem(send, problem(400, "badRequest", str(error)))
            return
        await respond_json(send, 200, self._shown(source))

    async def _requests(self, method: str, source: str, send: Send) -> None:
        if method == "DELETE":
            count = self._counts[source]
            count.requests = count.questions = count.struck = 0
            await respond(send, 204)
        elif method == "GET":
            await respond_json(send, 200, self._count(source))
        else:
            await _refuse_method(send, b"GET, DELETE")

    def _shown(self, source: str) -> dict[str, Any]:
        fault = self._board.get(source)
        shown: dict[str, Any] = {"source": source, "kinds": sorted(KINDS[source])}
        return shown if fault is None else {**shown, "fault": fault.as_document()}

    def _count(self, source: str) -> dict[str, Any]:
        count = self._counts[source]
        return {"source": source, "requests": count.requests, "questions": count.questions, "struck": count.struck}


async def _refuse_method(send: Send, allowed: bytes) -> None:
    await respond_problem(send, problem(405, "methodNotAllowed", "see Allow"), [(b"allow", allowed)])
