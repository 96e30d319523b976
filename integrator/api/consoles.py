"""The consoles behind the door: pages under /console, the same questions for programs under /audit/v1."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import RedirectResponse

from integrator.api.body import read_json
from integrator.api.limits import Limits
from integrator.consoles import api
from integrator.consoles.opening import caller
from integrator.consoles.people import Person
from integrator.consoles.web import Consoles


def mount(rest: FastAPI, consoles: Consoles, limits: Limits) -> None:
    """Add both to the app behind the front."""

    async def current(request: Request) -> Person:
        return await caller(consoles, request)

    async def body(request: Request) -> Mapping[str, Any]:
        return await read_json(dict(request.scope["headers"]), request.scope["integrator.inlet"], limits)

    async def door(request: Request) -> Response:
        del request
        return RedirectResponse("/console/", 308)

    rest.include_router(api.router(consoles.desk, consoles.book, current, body))
    rest.add_route("/console", door, methods=["GET"])
    rest.mount("/console", consoles.app())
