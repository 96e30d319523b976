"""/case/v1: an application says which of its organisation's cases are open, so that its looks can be explained.

POST /case/v1/cases/open    {"dossierReference": "IX-2026-17", "ssin": "…"}    ssin only where a case is about one person
POST /case/v1/cases/close   {"dossierReference": "IX-2026-17"}

The organisation is the token's: nobody speaks of another's cases, and another's are not told from none.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import orjson
from fastapi import APIRouter, Request, Response

from integrator.api.problems import EdgeRefusal
from integrator.errors import Issue, MalformedRequest
from integrator.keytypes import KeyType
from integrator.model import Caller
from integrator.watching.cases import State
from integrator.watching.desk import CaseDesk, Teller

Body = Callable[[Request], Awaitable[Mapping[str, Any]]]
Known = Callable[[Request], Caller]  # raises UnknownCaller
_REFERENCE, _NUMBER = "dossierReference", "ssin"


def router(desk: CaseDesk, caller: Known, body: Body, number: KeyType) -> APIRouter:
    """`number`: how a national number is read in this world (integrator.keytypes)."""
    routes = APIRouter(prefix="/case/v1/cases")

    @routes.post("/open")
    async def opened(request: Request) -> Response:
        teller = _teller(caller(request))
        asked = _read(await body(request), (_REFERENCE, _NUMBER))
        person = number.read(asked[_NUMBER], "/" + _NUMBER) if _NUMBER in asked else None
        return _told(asked[_REFERENCE], await desk.opened(teller, asked[_REFERENCE], person))

    @routes.post("/close")
    async def closed(request: Request) -> Response:
        teller = _teller(caller(request))
        asked = _read(await body(request), (_REFERENCE,))
        state = await desk.closed(teller, asked[_REFERENCE])
        if state is None:
            raise EdgeRefusal("resourceNotFound", "Your organisation never said that this case is open.")
        return _told(asked[_REFERENCE], state)

    return routes


def paths() -> dict[str, Any]:
    """Both, described for OpenAPI."""
    reference = {"type": "string", "pattern": r"^[\w./:-]{1,64}$", "examples": ["IX-2026-0017"]}
    ssin = {"type": "string", "pattern": r"^\d{11}$", "description": "Whose case it is, where it is one person's."}
    return {
        "/case/v1/cases/open": {"post": _operation("openCase", "Say that a case is open, or open again", {_REFERENCE: reference, _NUMBER: ssin})},
        "/case/v1/cases/close": {"post": _operation("closeCase", "Say that a case is closed", {_REFERENCE: reference})},
    }  # fmt: skip


def _operation(name: str, summary: str, properties: dict[str, Any]) -> dict[str, Any]:
    when = {"type": "string", "format": "date-time"}
    answer = {
        "type": "object", "required": [_REFERENCE, "status", "opened"],
        "properties": {_REFERENCE: properties[_REFERENCE], "status": {"type": "string", "enum": ["OPEN", "CLOSED"]}, "opened": when, "closed": when},
    }  # fmt: skip
    body = {"type": "object", "required": [_REFERENCE], "properties": properties, "additionalProperties": False}
    return {
        "operationId": name, "summary": summary, "tags": ["Cases"],
        "requestBody": {"required": True, "content": {"application/json": {"schema": body}}},
        "responses": {
            "200": {"description": "What is known of the case now.", "content": {"application/json": {"schema": answer}}},
            "default": {"$ref": "#/components/responses/Problem"},
        },
    }  # fmt: skip


def _teller(caller: Caller) -> Teller:
    return Teller(caller.organisation, caller.application, caller.agent)


def _read(asked: Mapping[str, Any], takes: tuple[str, ...]) -> dict[str, str]:
    issues = [
        Issue("unknownInput", "body", "/", f"takes {', '.join(takes)}") for name in asked if name not in takes
    ] + [
        Issue("schemaViolation", "body", f"/{name}", "text")
        for name in takes
        if not isinstance(asked.get(name, ""), str)
    ]
    if _REFERENCE not in asked:
        issues.append(Issue("requiredInput", "body", f"/{_REFERENCE}", "name the case"))
    if issues:
        raise MalformedRequest(*issues)
    return dict(asked)


def _told(reference: str, state: State) -> Response:
    told = {
        _REFERENCE: reference,
        "status": "CLOSED" if state.closed is not None else "OPEN",
        "opened": _iso(state.opened),
    }
    if state.closed is not None:
        told["closed"] = _iso(state.closed)
    return Response(orjson.dumps(told), media_type="application/json")


def _iso(micros: int) -> str:
    return datetime.fromtimestamp(micros / 1e6, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
