"""/audit/v1/mandates: mandates for programs of officers; the same proof, the same entries. Numbers come in and never go out.

GET  /audit/v1/mandates            those of one's organisation
POST /audit/v1/mandates            {"holder", "person", "kind", "scope", "ends", "reason"}
POST /audit/v1/mandates/{id}/end   {}
"""

from __future__ import annotations

from datetime import date
from typing import Any

import orjson
from fastapi import APIRouter, Request, Response

from audit import Subject
from integrator.consoles.api import Body, Current
from integrator.consoles.mandates.store import Mandate, MandateRefused, Mandates
from integrator.consoles.people import Person
from integrator.consoles.rights import LookRefused, NothingThere
from integrator.consoles.web import Consoles
from integrator.errors import Issue, MalformedRequest
from integrator.keytypes import compile_key

TAKES = ("holder", "person", "kind", "scope", "ends", "reason")
_OFFICERS = frozenset({"dpo", "hub_dpo"})


def router(consoles: Consoles, current: Current, body: Body) -> APIRouter:
    """Routes over the mandates of these consoles."""
    routes = APIRouter(prefix="/audit/v1/mandates")
    mandates = Mandates(consoles.database, consoles.vault, consoles.desk, consoles.now)

    async def officer(request: Request) -> Any:
        person = await current(request)
        if not person.roles & _OFFICERS:
            raise LookRefused("NOT_YOUR_QUESTION")
        return person

    @routes.get("")
    async def all_(request: Request) -> Response:
        person: Person = await officer(request)
        return _json({"items": [_told(one, mandates) for one in await mandates.given_at(person)]})

    @routes.post("")
    async def give(request: Request) -> Response:
        person: Person = await officer(request)
        asked = dict(await body(request))
        if set(asked) != set(TAKES) or not isinstance(asked["scope"], list):
            raise MalformedRequest(Issue("schemaViolation", "body", "/", f"takes {', '.join(TAKES)}"))
        try:
            holder, whom = (_subject(consoles, asked[name], name) for name in ("holder", "person"))
            ends = date.fromisoformat(str(asked["ends"]))
            words = str(asked["reason"])
            made = await mandates.give(
                person, holder, whom, str(asked["kind"]), list(map(str, asked["scope"])), ends, words
            )
        except MandateRefused as error:
            raise MalformedRequest(Issue("rejectedInput", "body", f"/{error.reason.lower()}", error.advice)) from error
        except ValueError as error:
            raise MalformedRequest(Issue("schemaViolation", "body", "/ends", "a day such as 2027-01-31")) from error
        return _json(_told(made, mandates), 201)

    @routes.post("/{id}/end")
    async def end(id: str, request: Request) -> Response:
        person: Person = await officer(request)
        found = await mandates.find(person, id)
        if found is None:
            raise NothingThere
        await mandates.end(found, person)
        return _json(_told(await mandates.find(person, id) or found, mandates))

    return routes


def _subject(consoles: Consoles, number: Any, name: str) -> Subject:
    named = consoles.extras.get("named_numbers", frozenset()) if consoles.sandbox else None
    return Subject("nrn", str(compile_key(name, {"type": "ssin"}, sandbox=named).read(number, "/" + name)))


def _told(one: Mandate, mandates: Mandates) -> dict[str, Any]:
    told = {"id": one.id, "kind": one.kind, "state": mandates.state(one), "scope": sorted(one.scope), "ends": one.ends.isoformat(), "organisation": one.org,
            "ended": one.ended.isoformat() if one.ended else None}  # fmt: skip
    return {name: value for name, value in told.items() if value is not None}


def _json(answer: dict[str, Any], status: int = 200) -> Response:
    return Response(orjson.dumps(answer), status, {"cache-control": "no-store"}, "application/json")
