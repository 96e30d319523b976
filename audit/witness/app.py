"""A witness over HTTP: `POST /add-checkpoint`, `GET /<origin hash>/checkpoint`, `GET /livez`. Plain ASGI.

>>> from audit.witness.app import app                       # uvicorn runs `app(witness)`
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from audit.witness.request import MAX_BODY
from audit.witness.witness import TEXT, Reply, Witness

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_MONITOR = re.compile(r"/([0-9a-f]{64})/checkpoint")


def app(witness: Witness) -> App:
    """The ASGI application of one witness."""

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise RuntimeError("only HTTP is spoken here")
        await _say(send, await _answer(witness, scope["method"], scope["path"], receive))

    return serve


async def _answer(witness: Witness, method: str, path: str, receive: Receive) -> Reply:
    monitored = _MONITOR.fullmatch(path)
    if path == "/add-checkpoint":
        if method != "POST":
            return Reply(405, TEXT, b"POST only\n")
        body = await _body(receive)
        if body is None:
            return Reply(400, TEXT, b"the request is too long, or was cut off\n")
        return await asyncio.to_thread(witness.add_checkpoint, body)
    if monitored and method in ("GET", "HEAD"):
        return await asyncio.to_thread(witness.checkpoint, monitored[1])
    if path == "/livez":
        return Reply(200, TEXT, b"up\n")
    return Reply(404, TEXT, b"here are: POST /add-checkpoint, GET /<origin hash>/checkpoint\n")


async def _body(receive: Receive) -> bytes | None:
    """The whole body, or None when it is over the limit or the caller left."""
    parts, size = [], 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > MAX_BODY:
            return None
        if not message.get("more_body"):
            return b"".join(parts)


async def _say(send: Send, reply: Reply) -> None:
    headers = [(b"content-type", reply.content_type.encode()), (b"content-length", b"%d" % len(reply.body))]
    if reply.status == 405:
        headers.append((b"allow", b"POST"))
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": reply.body})
