"""The parts of the description that every hub shares: its own paths, and the schemas that answers refer to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from integrator.api.problems import Problems

Json = dict[str, Any]


def own_paths() -> Json:
    """What every hub has beside its services."""
    form = {
        "type": "object",
        "required": ["grant_type", "client_assertion_type", "client_assertion"],
        "properties": {
            "grant_type": {
                "type": "string",
                "enum": ["client_credentials", "urn:ietf:params:oauth:grant-type:token-exchange"],
            },
            "client_assertion_type": {
                "type": "string",
                "enum": ["urn:ietf:params:oauth:client-assertion-type:jwt-bearer"],
            },
            "client_assertion": {
                "type": "string",
                "description": "A JWT signed by the application's key (RFC 7523); used once.",
            },
            "authorization_details": {
                "type": "string",
                "description": 'JSON (RFC 9396): [{"type":"purpose","purpose":"…"}].',
            },
            "purpose": {"type": "string", "description": "Shorthand for authorization_details with this purpose."},
            "subject_token": {
                "type": "string",
                "description": "Token exchange (RFC 8693): the agent's own token, or a delegation he acts under.",
            },
            "subject_token_type": {"type": "string", "description": "urn:ietf:params:oauth:token-type:id_token …"},
            "actor_token": {"type": "string", "description": "With a delegation: the own token of who acts."},
            "actor_token_type": {"type": "string"},
        },
    }
    refused = {"application/json": {"schema": {"$ref": "#/components/schemas/TokenError"}}}
    health = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/HealthStatus"}}}}
    return {
        "/oauth/token": {"post": {
            "operationId": "issueToken", "summary": "Ask an access token for one purpose", "tags": ["Access"], "security": [],
            "requestBody": {"required": True, "content": {"application/x-www-form-urlencoded": {"schema": form}}},
            "responses": {
                "200": {"description": "A token of five minutes.", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Token"}}}},
                "400": {"description": "RFC 6749 error.", "content": refused},
                "401": {"description": "The application is not believed.", "content": refused},
                "default": {"$ref": "#/components/responses/Problem"},
            },
        }},
        "/health": {"get": {
            "operationId": "checkHealth", "summary": "Check health of the service", "tags": ["Monitoring"], "security": [],
            "responses": {
                "200": {"description": "The service is UP or DEGRADED.", **health}, "503": {"description": "The service is DOWN.", **health},
                "default": {"$ref": "#/components/responses/Problem"},
            },
        }},
    }  # fmt: skip


def shared_schemas(problems: Problems) -> Json:
    """Problems as they are sent, health, tokens, and the small shapes inside answers."""
    text: Json = {"type": "string"}
    uri: Json = {"type": "string", "format": "uri"}
    urns = sorted(row.urn for row in problems.types.values() if not row.is_issue)
    issue_urns = sorted(row.urn for row in problems.types.values() if row.is_issue)
    problem = {
        "type": {**uri, "description": "Stable; one of: " + ", ".join(urns)}, "href": uri, "title": text,
        "status": {"type": "integer", "minimum": 400, "maximum": 599}, "detail": {**text, "description": "What to do about it."},
        "instance": {**uri, "description": "urn:uuid of the BelGov-Trace-Id"}, "code": text,
        "where": {**text, "description": "The place on the drawing in the documentation."},
    }  # fmt: skip
    issue = {
        "type": {**uri, "description": "One of: " + ", ".join(issue_urns)}, "href": uri, "title": text, "detail": text,
        "in": {"type": "string", "enum": ["body", "header", "path", "query"]},
        "name": {**text, "description": "JSON pointer or parameter name; the value is never repeated."}, "replacedBy": text,
    }  # fmt: skip
    label = {"type": "object", "properties": {"nl": text, "fr": text, "en": text, "de": text}}
    return {
        "Problem": _object(problem, "A problem (RFC 9457).", ["type", "title", "status"]),
        "InputValidationProblem": _also({"issues": {"type": "array", "items": {"$ref": "#/components/schemas/InputValidationIssue"}}}),
        "InputValidationIssue": _object(issue, "One thing wrong with the input.", ["type", "in", "name"]),
        "PermissionProblem": _also({"reason": text, "rule": {**text, "description": "The authorisation that decided."}, "source": text, "changes": {
            "type": "array", "items": {"$ref": "#/components/schemas/Change"}, "description": "The fewest things that would turn the refusal round."}}),
        "Change": _object({
            "kind": {**text, "enum": [
                "key", "field", "history", "dossier", "use", "application", "hours", "assurance",
                "registration", "role", "date", "purpose", "organisation"]}, "from": text,
            "to": {"type": "array", "items": text, "description": "Any one of these would do; absent: leave it out."},
            "text": {"$ref": "#/components/schemas/LocalizedString"}}, "One thing that would have to be otherwise.", ["kind", "text"]),
        "RetryProblem": _also({"retryAfterSec": {"type": "integer"}, "limit": {"type": "integer"}, "source": text, "reason": text, "rule": text}),
        "HealthStatus": _object({"status": {**text, "enum": ["UP", "DEGRADED", "DOWN"]}, "sources": {
            "type": "object", "additionalProperties": {**text, "enum": ["UP", "DEGRADED", "DOWN"]}},
            "policies": _object({"status": {**text, "enum": ["UP", "DEGRADED"]}, "revision": {"type": "integer"}, "set": text, "reason": text},
                                "The texts that decide here; nodes with the same `set` decide alike.", ["status"])}, "Health (belgif).", ["status"]),
        "Token": _object({
            "access_token": text, "token_type": {**text, "enum": ["Bearer"]}, "expires_in": {"type": "integer"},
            "key_ends": {"type": "string", "format": "date-time", "description": "When the key that signed ends; absent: never."},
            "issued_token_type": {**text, "description": "Of a token exchange (RFC 8693)."},
            "authorization_details": {"type": "array", "items": {"type": "object"}}}, "RFC 6749, RFC 9396.", ["access_token", "token_type"]),
        "TokenError": _object({"error": text, "error_description": text}, "RFC 6749 §5.2.", ["error"]),
        "LocalizedString": {**label, "description": "The same in the languages of the country."},
        "Code": _object({"code": text, "label": {"$ref": "#/components/schemas/LocalizedString"}},
                        "A code of a list under /refData/codes; without label when the list does not know it.", ["code"]),
        "Withheld": _object({"field": text, "reason": {**text, "enum": [
            "NOT_GRANTED", "NOT_COMMUNICABLE", "FILTERED_BY_SOURCE", "HISTORY_DEPTH"]}}, "A field that is not there, and why.", ["field", "reason"]),
    }  # fmt: skip


def _object(properties: Mapping[str, Any], description: str, required: list[str]) -> Json:
    return {"type": "object", "description": description, "required": required, "properties": dict(properties)}


def _also(properties: Mapping[str, Any]) -> Json:
    return {"allOf": [{"$ref": "#/components/schemas/Problem"}, {"type": "object", "properties": dict(properties)}]}
