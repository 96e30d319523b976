"""The description of the directory's bulk route; its rows are those of the plain routes, referred to and not repeated."""

from __future__ import annotations

from typing import Any

from integrator.api.directory import MOST
from integrator.api.hub import Hub

Json = dict[str, Any]


def bulk_operation(hub: Hub) -> Json:
    """The POST operation. `hub`: for the rows, whose properties are the services' own."""
    properties: Json = {}
    for name in ("directory.unregister", "directory.register"):
        properties |= {key: dict(kind.schema) for key, kind in hub.services[name].keys.items()}
    properties["dossierReference"] = {"type": "string", "pattern": r"^[\w./:-]{1,64}$"}
    row = {"type": "object", "additionalProperties": False, "required": ["ssin", "quality"], "properties": properties}
    rows = {"type": "array", "minItems": 1, "maxItems": MOST, "items": row}
    asked = {
        "type": "object", "additionalProperties": False, "required": ["registrations"],
        "properties": {
            "action": {"type": "string", "enum": ["register", "unregister"], "default": "register"},
            "isAtomic": {"type": "boolean", "default": False, "description": "All rows, or none when one of them is not good."},
            "registrations": rows,
        },
    }  # fmt: skip
    item = {
        "type": "object", "required": ["line"],
        "properties": {
            "line": {"type": "integer", "minimum": 0, "description": "Position of the row in `registrations`."},
            "result": {"type": "string", "enum": ["registered", "merged", "unchanged", "ended", "withdrawn"]},
            "problem": {"$ref": "#/components/schemas/Problem"},
            "traceId": {"type": "string"},
        },
    }  # fmt: skip
    told = {
        "type": "object", "required": ["isDone", "accepted", "refused", "items"],
        "properties": {
            "isDone": {"type": "boolean", "description": "False: all or nothing was asked, and nothing was done."},
            "accepted": {"type": "integer"}, "refused": {"type": "integer"}, "items": {"type": "array", "items": item},
        },
    }  # fmt: skip
    refusals = {status: {"$ref": f"#/components/responses/Problem{status}"} for status in ("400", "401", "403", "503")}
    return {
        "operationId": "directoryRegistrationsBulk", "summary": "Register or unregister many at once", "tags": ["Directory"],
        "description": "Each row is an exchange of its own, and may be repeated: what is done already stays `unchanged`.",
        "requestBody": {"required": True, "content": {"application/json": {"schema": asked}}},
        "responses": {
            "200": {"description": "What each row came to.", "content": {"application/json": {"schema": told}}},
            **refusals, "default": {"$ref": "#/components/responses/Problem"},
        },
    }  # fmt: skip
