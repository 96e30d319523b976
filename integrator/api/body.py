"""A request body, read once: capped while it streams, within one deadline, and only as strict JSON.

Nothing here repeats a byte of what was sent: issues name the place and the remedy.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from integrator.api.limits import Limits
from integrator.errors import Issue, MalformedRequest
from integrator.strict_json import NotStrict, loads

Receive = Callable[[], Awaitable[Any]]
Headers = Mapping[bytes, bytes]


class Inlet:
    """`receive` of one request, remembering whether the body is over: after that, asking again would wait for ever."""

    __slots__ = ("_receive", "arrived", "over")

    def __init__(self, receive: Receive, arrived: Callable[[], bool] | None = None) -> None:
        """`arrived` says whether all of the body is there: then nobody has to wait for it, nor to count the time."""
        self._receive = receive
        self.over = False
        self.arrived = arrived

    async def __call__(self) -> Any:
        message = await self._receive()
        if not message.get("more_body", False):
            self.over = True  # the last piece, or nobody there any more
        return message


class ClientGone(Exception):
    """The caller hung up before the question was complete: there is nobody to answer, and nothing was asked."""


async def read_json(headers: Headers, receive: Receive, limits: Limits) -> dict[str, Any]:
    """The JSON object of a request. Raises `MalformedRequest` (400, 408, 413, 415) or `ClientGone`."""
    check_kind(headers, b"application/json")
    data = await read_bytes(headers, receive, limits)
    if not data:
        raise _refused("schemaViolation", "the body is empty: send a JSON object")
    try:
        return loads(data, depth=limits.body_depth)
    except NotStrict as error:
        raise _refused("schemaViolation", str(error)) from None


def check_kind(headers: Headers, wanted: bytes) -> None:
    """Content type and coding. Raises `MalformedRequest` (415)."""
    kind = headers.get(b"content-type", b"")
    if kind != wanted and not _same_kind(kind, wanted):
        raise _refused(
            "schemaViolation", f"send Content-Type: {wanted.decode()}", where="header", name="Content-Type", status=415
        )
    coding = headers.get(b"content-encoding")
    if coding is not None and coding.strip().lower() not in (b"", b"identity"):
        raise _refused(
            "schemaViolation", "send the body without compression", where="header", name="Content-Encoding", status=415
        )


def _same_kind(sent: bytes, wanted: bytes) -> bool:
    """RFC 9110 §8.3: case does not matter; of parameters only `charset=utf-8` may be there."""
    kind, _, parameters = sent.partition(b";")
    words = parameters.replace(b'"', b"").strip().lower()
    return kind.strip().lower() == wanted and words in (b"", b"charset=utf-8")


async def read_bytes(headers: Headers, receive: Receive, limits: Limits) -> bytes:
    """The whole body, capped and deadlined. Raises `MalformedRequest` (408, 413) or `ClientGone`."""
    length = headers.get(b"content-length")
    if length is not None and int(length) > limits.body_bytes:  # the parser let digits through only
        raise _too_large(limits)
    if isinstance(receive, Inlet) and receive.arrived is not None and receive.arrived():
        return await _read(receive, limits)
    try:
        async with asyncio.timeout(limits.body_seconds):
            return await _read(receive, limits)
    except TimeoutError:
        raise _refused(
            "schemaViolation", f"the body was not complete within {limits.body_seconds:g} seconds", status=408
        ) from None


async def _read(receive: Receive, limits: Limits) -> bytes:
    message = await receive()
    if message["type"] == "http.disconnect":
        raise ClientGone
    data: bytes = message.get("body", b"")
    if not message.get("more_body", False):
        if len(data) > limits.body_bytes:
            raise _too_large(limits)
        return data
    parts, size = [data], len(data)
    while message.get("more_body", False):
        if size > limits.body_bytes:
            raise _too_large(limits)
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        parts.append(message.get("body", b""))
        size += len(parts[-1])
    if size > limits.body_bytes:
        raise _too_large(limits)
    return b"".join(parts)


async def drain(headers: Headers, inlet: Inlet, limits: Limits) -> bool:
    """Throw a body away before an early answer, so that the caller can read it; bounded in bytes and seconds.

    True when the body is gone and the connection may live on; False when it must be closed after the answer.
    """
    if inlet.over:
        return True
    if b"expect" in headers:
        return False  # the caller waits for our word before it sends: our word is no
    if b"transfer-encoding" not in headers:
        length = int(headers.get(b"content-length", b"0"))
        if length == 0:
            return True
        if length > limits.early_bytes:
            return False
    size = 0
    try:
        async with asyncio.timeout(limits.early_seconds):
            while size <= limits.early_bytes:
                message = await inlet()
                if message["type"] == "http.disconnect":
                    return False
                if not message.get("more_body", False):
                    return True
                size += len(message.get("body", b""))
    except TimeoutError:
        return False
    return False


def _too_large(limits: Limits) -> MalformedRequest:
    return _refused(
        "outOfRange", f"at most {limits.body_bytes} bytes", status=413, extra=(("maximum", limits.body_bytes),)
    )


def _refused(
    kind: str,
    advice: str,
    *,
    where: str = "body",
    name: str = "/",
    status: int = 400,
    extra: tuple[tuple[str, Any], ...] = (),
) -> MalformedRequest:
    return MalformedRequest(Issue(kind, where, name, advice, extra), status=status)
