"""/agents/v1: who an agent is here, and what he delegates to a colleague. Asked with the agent's own exchanged token.

POST /agents/v1/me                    {}
POST /agents/v1/delegations           {"to": "a-…", "roles": ["…"], "until": "2026-12-24T18:00:00Z", "from"?: …}     201
POST /agents/v1/delegations/list      {}                     given and taken; with a token of HR: all of the organisation
POST /agents/v1/delegations/revoke    {"id": "d-…"}          by who gave it, who took it, or HR
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter, Request, Response

from integrator.agents.delegating import NotYours
from integrator.agents.model import Author, Delegation
from integrator.agents.office import Agents
from integrator.agents.scim.filters import as_moment
from integrator.api.callers import Counter, answer, only
from integrator.api.problems import EdgeRefusal
from integrator.errors import Issue, MalformedRequest, UnknownCaller
from integrator.model import Caller

_ID = re.compile(r"[a-z]-[a-z]{24}").fullmatch
_NOBODY = "Exchange the agent's own token at /oauth/token first: delegating needs to know who does it."


def router(agents: Agents, counter: Counter, now: Callable[[], float]) -> APIRouter:
    """Routes over delegations."""
    routes = APIRouter(prefix="/agents/v1")

    async def body(request: Request, *names: str, may: tuple[str, ...] = ()) -> Mapping[str, Any]:
        found = await counter.body(request)
        only(found, frozenset(names), frozenset(may))
        return found

    def whose(caller: Caller) -> str | None:
        """The agent himself; None for HR, who acts for the organisation."""
        return None if caller.purpose == agents.purpose and caller.agent is None else _himself(caller).agent

    @routes.post("/me")
    async def me(request: Request) -> Response:
        with counter.caller(request) as caller:
            one = _himself(caller)
            await body(request)
            told = {
                "id": one.agent, "organisation": one.organisation, "roles": sorted(one.roles), "unit": one.unit,
                "assurance": one.assurance, "mandate": one.mandate,
            }  # fmt: skip
            return answer({name: value for name, value in told.items() if value is not None})

    @routes.post("/delegations")
    async def delegate(request: Request) -> Response:
        with counter.caller(request) as caller:
            one = _himself(caller)
            said = await body(request, "to", "roles", "until", may=("from",))
            if not isinstance(said["to"], str) or not _ID(said["to"]):
                raise _wrong("/to", "the colleague's id, a-…")
            roles = said["roles"]
            if not isinstance(roles, list) or not all(isinstance(role, str) for role in roles):
                raise _wrong("/roles", "a list of roles")
            starts = _moment(said["from"], "/from") if "from" in said else None
            made = await agents.delegate(
                one.organisation, Author(one.application, one.agent), str(one.agent), said["to"], roles, starts, _moment(said["until"], "/until"),
            )  # fmt: skip
            return answer(_told(made, now()), 201)

    @routes.post("/delegations/list")
    async def listing(request: Request) -> Response:
        with counter.caller(request) as caller:
            await body(request)
            found = await agents.delegations(caller.organisation, whose(caller))
            return answer({"items": [_told(delegation, now()) for delegation in found]})

    @routes.post("/delegations/revoke")
    async def revoke(request: Request) -> Response:
        with counter.caller(request) as caller:
            said = await body(request, "id")
            agent = whose(caller)
            if not isinstance(said["id"], str) or not _ID(said["id"]):
                raise _wrong("/id", "the delegation's id, d-…")
            try:
                by = Author(caller.application, caller.agent)
                ended = await agents.revoke(caller.organisation, by, said["id"], agent)
            except NotYours:
                raise EdgeRefusal("resourceNotFound", "There is no such delegation of yours.") from None
            return answer(_told(ended, now()))

    return routes


def _himself(caller: Caller) -> Caller:
    """An agent that an issuer vouched for, and who acts for himself. Raises `UnknownCaller`."""
    if caller.agent is None or caller.assurance is None or caller.on_behalf_of is not None:
        raise UnknownCaller("the token names no agent who acts for himself", advice=_NOBODY)
    return caller


def _told(one: Delegation, now: float) -> dict[str, Any]:
    told = {
        "id": one.id, "giver": one.giver, "taker": one.taker, "roles": sorted(one.roles), "from": _iso(one.starts),
        "until": _iso(one.ends), "state": one.state(now), "madeAt": _iso(one.made),
        "revokedAt": _iso(one.revoked) if one.revoked is not None else None,
    }  # fmt: skip
    return {name: value for name, value in told.items() if value is not None}


def _moment(value: Any, name: str) -> float:
    found = as_moment(value) if isinstance(value, str) and len(value) <= 40 and "T" in value else None
    if found is None:
        raise _wrong(name, "a moment such as 2026-12-24T18:00:00Z")
    return found


def _iso(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _wrong(name: str, advice: str) -> MalformedRequest:
    return MalformedRequest(Issue("schemaViolation", "body", name, advice))
