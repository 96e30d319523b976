"""What the three accounting packages have in common: a fixed token, one door, JSON in. What they say is each one's own."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from typing import Any

import orjson

from mock_sources.asgi import BodyTooLarge, Receive, Scope, Send, header, problem, read_body, respond_problem
from mock_sources.world.identifiers import national_check

_LIMIT = 4_096


class Refused(Exception):
    """A question that this package does not take; `detail` never quotes it."""

    def __init__(self, status: int, kind: str, detail: str) -> None:
        super().__init__(kind)
        self.document = problem(status, kind, detail)


async def asked(
    scope: Scope, receive: Receive, *, token: str, door: str, members: Mapping[str, type]
) -> dict[str, Any]:
    """The question at the one door: exactly these members, of these types. Raises Refused; a stranger learns nothing more."""
    said = header(scope, b"authorization")
    if said is None:
        raise Refused(401, "noAccessToken", "Authorization: Bearer")
    if not hmac.compare_digest(said, b"Bearer " + token.encode()):
        raise Refused(401, "invalidAccessToken", "not a token of ours")
    if scope.get("mock.fault") == "throttled":
        raise Refused(429, "tooManyRequests", "too many questions at once")
    if scope["path"] != door:
        raise Refused(404, "resourceNotFound", "no such resource")
    if scope["method"] != "POST" or scope["query_string"]:
        raise Refused(405, "methodNotAllowed", "POST, and nothing in the address")
    if (header(scope, b"content-type") or b"").partition(b";")[0] != b"application/json":
        raise Refused(415, "unsupportedMediaType", "application/json")
    try:
        body = orjson.loads(await read_body(receive, _LIMIT))
    except (BodyTooLarge, orjson.JSONDecodeError):
        raise Refused(400, "badRequest", "no JSON") from None
    if (
        not isinstance(body, dict)
        or set(body) != set(members)
        or any(type(body[name]) is not kind for name, kind in members.items())
    ):
        raise Refused(400, "badRequest", f"exactly: {', '.join(members)}")
    return body


def number(said: str) -> str:
    """A national number whose check digits fit. Raises Refused."""
    if (
        len(said) != 11
        or not said.isascii()
        or not said.isdigit()
        or int(said[9:]) not in {national_check(int(said[:9]), year) for year in (1999, 2000)}
    ):
        raise Refused(400, "badRequest", "a national number of eleven digits, with its check digits")
    return said


async def refuse(send: Send, refused: Refused) -> None:
    await respond_problem(send, refused.document)
