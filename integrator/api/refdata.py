"""Reference data: problem types as pages, code lists as JSON and pages (belgif doc-refdata)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
from fastapi import APIRouter, Request, Response

from integrator import places
from integrator.api.hub import Hub
from integrator.api.pages import page, reader_language
from integrator.api.problems import EdgeRefusal, Problems
from integrator.errors import ConfigurationError

_CACHED = {"cache-control": "public, max-age=3600"}


def router(hub: Hub, problems: Problems) -> APIRouter:
    """Pages for /refData; code lists are read once, at start."""
    routes = APIRouter()
    codes = _read_codes(hub.codes)

    @routes.get("/refData/problemTypes")
    async def problem_types(request: Request) -> Response:
        return page(request, "problem_types.html", rows=list(problems.types.values()))

    @routes.get("/refData/problemTypes/{urn}")
    async def problem_type(request: Request, urn: str) -> Response:
        row = problems.by_urn.get(urn)
        if row is None:
            raise EdgeRefusal("resourceNotFound", "There is no such problem type; /refData/problemTypes lists them.")
        if _wants_json(request):
            body = {"type": row.urn, "title": row.title.json(), "description": row.what.json()}
            return _json(body | ({} if row.is_issue else {"status": row.status}))
        return page(request, "problem_type.html", row=row)

    @routes.get("/refData/codes")
    async def lists(request: Request) -> Response:
        if _wants_json(request):
            return _json({"items": [{"list": name, "title": data.get("title", {})} for name, data in codes.items()]})
        return page(request, "code_lists.html", lists=codes)

    @routes.get("/refData/codes/{name}")
    async def code_list(request: Request, name: str) -> Response:
        data = codes.get(name)
        if data is None:
            raise EdgeRefusal("resourceNotFound", "There is no such code list; /refData/codes names them.")
        if _wants_page(request):
            return page(request, "code_list.html", name=name, data=data, language=reader_language(request))
        items = [{"code": str(code), "label": label} for code, label in data["codes"].items()]
        return _json({"list": name, "title": data.get("title", {}), "items": items})

    return routes


def _read_codes(folder: Path) -> dict[str, dict[str, Any]]:
    """Every list by file name. Raises `ConfigurationError` naming the file."""
    found = {}
    for path in sorted(folder.glob("*.yaml")):
        data = places.read_yaml(path)
        if not isinstance(data, dict) or not isinstance(data.get("codes"), dict):
            raise ConfigurationError(f"mappings/codes/{path.name}: a code list is a mapping with `codes`")
        found[path.stem] = data
    return found


def _wants_json(request: Request) -> bool:
    """Pages first (belgif prb-type asks HTML at least); JSON for who asks it and not HTML."""
    accept = request.headers.get("accept", "")
    return "application/json" in accept and "text/html" not in accept


def _wants_page(request: Request) -> bool:
    return "text/html" in request.headers.get("accept", "")


def _json(body: Any) -> Response:
    return Response(orjson.dumps(body), headers=_CACHED, media_type="application/json")
