"""The few lines of ASGI that every mock shares: read a body, answer bytes, answer a belgif problem.

Plain callables on purpose: load benches run through these, and a framework would cost more than the answer.
"""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any
from urllib.parse import parse_qsl

import orjson

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Headers = Iterable[tuple[bytes, bytes]]

JSON, PROBLEM = b"application/json", b"application/problem+json"
BELGIF = "urn:problem-type:belgif:"
ISSUE = "urn:problem-type:belgif:input-validation:"

TITLES = {
    "badRequest": "Bad Request",
    "noAccessToken": "No Access Token",
    "invalidAccessToken": "Invalid Access Token",
    "expiredAccessToken": "Expired Access Token",
    "resourceNotFound": "Resource Not Found",
    "methodNotAllowed": "Method Not Allowed",
    "payloadTooLarge": "Payload Too Large",
    "unsupportedMediaType": "Unsupported Media Type",
    "tooManyRequests": "Too Many Requests",
    "internalServerError": "Internal Server Error",
    "serviceUnavailable": "Service Unavailable",
}


class BodyTooLarge(Exception):
    """The caller sent more than this source reads; nothing of it was kept."""


async def read_body(receive: Receive, limit: int) -> bytes:
    """The whole request body, in bytes; raises BodyTooLarge past `limit`, ConnectionError when the caller left."""
    parts, size = [], 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ConnectionError("the caller left before its body was complete")
        part = message.get("body", b"")
        size += len(part)
        if size > limit:
            raise BodyTooLarge(f"more than {limit} bytes")
        parts.append(part)
        if not message.get("more_body"):
            return b"".join(parts)


async def respond(
    send: Send, status: int, body: bytes = b"", content_type: bytes = JSON, headers: Headers = ()
) -> None:
    """Send one whole answer; Content-Length is always set (0 for 204, as MAGDA's mock does)."""
    every = [(b"content-type", content_type), (b"content-length", b"%d" % len(body)), *headers]
    await send({"type": "http.response.start", "status": status, "headers": every})
    await send({"type": "http.response.body", "body": body})


async def respond_json(send: Send, status: int, document: object, headers: Headers = ()) -> None:
    """Send one JSON document."""
    await respond(send, status, orjson.dumps(document), JSON, headers)


def problem(status: int, kind: str, detail: str, issues: Iterable[dict[str, Any]] = ()) -> dict[str, Any]:
    """A belgif problem (RFC 9457) as a document; `kind` is the last part of its URN.

    >>> problem(404, "resourceNotFound", "no such street")["type"]
    'urn:problem-type:belgif:resourceNotFound'
    """
    document: dict[str, Any] = {
        "type": BELGIF + kind,
        "href": f"https://www.belgif.be/specification/rest/api-guide/problems/{kind}.html",
        "title": TITLES[kind],
        "status": status,
        "detail": detail,
        "instance": f"urn:uuid:{uuid.uuid4()}",
    }
    found = list(issues)
    if found:
        document["issues"] = found
    return document


def issue(kind: str, where: str, name: str, detail: str) -> dict[str, str]:
    """One entry of a problem's `issues`. The refused value is left out: it may be somebody's number."""
    return {"type": ISSUE + kind, "in": where, "name": name, "detail": detail}


async def respond_problem(send: Send, document: dict[str, Any], headers: Headers = ()) -> None:
    """Send a problem document under its own status."""
    await respond(send, document["status"], orjson.dumps(document), PROBLEM, headers)


def header(scope: Scope, name: bytes) -> bytes | None:
    """The first header of that lower-case name, or None."""
    for key, value in scope["headers"]:
        if key == name:
            return bytes(value)
    return None


def query_pairs(scope: Scope) -> list[tuple[str, str]]:
    """The query string as decoded pairs, in order, blanks kept."""
    return parse_qsl(scope["query_string"].decode("ascii"), keep_blank_values=True)
