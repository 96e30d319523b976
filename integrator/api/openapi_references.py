"""The description of what anybody may read without a token: problem types, code lists, keys and metadata of the hub."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]
_TEXT: Json = {"type": "string"}
_LABEL: Json = {"type": "object", "additionalProperties": _TEXT, "description": "By language: nl, fr, en."}


def reference_paths() -> Json:
    """Every path of /refData, and the two documents by which clients find their way."""
    return {
        "/refData/problemTypes": _get("listProblemTypes", "The problem types, as a page", None, "Reference data"),
        "/refData/problemTypes/{urn}": _get("readProblemType", "What a problem type means", "ProblemType", "Reference data", "urn"),
        "/refData/codes": _get("listCodeLists", "The code lists there are", "CodeLists", "Reference data"),
        "/refData/codes/{name}": _get("readCodeList", "A code list with its labels", "CodeList", "Reference data", "name"),
        "/.well-known/jwks.json": _get("readKeys", "The keys that tokens are signed with (RFC 7517)", "KeySet", "Access"),
        "/.well-known/oauth-authorization-server": _get("readMetadata", "RFC 8414: where tokens are asked, and how", "AuthorizationServer", "Access"),
        "/.well-known/oauth-authorization-server/{world}": _get(
            "readMetadataOfWorld", "The same, for an issuer with a path", "AuthorizationServer", "Access", "world"
        ),
    }  # fmt: skip


def reference_schemas() -> Json:
    return {
        "ProblemType": _object(
            {"type": _TEXT, "title": _LABEL, "description": _LABEL, "status": {"type": "integer"}}, "type", "title"
        ),
        "CodeLists": _object({"items": {"type": "array", "items": _object({"list": _TEXT, "title": _LABEL}, "list")}}, "items"),
        "CodeList": _object(
            {"list": _TEXT, "title": _LABEL, "items": {"type": "array", "items": _object({"code": _TEXT, "label": _LABEL}, "code", "label")}},
            "list", "items",
        ),
        "KeySet": _object({"keys": {"type": "array", "items": {"type": "object"}}}, "keys"),
        "AuthorizationServer": _object({"issuer": _TEXT, "token_endpoint": _TEXT, "jwks_uri": _TEXT}, "issuer", "token_endpoint"),
    }  # fmt: skip


def _object(properties: Json, *required: str) -> Json:
    return {"type": "object", "required": list(required), "properties": properties}


def _get(name: str, summary: str, given: str | None, tag: str, *parameters: str) -> Json:
    """`given`: the schema of the answer; None = a page and nothing else."""
    page: Json = {"text/html": {"schema": _TEXT}}
    told: Json = {} if given is None else {"application/json": {"schema": {"$ref": f"#/components/schemas/{given}"}}}
    operation: Json = {
        "operationId": name, "summary": summary, "tags": [tag], "security": [],
        "responses": {
            "200": {"description": "The answer.", "content": told | (page if tag == "Reference data" else {})},
            "default": {"$ref": "#/components/responses/Problem"},
        },
    }  # fmt: skip
    if parameters:
        operation["parameters"] = [{"name": one, "in": "path", "required": True, "schema": _TEXT} for one in parameters]
    return {"get": operation}
