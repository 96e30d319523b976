"""POST /directory/v1/registrations/bulk: many rows in one body, each of them an exchange of its own.

Each row is decided and recorded as if it had come alone, so that everybody finds the registration of their own file. The
answer says of each row what it came to, or what is wrong with it: nothing of a row is repeated but its position.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import orjson
from fastapi import APIRouter, Response
from fastapi import Request as HttpRequest

from integrator.api.body import read_json
from integrator.api.certificates import SHOWN
from integrator.api.headers import bearer, language, new_trace
from integrator.api.hub import Hub, Verified
from integrator.api.limits import Limits
from integrator.api.problems import Problems
from integrator.errors import IntegratorError, Issue, MalformedRequest, PolicyDenied, UnknownCaller
from integrator.logs import log
from integrator.model import Request, Trace

PATH = "/directory/v1/registrations/bulk"
MOST = 200  # rows of one body; a body has a limit of its own, too
TOGETHER = 8  # rows under way at once, of one body
_ACTIONS = {"register": "directory.register", "unregister": "directory.unregister"}
_PROPERTIES = {"action", "isAtomic", "registrations"}

Item = dict[str, Any]


class Bulk:
    """One body: its rows read, tried where all must be good, then asked."""

    def __init__(
        self, hub: Hub, problems: Problems, who: Verified, headers: Mapping[bytes, bytes], outer: Trace
    ) -> None:
        self._hub, self._problems, self._who, self._outer = hub, problems, who, outer
        self._language = language(headers.get(b"accept-language", b""))

    async def answer(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """`items` in the order of the rows. Raises what concerns the body or the caller rather than one row."""
        service, rows, atomic = _read(body)
        read = [self._request(service, row) for row in rows]
        items: list[Item | None] = [self._bad(one, at) for at, one in enumerate(read)]
        if atomic and not any(items):
            tried = [_trial(one) for one in read if isinstance(one, Request)]
            items = [item if item and "problem" in item else None for item in await self._all(tried, items)]
        done = not (atomic and any(items))
        said = await self._all(read, items) if done else [item or {"line": at} for at, item in enumerate(items)]
        refused = sum("problem" in item for item in said)
        return {"isDone": done, "accepted": len(said) - refused if done else 0, "refused": refused, "items": said}

    async def _all(self, requests: list[Any], items: list[Item | None]) -> list[Item]:
        """Every row that is not judged yet, the first one alone: what refuses it for its caller refuses them all."""
        waiting = [at for at, item in enumerate(items) if item is None]
        if not waiting:
            return [item for item in items if item is not None]
        gate = asyncio.Semaphore(TOGETHER)
        first = await self._one(waiting[0], requests[waiting[0]], gate, alone=True)
        rest = await asyncio.gather(*(self._one(at, requests[at], gate) for at in waiting[1:]))
        found = dict(zip(waiting, (first, *rest), strict=True))
        return [item if item is not None else found[at] for at, item in enumerate(items)]

    async def _one(self, at: int, request: Request, gate: asyncio.Semaphore, *, alone: bool = False) -> Item:
        async with gate:
            try:
                answer = await self._hub.exchange.answer(request)
            except PolicyDenied as denied:
                if alone:  # whoever has no right has it for no row
                    raise
                return self._problem(at, denied, request.trace)
            except IntegratorError as error:
                return self._problem(at, error, request.trace)
        return {"line": at, "result": answer.body.get("result", "unchanged"), "traceId": request.trace.trace_id}

    def _request(self, name: str, row: Any) -> Request | IntegratorError:
        if not isinstance(row, dict):
            return MalformedRequest(Issue("schemaViolation", "body", "/", "send each registration as a JSON object"))
        try:
            bound = self._who.dossier
            question = self._hub.services[name].read({"dossierReference": bound, **row} if bound else row)
            if bound is not None and question.dossier != bound:
                raise MalformedRequest(
                    Issue("equalExpected", "body", "/dossierReference", "the token is bound to another case")
                )
        except MalformedRequest as error:
            return error
        trace = new_trace({b"belgov-trace-id": self._outer.trace_id.encode()})
        return Request(
            name, self._who.caller, question.keys, trace, question.fields, question.dossier, language=self._language
        )

    def _bad(self, one: Request | IntegratorError, at: int) -> Item | None:
        return self._problem(at, one, self._outer) if isinstance(one, IntegratorError) else None

    def _problem(self, at: int, error: IntegratorError, trace: Trace) -> Item:
        rendered = self._problems.render(error, trace)
        if rendered.status == 500:
            log.error("exchange_failed", error=type(error).__name__, trace=trace.trace_id)
        return {"line": at, "problem": orjson.loads(rendered.body), "traceId": trace.trace_id}


def router(hub: Hub, problems: Problems, limits: Limits) -> APIRouter:
    """The one route; not there where the hub offers no directory (tests of other hubs)."""
    routes = APIRouter()
    if not set(_ACTIONS.values()) <= set(hub.services):
        return routes

    @routes.post(PATH)
    async def bulk(request: HttpRequest) -> Response:
        headers = dict(request.scope["headers"])
        token = bearer(headers)
        if token is None:
            raise UnknownCaller("no access token", problem="noAccessToken")
        who = hub.identity.verify(token, request.scope.get(SHOWN))
        body = await read_json(headers, request.scope["integrator.inlet"], limits)
        answer = await Bulk(hub, problems, who, headers, request.scope["integrator.trace"]).answer(body)
        return Response(orjson.dumps(answer), media_type="application/json")

    return routes


def _trial(request: Request) -> Request:
    return replace(request, keys={**request.keys, "isTrial": True}, trace=new_trace({}))


def _read(body: Mapping[str, Any]) -> tuple[str, list[Any], bool]:
    """(service, rows, all or nothing). Raises `MalformedRequest`."""
    rows, action, atomic = body.get("registrations"), body.get("action", "register"), body.get("isAtomic", False)
    issues = []
    if set(body) - _PROPERTIES:
        issues.append(Issue("unknownInput", "body", "/", f"only {', '.join(sorted(_PROPERTIES))}"))
    if not isinstance(action, str) or action not in _ACTIONS:
        issues.append(Issue("invalidInput", "body", "/action", f"one of {', '.join(_ACTIONS)}"))
    if not isinstance(atomic, bool):
        issues.append(Issue("schemaViolation", "body", "/isAtomic", "send true or false"))
    if not isinstance(rows, list) or not 1 <= len(rows) <= MOST:
        issues.append(Issue("outOfRange", "body", "/registrations", f"a list of 1 to {MOST} registrations"))
    if issues:
        raise MalformedRequest(*issues)
    return _ACTIONS[str(action)], list(rows or ()), bool(atomic)
