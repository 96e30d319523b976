"""What the routes about callers share: who asks, a strict body, an answer that is never kept, and a trace id told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from fastapi import Request, Response

from integrator.api.body import read_json
from integrator.api.certificates import SHOWN
from integrator.api.headers import bearer
from integrator.api.hub import Hub, Verified
from integrator.api.limits import Limits
from integrator.errors import Issue, MalformedRequest, UnknownCaller


class Counter:
    """The counter in front of the routes: one for a hub."""

    def __init__(self, hub: Hub, limits: Limits) -> None:
        self._hub, self._limits = hub, limits

    def who(self, request: Request) -> Verified:
        """Whose token came with a request. Raises `UnknownCaller`."""
        token = bearer(dict(request.scope["headers"]))
        if token is None:
            raise UnknownCaller("no access token", problem="noAccessToken")
        return self._hub.identity.verify(token, request.scope.get(SHOWN))

    async def body(self, request: Request) -> dict[str, Any]:
        """A bounded, strict JSON object. Raises `MalformedRequest`, `ClientGone`."""
        if request.scope["query_string"]:
            raise MalformedRequest(Issue("unknownInput", "query", "query", "this address reads its body only"))
        return await read_json(dict(request.scope["headers"]), request.scope["integrator.inlet"], self._limits)

    @staticmethod
    def trace(request: Request) -> str:
        """The trace id that the answer carries."""
        return str(request.scope["integrator.trace"].trace_id)


def only(body: Mapping[str, Any], needed: frozenset[str], optional: frozenset[str] = frozenset()) -> None:
    """Raises `MalformedRequest` unless the body has these members and no others."""
    issues = [Issue("requiredInput", "body", f"/{name}", "is wanted") for name in sorted(needed - body.keys())]
    if body.keys() - needed - optional:
        told = ", ".join(sorted(needed | optional)) or "nothing"
        issues.append(Issue("unknownInput", "body", "/", f"this address takes {told}"))
    if issues:
        raise MalformedRequest(*issues)


def answer(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """JSON that nobody keeps."""
    return Response(orjson.dumps(body), status, {"cache-control": "no-store", **(headers or {})}, "application/json")
