"""What the routes about callers share: who asks, a strict body, an answer that is never kept, and a trace id told."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import orjson
from fastapi import Request, Response
from sqlalchemy.exc import SQLAlchemyError

from integrator.api.body import read_json
from integrator.api.certificates import SHOWN
from integrator.api.headers import bearer
from integrator.api.hub import Verified
from integrator.api.limits import InFlight, Limits
from integrator.errors import HubError, Issue, MalformedRequest, UnknownCaller
from integrator.logs import log
from integrator.model import Caller


class RegisterSilent(HubError):
    """A register of the hub (staff, enrolment) could not be read or written: neither a yes nor a no."""

    code, where, retryable = "REGISTER_SILENT", "H1", True
    advice = "A register of the hub does not answer. Ask again after Retry-After."
    retry_after: int = 5


class Counter:
    """The counter in front of the routes: one for a hub."""

    def __init__(self, verify: Callable[..., Verified], limits: Limits) -> None:
        self._verify, self._limits = verify, limits
        self._flight = InFlight(limits)  # apart from questions: looking at one's rights takes no place of those

    @contextmanager
    def caller(self, request: Request) -> Iterator[Caller]:
        """Whose token came with a request, for as long as the request is worked on.

        Raises `UnknownCaller`, `TooManyRequests` (of one application, as many at once as it may ask questions), and
        `RegisterSilent` for what the work itself met in a database.
        """
        token = bearer(dict(request.scope["headers"]))
        if token is None:
            raise UnknownCaller("no access token", problem="noAccessToken")
        found: Caller = self._verify(token, request.scope.get(SHOWN)).caller
        self._flight.enter(found.application)
        try:
            yield found
        except SQLAlchemyError as error:
            log.error("register_silent", error=type(error).__name__)
            raise RegisterSilent("a register of the hub") from error
        finally:
            self._flight.leave(found.application)

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
