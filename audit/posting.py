"""One bounded HTTP POST or GET to an outside witness or time stamping authority, from a thread of our own.

Off every caller's path, so plain urllib: no redirect is followed (a witness that moved is told to its operator), no
answer longer than `limit` is read, and `timeout` is for the whole exchange, not for each read.
"""

from __future__ import annotations

import http.client
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit

_CHUNK = 16_384


class Unreachable(Exception):
    """No whole answer came: refused, reset, too slow or too long. The text is for operators; it names no body."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: status, media type in lower case without parameters, body."""

    status: int
    content_type: str
    body: bytes


class Send(Protocol):
    """How an outside party is asked; tests pass another one."""

    def __call__(
        self, url: str, body: bytes | None, content_type: str, *, timeout: float, limit: int = 262_144
    ) -> Answer:
        """POST `body` (GET when None). Raises Unreachable; any HTTP status is an answer."""
        ...


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        return None


# No proxy of the environment: like the hub's sources, outsiders are reached where settings say they are.
_OPENER = urllib.request.build_opener(_NoRedirect, urllib.request.ProxyHandler({}))


def send(url: str, body: bytes | None, content_type: str, *, timeout: float, limit: int = 262_144) -> Answer:
    """The Send of production. Only http and https: a configured file: or ftp: address is Unreachable."""
    if urlsplit(url).scheme not in ("http", "https"):
        raise Unreachable("not an http(s) address")
    headers: Mapping[str, str] = {"Content-Type": content_type} if body is not None else {}
    request = urllib.request.Request(url, body, dict(headers), method="GET" if body is None else "POST")  # noqa: S310
    deadline = time.monotonic() + timeout
    try:
        with _OPENER.open(request, timeout=timeout) as answer:
            return _read(answer, deadline, limit)
    except urllib.error.HTTPError as error:
        with error:
            return _read(error, deadline, limit)
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise Unreachable(type(error).__name__) from error


def _read(answer: http.client.HTTPResponse | urllib.error.HTTPError, deadline: float, limit: int) -> Answer:
    parts, size = [], 0
    try:
        while part := answer.read1(_CHUNK):
            parts.append(part)
            size += len(part)
            if size > limit:
                raise Unreachable(f"answer longer than {limit} bytes")
            if time.monotonic() > deadline:
                raise Unreachable("answer slower than the time given")
    except (OSError, http.client.HTTPException) as error:
        raise Unreachable(type(error).__name__) from error
    promised = answer.headers.get("Content-Length")
    if promised is not None and promised.isdigit() and size < int(promised):
        raise Unreachable("the answer was cut off")  # read1 ends silently where read would complain
    kind = (answer.headers.get("Content-Type") or "").partition(";")[0].strip().lower()
    return Answer(int(answer.status or 0), kind, b"".join(parts))
