"""The description of the open door: its services without a token, the forms of an answer, and what lies ready there."""

from __future__ import annotations

from typing import Any

from integrator.api.opened_forms import KINDS

Json = dict[str, Any]
_TEXT: Json = {"type": "string"}
_FORMAT: Json = {
    "name": "format", "in": "query", "required": False, "schema": {"type": "string", "enum": list(KINDS)},
    "description": "The form of the answer; left out: the first one of `Accept`, else json.",
}  # fmt: skip
_HEADERS: Json = {
    "ETag": {"description": "Strong, of these bytes: send it back in If-None-Match.", "schema": _TEXT},
    "Last-Modified": {"description": "Since when the hub knows the answer to be this.", "schema": _TEXT},
    "Cache-Control": {"description": "public, max-age=…", "schema": _TEXT},
    "Link": {
        "description": "rel=next and rel=prev where there are pages; of JSON its JSON-LD context.",
        "schema": _TEXT,
    },
}
_AGAIN: Json = {"304": {"description": "You have it: nothing changed."}}


def opened(operation: Json, parameters: list[Json]) -> Json:
    """An operation of a service, as it is at the open door."""
    responses = operation["responses"]
    content = responses["200"]["content"]["application/json"]
    responses["200"] = {
        "description": "What anybody may know, after it was recorded; the same answer is given again for some minutes.",
        "headers": {**responses["200"]["headers"], **_HEADERS},
        "content": {"application/json": content, "application/ld+json": {"schema": {"type": "object"}}, "text/csv": {"schema": _TEXT}},
    }  # fmt: skip
    wrong = [status for status in ("401", "403") if status in responses]
    kept = {status: told for status, told in responses.items() if status not in wrong}
    return operation | {"security": [], "parameters": [*parameters, _FORMAT], "responses": {**kept, **_AGAIN}}


def paths() -> Json:
    """What lies ready: no source is asked for it."""
    return {
        "/open/v1/catalog": _get("readOpenCatalog", "The data sets, as DCAT-AP (JSON-LD)", "application/ld+json", {"type": "object"}),
        "/open/v1/context.jsonld": _get("readOpenContext", "How answers are read as JSON-LD", "application/ld+json", {"type": "object"}),
        "/open/v1/statistics/exchanges": _get(
            "listExchangeFigures", "The months of which figures were published", "application/json", _ref("ExchangeFiguresPeriods")
        ),
        "/open/v1/statistics/exchanges/{period}": _get(
            "readExchangeFigures", "Exchanges of a month: small figures kept back, the others rounded, never changed",
            "application/json", _ref("ExchangeFigures"), "period",
        ),
    }  # fmt: skip


def schemas() -> Json:
    period: Json = {"type": "string", "pattern": "^20[0-9]{2}-[0-9]{2}$"}
    moment: Json = {"type": "string", "format": "date-time"}
    line = {
        "organisation": {**_TEXT, "description": "KBO/BCE number."},
        "purpose": _TEXT,
        "service": _TEXT,
        "exchanges": {"type": "integer"},
    }
    return {
        "ExchangeFiguresPeriods": _object(
            {"series": _TEXT, "items": {"type": "array", "items": _object({"period": period, "publishedAt": moment, "href": _TEXT}, "period", "href")}},
            "series", "items",
        ),
        "ExchangeFigures": _object(
            {
                "series": _TEXT, "period": period, "publishedAt": moment,
                "atLeast": {"type": "integer", "description": "A figure below is not shown; nor is what would tell it."},
                "roundedTo": {"type": "integer", "description": "Every figure is rounded to a multiple of this, by itself."},
                "items": {"type": "array", "items": {**_object(line, "exchanges"), "description": "A dimension that is not there: the total over it."}},
            },
            "series", "period", "items",
        ),
    }  # fmt: skip


def _ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def _object(properties: Json, *required: str) -> Json:
    return {"type": "object", "required": list(required), "properties": properties}


def _get(name: str, summary: str, kind: str, schema: Json, *parameters: str) -> Json:
    told = {kind: {"schema": schema}} | ({"text/csv": {"schema": _TEXT}} if kind == "application/json" else {})
    operation: Json = {
        "operationId": name, "summary": summary, "tags": ["Open data"], "security": [],
        "parameters": [{"name": one, "in": "path", "required": True, "schema": _TEXT} for one in parameters] + [_FORMAT],
        "responses": {
            "200": {"description": "The answer.", "headers": _HEADERS, "content": told}, **_AGAIN,
            "404": {"$ref": "#/components/responses/Problem404"}, "default": {"$ref": "#/components/responses/Problem"},
        },
    }  # fmt: skip
    return {"get": operation}
