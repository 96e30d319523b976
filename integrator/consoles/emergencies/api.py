"""/audit/v1/emergencies: the same for programs, with the same rights.

GET  /audit/v1/emergencies                what passed a condition, newest first
POST /audit/v1/emergencies/{id}/confirm   {}
POST /audit/v1/emergencies/{id}/reject    {}
"""

from __future__ import annotations

from typing import Any

import orjson
from fastapi import APIRouter, Request, Response

from integrator.consoles.api import Body, Current
from integrator.consoles.emergencies.second import SecondPersons
from integrator.consoles.rights import NothingThere
from integrator.consoles.telling import iso
from integrator.consoles.web import Consoles
from integrator.emergency import Emergency
from integrator.errors import Issue, MalformedRequest


def router(consoles: Consoles, current: Current, body: Body) -> APIRouter:
    """Routes over the second persons of these consoles."""
    routes = APIRouter(prefix="/audit/v1/emergencies")

    def office() -> SecondPersons:
        found = consoles.extras.get("emergencies")
        if not isinstance(found, SecondPersons):
            raise NothingThere
        return found

    @routes.get("")
    async def all_(request: Request) -> Response:
        person: Any = await current(request)
        return _json({"items": [told(one) for one in await office().known(person)]})

    @routes.post("/{id}/{step}")
    async def decide(id: str, step: str, request: Request) -> Response:
        person: Any = await current(request)
        if await body(request):
            raise MalformedRequest(Issue("schemaViolation", "body", "/", "send an empty object"))
        if step not in ("confirm", "reject"):
            raise NothingThere
        return _json(told(await office().decide(person, id, confirmed=step == "confirm")))

    return routes


def told(one: Emergency) -> dict[str, Any]:
    """As JSON. Agent and justification stand sealed in the ledger: whoever may open them there reads them there."""
    shown = {
        "id": one.id, "traceId": one.trace, "organisation": one.organisation, "application": one.application,
        "purpose": one.purpose, "service": one.service, "broken": one.broken, "at": _iso(one.at), "due": _iso(one.due),
        "state": one.state, "second": one.second, "decidedAt": _iso(one.decided), "escalatedAt": _iso(one.escalated),
        "entry": f"{one.shard}/{one.place}" if one.shard else None,
    }  # fmt: skip
    return {name: value for name, value in shown.items() if value is not None}


def _iso(moment: float | None) -> str | None:
    return None if moment is None else iso(int(moment * 1_000_000))


def _json(answer: dict[str, Any]) -> Response:
    return Response(orjson.dumps(answer), 200, {"cache-control": "no-store"}, "application/json")
