"""/audit/v1/reveals: asking for the name of an agent and granting it, for programs; the same two people.

    GET  /audit/v1/reveals               what was asked and decided
    POST /audit/v1/reveals               {"shard", "index", "reason", "days"}
    POST /audit/v1/reveals/{id}/grant    {}
    POST /audit/v1/reveals/{id}/refuse   {"why"}

While it is open, `/audit/v1/details` of that entry tells who asked for it the name.
"""

from __future__ import annotations

from typing import Any

import orjson
from fastapi import APIRouter, Request, Response

from integrator.consoles.api import Body, Current
from integrator.consoles.reveals.opener import Opener
from integrator.consoles.reveals.store import Reveal
from integrator.consoles.rights import NothingThere
from integrator.consoles.telling import iso
from integrator.consoles.web import Consoles
from integrator.errors import Issue, MalformedRequest

_ASKING = {"shard": str, "index": int, "reason": str, "days": int}


def router(consoles: Consoles, current: Current, body: Body) -> APIRouter:
    """Routes over the opener of these consoles."""
    routes = APIRouter(prefix="/audit/v1/reveals")

    def opener() -> Opener:
        found = consoles.extras.get("reveals")
        if not isinstance(found, Opener):
            raise NothingThere
        return found

    @routes.get("")
    async def all_(request: Request) -> Response:
        person = await current(request)
        return _json({"items": [_told(one, consoles.now()) for one in await opener().all(person)]})

    @routes.post("")
    async def ask(request: Request) -> Response:
        person: Any = await current(request)
        asked = dict(await body(request))
        if set(asked) - set(_ASKING) or any(type(value) is not _ASKING[name] for name, value in asked.items()):
            raise MalformedRequest(Issue("schemaViolation", "body", "/", "takes shard, index, reason and days"))
        if not {"shard", "index", "reason"} <= set(asked):
            raise MalformedRequest(Issue("requiredInput", "body", "/", "add shard, index and reason"))
        made = await opener().ask(
            person, person.name, asked["shard"], asked["index"], asked["reason"], asked.get("days", 7)
        )
        return _json(_told(made, consoles.now()), 201)

    @routes.post("/{id}/{step}")
    async def decide(id: str, step: str, request: Request) -> Response:
        person: Any = await current(request)
        asked = await body(request)
        if step == "grant":
            return _json(_told(await opener().grant(person, person.name, id), consoles.now()))
        if step == "refuse":
            return _json(
                _told(await opener().refuse(person, person.name, id, str(asked.get("why", ""))), consoles.now())
            )
        raise NothingThere

    return routes


def _told(one: Reveal, now: float) -> dict[str, Any]:
    told = {
        "id": one.id, "shard": one.shard, "index": one.index, "organisation": one.org, "state": one.state, "days": one.days,
        "askedBy": one.asked_name, "askedAt": iso(one.asked_at * 1_000_000), "reason": one.reason, "decidedBy": one.decided_name,
        "until": iso(one.until * 1_000_000) if one.until else None, "open": one.open(now),
    }  # fmt: skip
    return {name: value for name, value in told.items() if value is not None}


def _json(answer: dict[str, Any], status: int = 200) -> Response:
    return Response(orjson.dumps(answer), status, {"cache-control": "no-store"}, "application/json")
