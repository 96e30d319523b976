"""The consoles behind the door: pages under /console, the same questions for programs under /audit/v1, exports beside."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import RedirectResponse

from integrator import clock
from integrator.api import cases
from integrator.api.body import read_json
from integrator.api.certificates import SHOWN
from integrator.api.headers import bearer
from integrator.api.hub import Verified
from integrator.api.limits import Limits
from integrator.consoles import api, exports
from integrator.consoles.casefiles import api as casefiles
from integrator.consoles.citizen import api as contests
from integrator.consoles.emergencies import api as emergencies
from integrator.consoles.governing import api as governing_api
from integrator.consoles.mandates import api as mandates
from integrator.consoles.opening import caller
from integrator.consoles.orders import Orders
from integrator.consoles.orders import api as orders_api
from integrator.consoles.people import Person
from integrator.consoles.reveals import api as reveals
from integrator.consoles.web import Consoles
from integrator.errors import UnknownCaller
from integrator.governing.opening import Governing
from integrator.keytypes import compile_key
from integrator.model import Caller
from integrator.watching.desk import CaseDesk


def mount(
    rest: FastAPI, consoles: Consoles, limits: Limits, verify: Callable[..., Verified], named: frozenset[str] | None
) -> None:
    """Add them to the app behind the front. `verify` believes tokens of applications; `named`: see integrator.keytypes."""

    async def current(request: Request) -> Person:
        return await caller(consoles, request)

    async def body(request: Request) -> Mapping[str, Any]:
        return await read_json(dict(request.scope["headers"]), request.scope["integrator.inlet"], limits)

    def application(request: Request) -> Caller:
        """Which application asks."""
        token = bearer(dict(request.scope["headers"]))
        if token is None:
            raise UnknownCaller("no access token", problem="noAccessToken")
        found: Caller = verify(token, request.scope.get(SHOWN)).caller
        return found

    async def peer(request: Request) -> str:
        """Whose application asks for its organisation's log."""
        return application(request).organisation

    async def door(request: Request) -> Response:
        del request
        return RedirectResponse("/console/", 308)

    rest.include_router(api.router(consoles.desk, consoles.book, current, body))
    rest.include_router(
        exports.router(
            consoles.desk, consoles.extras["exporter"], current, body, peer, lambda: clock.micros(consoles.now())
        )
    )
    if isinstance(orders := consoles.extras.get("orders"), Orders):
        rest.include_router(orders_api.router(orders, current, body))
    if isinstance(desk := consoles.extras.get("cases"), CaseDesk):
        number = compile_key("ssin", {"type": "ssin"}, sandbox=named)
        rest.include_router(cases.router(desk, application, body, number))
    if isinstance(governing := consoles.extras.get("governing"), Governing):
        rest.include_router(governing_api.router(consoles, governing, current, body))
    rest.include_router(casefiles.router(consoles, current, body))
    rest.include_router(reveals.router(consoles, current, body))
    rest.include_router(emergencies.router(consoles, current, body))
    rest.include_router(contests.router(consoles, current, body))
    rest.include_router(mandates.router(consoles, current, body))
    rest.add_route("/console", door, methods=["GET"])
    rest.mount("/console", consoles.app())
