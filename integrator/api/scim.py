"""/scim/v2: SCIM 2.0 (RFC 7644) for the application by which an organisation's HR tells who works there.

    token of HR's purpose → body, bounded → scim/service.py → recorded → answer

Refusals look as SCIM has them. A name never stands in an address: filters on what is personal go to POST …/.search.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl

import orjson
from fastapi import APIRouter, Request, Response

from integrator.agents.model import Author
from integrator.agents.office import Agents
from integrator.agents.scim.bulk import run_bulk
from integrator.agents.scim.errors import ScimRefused, invalid, missing
from integrator.agents.scim.schemas import Kind, kinds
from integrator.agents.scim.service import PAYLOAD, Hr
from integrator.api.body import check_kind, read_bytes
from integrator.api.callers import Counter
from integrator.api.limits import Limits, TooManyRequests
from integrator.api.routes import refuse_number
from integrator.errors import HubError, MalformedRequest, RequestRefused, UnknownCaller
from integrator.model import Caller
from integrator.strict_json import NotStrict, loads

KIND = "application/scim+json"
_DEEP = 16
_KNOWN = re.compile(r"/scim/v2/(Users|Groups|Schemas|ResourceTypes|ServiceProviderConfig|Bulk|\.search)(/[^/]+)?")
_ID = re.compile(r"[\w:.-]{1,80}", re.ASCII).fullmatch


def router(agents: Agents, counter: Counter, limits: Limits) -> APIRouter:
    """All routes of SCIM."""
    routes = APIRouter(prefix="/scim/v2")
    scim = agents.scim
    wide = replace(limits, body_bytes=max(PAYLOAD, limits.body_bytes))

    def door(work: Callable[..., Awaitable[Response]]) -> Callable[..., Awaitable[Response]]:
        """Refusals in SCIM's own shape, whatever they come from."""

        async def opened(request: Request) -> Response:
            try:
                with counter.caller(request) as caller:
                    hr = _hr(caller, agents.purpose)
                    refuse_number(request.scope["raw_path"], request.scope["query_string"])
                    return await work(request, hr)
            except ScimRefused as error:
                return _json(error.json(), error.status)
            except UnknownCaller as error:
                words = ScimRefused(401, None, error.hint).json()
                return _json(words, 401, {"www-authenticate": 'Bearer realm="integrator"'})
            except MalformedRequest as error:
                return _json(ScimRefused(error.status, "invalidSyntax", error.hint).json(), error.status)
            except HubError as error:
                after = {"retry-after": str(getattr(error, "retry_after", 5))}
                status = 429 if isinstance(error, TooManyRequests) else 503
                return _json(ScimRefused(status, None, error.hint).json(), status, after)
            except RequestRefused as error:
                return _json(ScimRefused(400, "sensitive", error.hint).json(), 400)

        return opened

    async def body(request: Request, within: Limits = limits) -> dict[str, Any]:
        headers = dict(request.scope["headers"])
        sent = headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
        check_kind(headers, KIND.encode() if sent == KIND.encode() else b"application/json")
        try:
            return loads(await read_bytes(headers, request.scope["integrator.inlet"], within), depth=_DEEP)
        except NotStrict as error:
            raise invalid("invalidSyntax", str(error)) from None

    async def changed(resource: dict[str, Any], status: int = 200) -> Response:
        await agents.acts.record()
        return _resource(resource, status)

    async def read(request: Request, hr: Hr) -> Response:
        kind, id_ = _place(request)
        found, version = await scim.read(hr, kind, id_, _query(request))
        if request.headers.get("if-none-match") == version:
            return Response(status_code=304, headers={"etag": version})
        return _json(found, headers={"etag": version})

    async def listing(request: Request, hr: Hr) -> Response:
        return _json(await scim.search(hr, _kind(request), _query(request), address=True))

    async def search(request: Request, hr: Hr) -> Response:
        kind = _kind(request) if request.scope["path"].count("/") > 3 else None
        return _json(await scim.search(hr, kind, await body(request), address=False))

    async def create(request: Request, hr: Hr) -> Response:
        return await changed(await scim.create(hr, _kind(request), await body(request)), 201)

    async def put(request: Request, hr: Hr) -> Response:
        kind, id_ = _place(request)
        return await changed(await scim.replace(hr, kind, id_, await body(request, wide), _match(request)))

    async def patch(request: Request, hr: Hr) -> Response:
        kind, id_ = _place(request)
        return await changed(await scim.patch(hr, kind, id_, await body(request, wide), _match(request)))

    async def delete(request: Request, hr: Hr) -> Response:
        kind, id_ = _place(request)
        await scim.delete(hr, kind, id_, _match(request))
        await agents.acts.record()
        return Response(status_code=204)

    async def bulk(request: Request, hr: Hr) -> Response:
        told = await run_bulk(scim, hr, await body(request, wide))
        await agents.acts.record()
        return _json(told)

    async def config(request: Request, hr: Hr) -> Response:
        return _json(scim.config())

    async def described(request: Request, hr: Hr) -> Response:
        if request.query_params.get("filter"):
            raise ScimRefused(403, None, "Descriptions are not filtered (RFC 7644 §4).")
        parts = request.scope["path"].split("/")
        return _json(scim.described(parts[3], request.path_params.get("id")))

    async def nothing(request: Request, hr: Hr) -> Response:
        known = _KNOWN.fullmatch(request.scope["path"])
        if known is None:
            raise ScimRefused(404, None, "There is nothing at this address; /ServiceProviderConfig says what there is.")
        raise ScimRefused(405, None, "Not by this method.")

    for name in ("Users", "Groups"):
        routes.add_api_route(f"/{name}", door(listing), methods=["GET"])
        routes.add_api_route(f"/{name}", door(create), methods=["POST"])
        routes.add_api_route(f"/{name}/.search", door(search), methods=["POST"])
        for method, work in (("GET", read), ("PUT", put), ("PATCH", patch), ("DELETE", delete)):
            routes.add_api_route(f"/{name}/{{id}}", door(work), methods=[method])
    routes.add_api_route("/.search", door(search), methods=["POST"])
    routes.add_api_route("/Bulk", door(bulk), methods=["POST"])
    routes.add_api_route("/ServiceProviderConfig", door(config), methods=["GET"])
    for name in ("Schemas", "ResourceTypes"):
        routes.add_api_route(f"/{name}", door(described), methods=["GET"])
        routes.add_api_route(f"/{name}/{{id}}", door(described), methods=["GET"])
    routes.add_api_route("/{rest:path}", door(nothing), methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
    return routes


def _hr(caller: Caller, purpose: str) -> Hr:
    """Who asks. Raises `ScimRefused` (403): a token for another purpose."""
    if caller.purpose != purpose:
        raise ScimRefused(403, None, f"The token is for another purpose: ask one for {purpose}.")
    return Hr(caller.organisation, Author(caller.application, caller.agent))


def _kind(request: Request) -> Kind:
    return kinds()[request.scope["path"].split("/")[3].removesuffix("s")]


def _place(request: Request) -> tuple[Kind, str]:
    id_: str = request.path_params["id"]
    if not _ID(id_):  # no id of ours looks so; some of it no database takes
        raise missing()
    return _kind(request), id_


def _match(request: Request) -> str | None:
    return request.headers.get("if-match")


def _query(request: Request) -> Mapping[str, str]:
    try:
        pairs = parse_qsl(
            request.scope["query_string"].decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=20
        )
    except ValueError:
        raise invalid("invalidSyntax", "The query is not written as name=value&name=value in UTF-8.") from None
    if len({name.lower() for name, _ in pairs}) != len(pairs):
        raise invalid("invalidSyntax", "Each parameter at most once.")
    return dict(pairs)


def _resource(resource: Mapping[str, Any], status: int) -> Response:
    meta = resource.get("meta") or {}
    headers = {"etag": meta["version"]} if "version" in meta else {}
    return _json(resource, status, headers | ({"location": meta["location"]} if status == 201 else {}))


def _json(body: Mapping[str, Any], status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return Response(orjson.dumps(body), status, dict(headers or {}), KIND)
