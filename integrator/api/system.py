"""Tokens, keys, health and metrics: the small routes every hub has."""

from __future__ import annotations

from typing import Any, Protocol

import orjson
from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from integrator.api.body import check_kind, read_bytes
from integrator.api.certificates import SHOWN
from integrator.api.hub import Hub
from integrator.api.limits import Limits


class Readiness(Protocol):
    """Whether new work is welcome."""

    @property
    def accepting(self) -> bool: ...


def router(hub: Hub, life: Readiness, limits: Limits) -> APIRouter:
    """Routes over the hub's identity, health and metrics."""
    routes = APIRouter()

    @routes.post("/oauth/token")
    async def token(request: Request) -> Response:
        headers = dict(request.scope["headers"])
        check_kind(headers, b"application/x-www-form-urlencoded")
        form = await read_bytes(headers, request.receive, limits)
        status, body = await hub.identity.token(form, request.scope.get(SHOWN))
        return _json(body, status, {"pragma": "no-cache"} | ({"retry-after": "5"} if status == 503 else {}))

    @routes.get("/.well-known/jwks.json")
    async def jwks() -> Response:
        return _json(hub.identity.jwks(), headers={"cache-control": "public, max-age=300"})

    # RFC 8414 §3.1: an issuer with a path has it behind the well-known name; without it is where people look first.
    @routes.get("/.well-known/oauth-authorization-server")
    @routes.get("/.well-known/oauth-authorization-server/{world}")
    async def metadata(world: str = "") -> Response:
        del world  # one issuer, whichever way it is asked for
        return _json(hub.identity.metadata(), headers={"cache-control": "public, max-age=300"})

    @routes.get("/health")
    async def health() -> Response:
        state = hub.health()
        return _json(state, 503 if state["status"] == "DOWN" else 200)

    @routes.get("/livez")
    async def alive() -> Response:
        return _json({"status": "UP"})

    @routes.get("/readyz")
    async def ready() -> Response:
        able = life.accepting and hub.health()["status"] != "DOWN"
        return _json({"status": "UP" if able else "DOWN"}, 200 if able else 503)

    @routes.get("/metrics")
    async def metrics() -> Response:
        hub.health()  # sets the gauges of the circuits, which change by time alone
        return Response(generate_latest(hub.metrics.registry), headers={"content-type": CONTENT_TYPE_LATEST})

    return routes


def _json(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(orjson.dumps(body), status, headers, "application/json")
