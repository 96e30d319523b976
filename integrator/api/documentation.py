"""The documentation: OpenAPI twice (3.1 and 3.0.3), and one page per service that a person can read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from fastapi import APIRouter, Request, Response

from integrator.api.hub import Hub, Service
from integrator.api.openapi import request_example
from integrator.api.pages import page, stylesheet
from integrator.api.problems import EdgeRefusal, Problems
from integrator.api.soap.contract import PATH, domains

ERRORS = ("badRequest", "noAccessToken", "invalidAccessToken", "expiredAccessToken", "missingPermission", "resourceNotFound",
          "tooManyRequests", "badGateway", "serviceUnavailable")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Shown:
    """One service as its page shows it."""

    service: Service
    fields: tuple[str, ...]
    example: str
    curl: str


def router(hub: Hub, described: Mapping[str, Any], older: Mapping[str, Any], problems: Problems) -> APIRouter:
    """Both documents are made once; pages are rendered in the reader's language."""
    routes = APIRouter()
    contracts = [PATH + name for name in domains(hub.services, problems)] if hub.soap is not None else []
    new, old = orjson.dumps(described), orjson.dumps(older)
    shown = {name: _shown(service, hub.settings.issuer) for name, service in sorted(hub.services.items())}
    tags: dict[str, list[Shown]] = {}
    for one in shown.values():
        tags.setdefault(one.service.tag, []).append(one)

    @routes.get("/openapi.json")
    async def openapi() -> Response:
        return Response(new, headers=_OPEN, media_type="application/json")

    @routes.get("/doc/openapi.json")
    async def openapi_older() -> Response:
        return Response(old, headers=_OPEN, media_type="application/json")

    @routes.get("/docs")
    async def index(request: Request) -> Response:
        return page(
            request, "index.html", tags=tags, purposes=dict(sorted(hub.purposes.items())), base=hub.settings.issuer,
            sandbox=hub.settings.sandbox, contracts=contracts,
        )  # fmt: skip

    @routes.get("/docs/style.css")
    async def style() -> Response:
        return stylesheet()

    @routes.get("/docs/{name}")
    async def one_service(request: Request, name: str) -> Response:
        one = shown.get(name)
        if one is None:
            raise EdgeRefusal("resourceNotFound", "There is no such service; /docs lists them.")
        rows = [problems.types[problem] for problem in ERRORS]
        return page(request, "service.html", one=one, rows=rows, base=hub.settings.issuer)

    return routes


_OPEN = {"cache-control": "public, max-age=300", "cross-origin-resource-policy": "cross-origin"}


def _shown(service: Service, base: str) -> Shown:
    example = request_example(service)
    return Shown(
        service,
        tuple(sorted(service.offers)),
        orjson.dumps(example, option=orjson.OPT_INDENT_2).decode(),
        _curl(service, example, base),
    )


def _curl(service: Service, example: Mapping[str, Any], base: str) -> str:
    """A line to copy; `$TOKEN` comes from the token page."""
    if service.method == "GET":
        path = service.path
        for name, value in example.items():
            path = path.replace("{" + name + "}", str(value))
        return f'curl -H "Authorization: Bearer $TOKEN" \\\n  {base}{path}'
    body = orjson.dumps(example).decode().replace("'", "'\\''")
    key = ' -H "Idempotency-Key: $(uuidgen)"' if service.later is not None else ""
    return f'curl -H "Authorization: Bearer $TOKEN" -H "Content-Type: application/json"{key} \\\n  -d \'{body}\' \\\n  {base}{service.path}'
