"""A posted form, read once and strictly: urlencoded, bounded in bytes, seconds and fields. Nothing of it is repeated."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from urllib.parse import parse_qsl

from starlette.requests import ClientDisconnect, Request

from integrator.errors import Issue, MalformedRequest

BYTES = 65_536
SECONDS = 10.0
FIELDS = 200
_KIND = "application/x-www-form-urlencoded"


class Form:
    """Fields by name. A field that was left empty is there, and empty."""

    def __init__(self, pairs: list[tuple[str, str]]) -> None:
        self._all: dict[str, list[str]] = {}
        for name, value in pairs:
            self._all.setdefault(name, []).append(value)

    def __getitem__(self, name: str) -> str:
        """The last value of a field, without the spaces around it; empty when it is not there."""
        return self._all.get(name, [""])[-1].strip()

    def raw(self, name: str) -> str:
        """As typed, for passwords."""
        return self._all.get(name, [""])[-1]

    def many(self, name: str) -> list[str]:
        """Every value of a field that may be ticked several times."""
        return list(self._all.get(name, ()))


async def read_form(request: Request) -> Form:
    """The form of a request. Raises `MalformedRequest` (400, 408, 413, 415)."""
    headers: Mapping[str, str] = request.headers
    if headers.get("content-type", "").partition(";")[0].strip().lower() != _KIND:
        raise _refused(f"send Content-Type: {_KIND}", 415)
    if int(headers.get("content-length", "0")) > BYTES:
        raise _refused(f"at most {BYTES} bytes", 413)
    data = b""
    try:
        async with asyncio.timeout(SECONDS):
            async for chunk in request.stream():
                data += chunk
                if len(data) > BYTES:
                    raise _refused(f"at most {BYTES} bytes", 413)
    except TimeoutError:
        raise _refused("the form was not complete in time", 408) from None
    except ClientDisconnect:
        raise _refused("the form was not complete", 400) from None
    try:
        text = data.decode("ascii")
        return Form(parse_qsl(text, keep_blank_values=True, max_num_fields=FIELDS, errors="strict"))
    except ValueError:  # also UnicodeDecodeError; never with its words, they hold what was typed
        raise _refused("the form cannot be read", 400) from None


def _refused(advice: str, status: int) -> MalformedRequest:
    return MalformedRequest(Issue("schemaViolation", "body", "/", advice), status=status)
