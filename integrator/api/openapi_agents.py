"""The description of what concerns agents: the staff directory (SCIM, RFC 7644) and delegations."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

_SCIM = "application/scim+json"
_TEXT: Json = {"type": "string"}
_ID: Json = {"name": "id", "in": "path", "required": True, "schema": {"type": "string", "pattern": "^[a-z]-[a-z]{24}$"}}
_MATCH: Json = {
    "name": "If-Match",
    "in": "header",
    "schema": _TEXT,
    "description": "The version that was read; 412 when it changed.",
}
_FILTER = "RFC 7644 §3.4.2.2. What is personal (userName, name, emails …) only with POST …/.search."
_LIST = [
    {"name": "filter", "in": "query", "schema": _TEXT, "description": _FILTER},
    {"name": "sortBy", "in": "query", "schema": _TEXT},
    {"name": "sortOrder", "in": "query", "schema": {**_TEXT, "enum": ["ascending", "descending"]}},
    {"name": "startIndex", "in": "query", "schema": {"type": "integer", "minimum": 1}},
    {"name": "count", "in": "query", "schema": {"type": "integer", "minimum": 0, "maximum": 200}},
]
_SHOWN = [
    {"name": "attributes", "in": "query", "schema": _TEXT, "description": "Names, by comma."},
    {"name": "excludedAttributes", "in": "query", "schema": _TEXT, "description": "Names, by comma."},
]


def agent_paths() -> Json:
    """Paths of /scim/v2 and /agents/v1."""
    paths: Json = {}
    for name, word in (("Users", "User"), ("Groups", "Group")):
        paths[f"/scim/v2/{name}"] = {
            "get": _scim(
                f"list{name}", f"{name} of the caller's own organisation", "ScimList", parameters=[*_LIST, *_SHOWN]
            ),
            "post": _scim(f"create{word}", f"A new {word.lower()}", "ScimResource", body="ScimResource", status="201"),
        }
        paths[f"/scim/v2/{name}/.search"] = {
            "post": _scim(f"search{name}", f"{name}, by a question in the body", "ScimList", body="ScimResource")
        }
        paths[f"/scim/v2/{name}/{{id}}"] = {
            "get": _scim(f"get{word}", f"One {word.lower()}", "ScimResource", parameters=[_ID, *_SHOWN]),
            "put": _scim(f"replace{word}", f"A {word.lower()} as it must be", "ScimResource", body="ScimResource", parameters=[_ID, _MATCH]),
            "patch": _scim(f"change{word}", f"Parts of a {word.lower()} (add, remove, replace)", "ScimResource", body="ScimResource", parameters=[_ID, _MATCH]),
            "delete": _scim(f"delete{word}", f"A {word.lower()} leaves: no access from now on", None, status="204", parameters=[_ID, _MATCH]),
        }  # fmt: skip
    paths["/scim/v2/.search"] = {
        "post": _scim("searchAgents", "Users and groups, by a question in the body", "ScimList", body="ScimResource")
    }
    paths["/scim/v2/Bulk"] = {
        "post": _scim("changeMany", "Many changes at once (RFC 7644 §3.7)", "ScimResource", body="ScimResource")
    }
    paths["/scim/v2/ServiceProviderConfig"] = {
        "get": _scim("getScimConfig", "What this hub knows of SCIM", "ScimResource")
    }
    for name in ("Schemas", "ResourceTypes"):
        paths[f"/scim/v2/{name}"] = {"get": _scim(f"list{name}", f"{name} of the staff directory", "ScimList")}
        one = {"name": "id", "in": "path", "required": True, "schema": _TEXT}
        paths[f"/scim/v2/{name}/{{id}}"] = {
            "get": _scim(f"get{name[:-1]}", f"One of the {name}", "ScimResource", parameters=[one]),
        }
    return paths | _delegations()


def _delegations() -> Json:
    return {
        "/agents/v1/me": {"post": _plain("whoAmI", "Who the agent of the token is here", "Agent", {})},
        "/agents/v1/delegations": {
            "post": _plain(
                "delegate", "Let a colleague act in some of one's own roles, until a moment", "Delegation",
                {"to": _TEXT, "roles": {"type": "array", "minItems": 1, "items": _TEXT}, "from": _MOMENT, "until": _MOMENT},
                required=["to", "roles", "until"], status="201",
            )
        },
        "/agents/v1/delegations/list": {
            "post": _plain("listDelegations", "Given and taken; HR sees its whole organisation", "DelegationList", {})
        },
        "/agents/v1/delegations/revoke": {
            "post": _plain("revokeDelegation", "End one now", "Delegation", {"id": _TEXT}, required=["id"])
        },
    }  # fmt: skip


_MOMENT: Json = {"type": "string", "format": "date-time"}


def agent_schemas() -> Json:
    """Schemas that these paths name."""
    delegation = {
        "id": _TEXT, "giver": _TEXT, "taker": _TEXT, "roles": {"type": "array", "items": _TEXT}, "from": _MOMENT, "until": _MOMENT,
        "madeAt": _MOMENT, "revokedAt": _MOMENT, "state": {**_TEXT, "enum": ["planned", "current", "ended", "revoked"]},
    }  # fmt: skip
    agent = {
        "id": _TEXT, "organisation": _TEXT, "roles": {"type": "array", "items": _TEXT}, "unit": _TEXT, "mandate": _TEXT,
        "assurance": {**_TEXT, "enum": ["low", "substantial", "high"]},
    }  # fmt: skip
    listed = {"items": {"type": "array", "items": {"$ref": "#/components/schemas/Delegation"}}}
    scim = {"schemas": {"type": "array", "items": _TEXT}}
    resources = {
        "totalResults": {"type": "integer"},
        "Resources": {"type": "array", "items": {"$ref": "#/components/schemas/ScimResource"}},
    }
    return {
        "Agent": {"type": "object", "description": "An agent as his organisation keeps him.", "required": ["id", "roles"], "properties": agent},
        "Delegation": {"type": "object", "description": "From one agent to a colleague, with an end.", "required": ["id", "state"], "properties": delegation},
        "DelegationList": {"type": "object", "description": "Delegations.", "required": ["items"], "properties": listed},
        "ScimResource": {"type": "object", "description": "RFC 7643; what is kept stands in /scim/v2/Schemas.", "required": ["schemas"], "properties": scim},
        "ScimList": {"type": "object", "description": "RFC 7644 §3.4.2.", "required": ["schemas", "totalResults"], "properties": {**scim, **resources}},
        "ScimError": {"type": "object", "description": "RFC 7644 §3.12.", "required": ["schemas", "status"], "properties": {
            **scim, "status": _TEXT, "scimType": _TEXT, "detail": _TEXT}},
    }  # fmt: skip


def _scim(
    name: str,
    summary: str,
    answer: str | None,
    *,
    body: str | None = None,
    status: str = "200",
    parameters: list[Json] | None = None,
) -> Json:
    refused = {"description": "Refused, as SCIM says it.", "content": {_SCIM: {"schema": _ref("ScimError")}}}
    told: Json = {"description": "Done."} | ({"content": {_SCIM: {"schema": _ref(answer)}}} if answer else {})
    operation: Json = {
        "operationId": name, "summary": summary, "tags": ["Agents"],
        "responses": {status: told, "400": refused, "401": refused, "default": {"$ref": "#/components/responses/Problem"}},
    }  # fmt: skip
    if parameters:
        operation["parameters"] = parameters
    if body:
        operation["requestBody"] = {"required": True, "content": {_SCIM: {"schema": _ref(body)}}}
    return operation


def _plain(
    name: str, summary: str, answer: str, properties: Json, *, required: list[str] | None = None, status: str = "200"
) -> Json:
    schema: Json = {"type": "object", "additionalProperties": False, "properties": properties}
    if required:
        schema["required"] = required
    responses = {one: {"$ref": f"#/components/responses/Problem{one}"} for one in ("400", "401", "404")}
    told = {"description": "Done, and recorded.", "content": {"application/json": {"schema": _ref(answer)}}}
    return {
        "operationId": name, "summary": summary, "tags": ["Agents"],
        "requestBody": {"required": True, "content": {"application/json": {"schema": schema}}},
        "responses": {status: told, **responses, "default": {"$ref": "#/components/responses/Problem"}},
    }  # fmt: skip


def _ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}
