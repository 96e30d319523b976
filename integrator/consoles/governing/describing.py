"""/policy/v1 as OpenAPI 3.1: what programs of stewards and data protection officers may send, and what they get."""

from __future__ import annotations

from typing import Any

_REASON = {"type": "string", "minLength": 10, "maxLength": 500}
_TEXTS = {
    "type": "array",
    "items": {"type": "string"},
    "minItems": 1,
    "maxItems": 20,
    "description": "Purposes as YAML.",
}
_FROM = {
    "type": "object",
    "additionalProperties": {"type": "string", "pattern": "^sha256:[0-9a-f]{64}$"},
    "description": "Of each purpose the text it was written from, which must be the newest (`newest` of /texts); nothing of a purpose that is new.",
}
_ROOT = "/policy/v1"
# path -> method, operation, summary, body (None = none), status of success
_ROUTES: tuple[tuple[str, str, str, str, dict[str, Any] | None, int], ...] = (
    ("/texts", "get", "textsInForce", "The texts that decide now, by digest", None, 200),
    ("/proposals", "get", "proposals", "Proposals: what waits first", None, 200),
    ("/proposals", "post", "propose", "Propose texts; the machine checks them first",
     {"texts": _TEXTS, "from": _FROM, "reason": _REASON, "effective": {"type": "string", "description": "Day or moment; left out: once approved."}}, 201),
    ("/proposals/{id}", "get", "proposal", "One proposal, with its texts and what the machine found", None, 200),
    ("/proposals/{id}/approve", "post", "approve", "Approve; with the second approval it takes effect at its day", {}, 200),
    ("/proposals/{id}/refuse", "post", "refuse", "Refuse, saying why", {"reason": _REASON}, 200),
    ("/proposals/{id}/withdraw", "post", "withdraw", "Take back before it is in force", {"reason": _REASON}, 200),
    ("/suspensions", "get", "suspensions", "What is suspended, and what was", None, 200),
    ("/suspensions", "post", "suspend", "Take an authorisation away at once (data protection officers)",
     {"authorisation": {"type": "string"}, "organisation": {"type": "string", "pattern": "^[01]\\d{9}$"}, "reason": _REASON}, 201),
    ("/suspensions/{id}/askBack", "post", "askBack", "Ask for what was suspended to be given back", {"reason": _REASON}, 200),
    ("/suspensions/{id}/giveBack", "post", "giveBack", "Give it back: the second person", {}, 200),
    ("/replay", "post", "replay", "Recorded questions under other texts", {"texts": _TEXTS, "days": {"type": "integer", "minimum": 1, "maximum": 366}}, 200),
    ("/diet", "post", "diet", "Fields granted, asked and delivered", {"days": {"type": "integer", "minimum": 1, "maximum": 366}}, 200),
    ("/register", "get", "register", "The register of processing (GDPR art. 30); open to anyone", None, 200),
)  # fmt: skip
_OPTIONAL = frozenset(("effective", "from", "organisation", "days"))


def describe() -> dict[str, Any]:
    """The OpenAPI 3.1 description."""
    problem = {
        "description": "What is wrong and what to do.",
        "content": {"application/problem+json": {"schema": {"type": "object"}}},
    }
    paths: dict[str, Any] = {}
    for path, method, operation, summary, body, status in _ROUTES:
        told: dict[str, Any] = {
            "operationId": operation,
            "summary": summary,
            "responses": {
                str(status): {"description": "The answer.", "content": {"application/json": {"schema": {"type": "object"}}}},
                **({} if operation == "register" else dict.fromkeys(("400", "401", "403", "404", "503"), problem)),
            },
        }  # fmt: skip
        if "{id}" in path:
            told["parameters"] = [{"name": "id", "in": "path", "required": True, "schema": {"type": "string", "pattern": "^[0-9a-f]{32}$"}}]  # fmt: skip
        if body is not None:
            schema = {
                "type": "object", "properties": body, "required": [name for name in body if name not in _OPTIONAL],
                "additionalProperties": False,
            }  # fmt: skip
            told["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
        if operation == "register":
            told["security"] = []
        paths.setdefault(_ROOT + path, {})[method] = told
    return {
        "openapi": "3.1.0",
        "info": {"title": "The life of an authorisation", "version": "1", "description": (__doc__ or "").split("\n")[0]},
        "paths": paths,
        "components": {"securitySchemes": {"session": {"type": "http", "scheme": "bearer", "description": "Token of a session at the consoles."}}},
        "security": [{"session": []}],
    }  # fmt: skip
