"""/audit/v1/contests: contests for programs, with the rights of the person behind the token.

GET  /audit/v1/contests                  a citizen's own; an officer's those of the organisation
POST /audit/v1/contests                  {"shard", "index", "kind", "words"}: a citizen contests a line of his own
POST /audit/v1/contests/{id}/withdraw    {}             the citizen
POST /audit/v1/contests/{id}/take        {}             the officer
POST /audit/v1/contests/{id}/answer      {"answer"}     the officer
"""

from __future__ import annotations

from typing import Any

import orjson
from fastapi import APIRouter, Request, Response

from integrator.consoles.api import Body, Current
from integrator.consoles.citizen.contests import KINDS, Contest, Contests
from integrator.consoles.people import Person
from integrator.consoles.rights import LookRefused, NothingThere
from integrator.consoles.telling import iso
from integrator.consoles.web import Consoles
from integrator.errors import Issue, MalformedRequest

_OFFICERS = frozenset({"dpo", "hub_dpo"})
_CONTEST = {"shard": str, "index": int, "kind": str, "words": str}
_STEPS: dict[str, dict[str, type]] = {"withdraw": {}, "take": {}, "answer": {"answer": str}}


def router(consoles: Consoles, current: Current, body: Body) -> APIRouter:
    """Routes over the contests of these consoles."""
    routes = APIRouter(prefix="/audit/v1/contests")
    contests = Contests(consoles.database, consoles.vault, consoles.desk, consoles.now)

    @routes.get("")
    async def all_(request: Request) -> Response:
        person: Any = await current(request)
        if person.roles & _OFFICERS or person.subject is None:  # an officer reads his own at the pages
            return _json({"items": [_told(one) for one in await contests.at(office_of(person))]})
        return _json({"items": [_told(one) for one in await contests.of(contests.tag(person.subject))]})

    @routes.post("")
    async def contest(request: Request) -> Response:
        person: Any = await current(request)
        asked = _only(dict(await body(request)), _CONTEST)
        if asked["kind"] not in KINDS:
            raise MalformedRequest(Issue("rejectedInput", "body", "/kind", f"one of {', '.join(KINDS)}"))
        place = {"shard": asked["shard"], "index": asked["index"]}
        found = await consoles.desk.look(person, "details", role="citizen", **place)
        if found is None:
            raise NothingThere
        return _json(_told(await contests.begin(person, found[0], asked["kind"], asked["words"])), 201)

    @routes.post("/{id}/{step}")
    async def take(id: str, step: str, request: Request) -> Response:
        person: Any = await current(request)
        if step not in _STEPS:
            raise NothingThere
        asked = _only(dict(await body(request)), _STEPS[step])
        if step == "withdraw":
            if person.subject is None:
                raise LookRefused("NOT_YOUR_QUESTION")
            found = await contests.find(id, tag=contests.tag(person.subject))
        else:
            found = await contests.find(id, org=office_of(person))
        if found is None:
            raise NothingThere
        if step == "withdraw":
            return _json(_told(await contests.withdraw(found, person)))
        if step == "take":
            return _json(_told(await contests.take(found, person.id, role_of(person))))
        return _json(_told(await contests.answer(found, person.id, role_of(person), asked["answer"])))

    return routes


def office_of(person: Person) -> str | None:
    """Whose contests an officer answers: of one organisation, or everybody's for the hub's own. Raises `LookRefused`."""
    if "hub_dpo" in person.roles:
        return None
    if not person.roles & _OFFICERS or person.org is None:
        raise LookRefused("NOT_YOUR_QUESTION")
    return person.org


def role_of(person: Person) -> str:
    return "hub_dpo" if "hub_dpo" in person.roles else "dpo"


def _only(asked: dict[str, Any], shape: dict[str, type]) -> dict[str, Any]:
    if set(asked) != set(shape) or any(type(asked[name]) is not kind for name, kind in shape.items()):
        raise MalformedRequest(Issue("schemaViolation", "body", "/", f"takes {', '.join(shape) or 'nothing'}"))
    return asked


def _told(one: Contest) -> dict[str, Any]:
    told = {
        "id": one.id, "number": one.number, "kind": one.kind, "state": one.state, "shard": one.shard, "index": one.index,
        "time": iso(one.ts), "service": one.service, "organisation": one.org, "words": one.words or None,
        "opened": one.opened.isoformat(), "due": one.due.isoformat(), "closed": one.closed.isoformat() if one.closed else None,
        "answer": one.answer or None,
    }  # fmt: skip
    return {name: value for name, value in told.items() if value is not None}


def _json(answer: dict[str, Any], status: int = 200) -> Response:
    return Response(orjson.dumps(answer), status, {"cache-control": "no-store"}, "application/json")
