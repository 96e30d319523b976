"""/enrolment/v1: how a vendor's program is let in, and how it changes its own keys.

POST /enrolment/v1/requests           a request, with proof that the key is held        201, and a secret told once
POST /enrolment/v1/requests/status    {"requestId": "…", "secret": "…"}                  how far it is
POST /enrolment/v1/keys/rotate        {"order": "…", "proof": "…"}                       another key, the old one ends
POST /enrolment/v1/keys/revoke        {"order": "…"}                                     one key less, at once
POST /enrolment/v1/keys/list          {} with an access token                            the application's keys
"""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from integrator.api.callers import Counter, answer, only
from integrator.identity.applications import Application
from integrator.identity.enrolment import Office, Waiting
from integrator.identity.lives import written


def router(office: Office, counter: Counter) -> APIRouter:
    """Routes over one office."""
    routes = APIRouter(prefix="/enrolment/v1")

    @routes.post("/requests")
    async def ask(request: Request) -> Response:
        one, secret = await office.ask(await counter.body(request), counter.trace(request))
        return answer({**_request(one), "secret": secret}, 201)

    @routes.post("/requests/status")
    async def status(request: Request) -> Response:
        body = await counter.body(request)
        only(body, frozenset({"requestId", "secret"}))
        return answer(_request(await office.status(body["requestId"], body["secret"])))

    @routes.post("/keys/rotate")
    async def rotate(request: Request) -> Response:
        body = await counter.body(request)
        only(body, frozenset({"order", "proof"}))
        return answer(_keys(await office.desk.order("rotate", body["order"], body["proof"], counter.trace(request))))

    @routes.post("/keys/revoke")
    async def revoke(request: Request) -> Response:
        body = await counter.body(request)
        only(body, frozenset({"order"}))
        return answer(_keys(await office.desk.order("revoke", body["order"], trace=counter.trace(request))))

    @routes.post("/keys/list")
    async def mine(request: Request) -> Response:
        caller = counter.who(request).caller
        only(await counter.body(request), frozenset())
        return answer(_keys(await office.desk.application(caller.application)))

    return routes


def _request(one: Waiting) -> dict[str, Any]:
    told: dict[str, Any] = {
        "requestId": one.id, "state": one.state, "approvals": {"operator": one.operator is not None, "dpo": one.dpo is not None},
    }  # fmt: skip
    if one.state == "approved":
        told |= {"clientId": one.name, "kid": one.kid, "organisation": one.organisation, "purposes": list(one.purposes)}
    return told | ({"reason": one.reason} if one.reason else {})


def _keys(application: Application) -> dict[str, Any]:
    kids = dict.fromkeys([*application.keys, *application.lives])
    return {"clientId": application.id, "keys": [{"kid": kid, **_life(application, kid)} for kid in kids]}


def _life(application: Application, kid: str) -> dict[str, str]:
    life = application.life(kid)
    moments = {"added": life.added, "ends": life.ends, "revoked": life.revoked}
    return {name: written(moment) for name, moment in moments.items() if moment is not None}
