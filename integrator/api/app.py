"""The API put together: the fast front for services, and a FastAPI app behind it for everything else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI, Request, Response
from starlette.exceptions import HTTPException

from integrator.api import (
    agents,
    consoles,
    deliveries,
    directory,
    documentation,
    enrolment,
    opened,
    published,
    refdata,
    rights,
    scim,
    system,
)
from integrator.api.asgi import Front
from integrator.api.body import ClientGone, drain
from integrator.api.callers import Counter
from integrator.api.hub import Hub
from integrator.api.limits import InFlight, Limits
from integrator.api.openapi import describe
from integrator.api.openapi30 import downgrade
from integrator.api.problems import EdgeRefusal, Problems
from integrator.api.soap import door
from integrator.errors import IntegratorError


@dataclass(slots=True)
class Life:
    """Whether new work is welcome; readiness follows it."""

    accepting: bool = False


@dataclass(frozen=True, slots=True)
class Api:
    """What the server runs."""

    front: Front
    rest: FastAPI
    life: Life
    limits: Limits
    problems: Problems


def build(hub: Hub) -> Api:
    """Everything at once; services and purposes appear from the hub's data. Raises `ConfigurationError`."""
    limits = Limits.read(hub.settings.limits)
    problems = Problems(hub.settings.issuer)
    life = Life()
    described = describe(hub, problems, limits)
    rest = FastAPI(
        title="integrator", docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False,
        exception_handlers=_handlers(problems, limits),
        telemetry={"tracing": False, "metrics": False, "logs": False},  # its spans would hold addresses
    )  # fmt: skip
    rest.include_router(system.router(hub, life, limits))
    counter = Counter(hub.identity.verify, limits)
    if hub.bureau is not None:  # before the documentation, whose pages have any name
        rest.include_router(rights.router(hub, hub.bureau, counter, limits))
    rest.include_router(documentation.router(hub, described, downgrade(described), problems))
    rest.include_router(refdata.router(hub, problems))
    rest.include_router(published.router(hub))
    rest.include_router(directory.router(hub, problems, limits))
    if hub.enrolment is not None:
        rest.include_router(enrolment.router(hub.enrolment, counter))
    if hub.agents is not None:
        rest.include_router(scim.router(hub.agents, counter, limits))
        rest.include_router(agents.router(hub.agents, counter, hub.clock))
    rest.include_router(deliveries.router(hub, limits))
    flight = InFlight(limits)
    if hub.soap is not None:
        rest.include_router(door.router(hub, hub.soap, problems, limits, flight))
    if hub.opened is not None:
        limit = hub.opened.per_minute
        rest.include_router(opened.router(hub.opened, problems, limit, hub.settings.proxies, hub.clock))
    if hub.consoles is not None:
        named = hub.consoles.extras.get("named_numbers", frozenset()) if hub.settings.sandbox else None
        consoles.mount(rest, hub.consoles, limits, hub.identity.verify, named)
    return Api(Front(hub, rest, problems, limits, flight), rest, life, limits, problems)


def _handlers(problems: Problems, limits: Limits) -> dict[Any, Any]:
    """Every error of the app behind the front, as a problem; nothing of the address or the body is repeated."""

    async def refused(request: Request, error: Exception) -> Response:
        rendered = problems.render(error, request.scope["integrator.trace"])
        headers = {name.decode(): value.decode() for name, value in rendered.headers}
        if not await drain(dict(request.scope["headers"]), request.scope["integrator.inlet"], limits):
            headers["connection"] = "close"
        return Response(rendered.body, rendered.status, headers)

    async def not_there(request: Request, error: Exception) -> Response:
        if getattr(error, "status_code", 404) != 405:
            return await refused(
                request, EdgeRefusal("resourceNotFound", "There is nothing at this address; /docs lists what there is.")
            )
        allowed = (getattr(error, "headers", None) or {}).get("Allow", "GET")
        headers = ((b"allow", allowed.encode()),)
        return await refused(request, EdgeRefusal("methodNotAllowed", f"Use {allowed} here.", headers=headers))

    async def gone(request: Request, error: Exception) -> Response:
        return Response(status_code=400)  # nobody reads it

    return {HTTPException: not_there, IntegratorError: refused, ClientGone: gone, Exception: refused}
