"""The description of what callers do about themselves: enrolment, keys, rights, and AuthZEN. Joined to the services' own."""

from __future__ import annotations

from typing import Any

from integrator.identity.grants.authzen import MOST, SEMANTICS

Json = dict[str, Any]
_TEXT: Json = {"type": "string"}
_NAMES: Json = {"type": "array", "items": _TEXT}
_FLAG: Json = {"type": "boolean"}
_MOMENT: Json = {"type": "string", "format": "date-time"}


_REFUSALS: Json = {
    status: {"$ref": f"#/components/responses/Problem{status}"} for status in ("400", "401", "403", "404", "429", "503")
}


def caller_paths() -> Json:
    """Every path of these rooms."""
    return {
        "/enrolment/v1/requests": _post(
            "requestEnrolment", "Ask to be enrolled: an operator and the organisation's DPO decide", "EnrolmentRequest", "EnrolmentAsked",
            status="201", public=True,
        ),
        "/enrolment/v1/requests/status": _post(
            "checkEnrolment", "How far a request is, by its secret", "EnrolmentSecret", "Enrolment", public=True
        ),
        "/enrolment/v1/keys/rotate": _post(
            "rotateKey", "Another key, ordered with one the hub knows; the old one ends", "KeyRotation", "Keys", public=True
        ),
        "/enrolment/v1/keys/revoke": _post(
            "revokeKey", "One key less, at once, with the tokens it got", "KeyRevocation", "Keys", public=True
        ),
        "/enrolment/v1/keys/list": _post("listKeys", "The keys of the application", "Nothing", "Keys"),
        "/authorisation/v1/grants/mine": _post(
            "listGrants", "What this application may ask, by which text, until when", "GrantsQuestion", "Grants"
        ),
        "/authorisation/v1/decisions/preview": _post(
            "previewDecision", "Would this be allowed? Names of keys and fields, never values; nothing is asked of a source",
            "Preview", "PreviewedDecision",
        ),
        "/authorisation/v1/decisions/explain": _post(
            "explainDecision", "Why an exchange of one's own organisation ended as it did", "ExchangeReference", "ExplainedExchange"
        ),
        "/access/v1/evaluation": _post("evaluateAccess", "AuthZEN 1.0: access evaluation", "Evaluation", "Evaluated"),
        "/access/v1/evaluations": _post("evaluateAccesses", "AuthZEN 1.0: access evaluations", "Evaluations", "EvaluatedAll"),
        "/.well-known/authzen-configuration": {"get": {
            "operationId": "readAuthzenConfiguration", "summary": "AuthZEN 1.0: where the endpoints are", "tags": ["Access"], "security": [],
            "responses": {"200": _json("Metadata.", "AuthzenConfiguration"), "default": {"$ref": "#/components/responses/Problem"}},
        }},
    }  # fmt: skip


def _post(name: str, summary: str, body: str, given: str, *, status: str = "200", public: bool = False) -> Json:
    operation: Json = {
        "operationId": name, "summary": summary, "tags": ["Access"],
        "requestBody": {"required": True, "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{body}"}}}},
        "responses": {status: _json("Done.", given), **_REFUSALS, "default": {"$ref": "#/components/responses/Problem"}},
    }  # fmt: skip
    return {"post": operation | ({"security": []} if public else {})}


def _json(words: str, schema: str) -> Json:
    return {
        "description": words,
        "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}},
    }


def caller_schemas() -> Json:
    """The shapes those paths name."""
    jwk: Json = {"type": "object", "description": "A public JWK (RFC 7517), ES256 on P-256 or EdDSA on Ed25519."}
    jws: Json = {**_TEXT, "description": "A compact JWS; its header holds alg, kid and typ."}
    localized: Json = {"$ref": "#/components/schemas/LocalizedString"}
    changes: Json = {"type": "array", "items": {"$ref": "#/components/schemas/Change"}}
    told: Json = {"type": "object", "properties": dict.fromkeys(("nl", "fr", "en"), _NAMES)}
    withheld: Json = {"type": "array", "items": {"$ref": "#/components/schemas/Withheld"}}
    decision: Json = {**_TEXT, "enum": ["permit", "deny"]}
    return {
        "Nothing": _shape({}, closed=True),
        "EnrolmentRequest": _shape({
            "application": {**_TEXT, "pattern": "^[a-z][a-z0-9-]{1,62}[a-z0-9]$"}, "title": {**_TEXT, "minLength": 3, "maxLength": 120},
            "organisation": {**_TEXT, "pattern": "^[01][0-9]{9}$"}, "purposes": {**_NAMES, "minItems": 1, "maxItems": 50}, "key": jwk,
            "proof": {**jws, "description": "typ key-proof+jwt, signed with the key: iss (the name), aud (the issuer), iat, exp, jti."},
            "contact": {**_TEXT, "description": "Mailbox of a role, one word before the @."}, "certificateBound": _FLAG,
        }, "application", "title", "organisation", "purposes", "key", "proof", "contact", closed=True),
        "EnrolmentSecret": _shape({"requestId": _TEXT, "secret": _TEXT}, "requestId", "secret", closed=True),
        "Enrolment": _shape(_enrolment(), "requestId", "state", "approvals"),
        "EnrolmentAsked": _shape({**_enrolment(), "secret": {**_TEXT, "description": "Told once."}}, "requestId", "state", "secret"),
        "KeyRotation": _shape({
            "order": {**jws, "description": "typ key-order+jwt, signed with a key the hub knows: iss, aud, iat, exp, jti, act rotate, jwk, overlap."},
            "proof": {**jws, "description": "typ key-proof+jwt, signed with the new key."}}, "order", "proof", closed=True),
        "KeyRevocation": _shape({
            "order": {**jws, "description": "typ key-order+jwt: iss, aud, iat, exp, jti, act revoke, kid."}}, "order", closed=True),
        "Keys": _shape({"clientId": _TEXT, "keys": {"type": "array", "items": _shape(
            {"kid": _TEXT, "added": _MOMENT, "ends": _MOMENT, "revoked": _MOMENT}, "kid")}}, "clientId", "keys"),
        "GrantsQuestion": _shape({"allPurposes": {**_FLAG, "default": False}}, closed=True),
        "Grants": _shape({"organisation": _TEXT, "application": _TEXT, "purposes": {"type": "array", "items": _shape({
            "purpose": _TEXT, "title": localized, "why": localized, "legalBasis": _TEXT, "retention": _TEXT, "processingActivity": _TEXT,
            "services": {"type": "array", "items": _shape({
                "service": _TEXT, "title": localized, "method": _TEXT, "path": _TEXT,
                "lines": {"type": "array", "items": {"$ref": "#/components/schemas/GrantLine"}}}, "service", "lines")},
        }, "purpose", "services")}}, "organisation", "application", "purposes"),
        "GrantLine": _shape({
            "line": _TEXT, "authorisation": _TEXT, "digest": _TEXT, "searchKeys": _NAMES, "fields": _NAMES, "withheld": withheld,
            "historyYears": {"type": "integer"}, "population": {**_TEXT, "enum": ["any", "ownTerritory"]},
            "use": {**_TEXT, "enum": ["release", "answersOnly"]},
            "as": {**_NAMES, "description": "Of what is delivered: sent, received, or both."},
            "validFrom": _MOMENT, "validUntil": _MOMENT, "inForce": _FLAG,
            "conditions": {"type": "array", "items": _shape({"kind": _TEXT, "of": _NAMES}, "kind")},
            "legal": _shape({"kind": _TEXT, "number": _TEXT, "issuer": _TEXT, "date": _TEXT, "text": localized}, "kind"),
        }, "line", "authorisation", "digest", "searchKeys", "fields", "withheld", "validFrom", "inForce"),
        "Preview": _shape({
            "service": _TEXT, "keys": {**_NAMES, "description": "Left out: those of an ordinary question."}, "fields": _NAMES,
            "history": {**_FLAG, "default": False}, "as": {**_TEXT, "enum": ["sender", "receiver"], "description": "Of what is delivered, where both exist."},
            "dossier": {**_FLAG, "default": True, "description": "Whether a case would be named."},
        }, "service", closed=True),
        "PreviewedDecision": _shape({
            "decision": decision, "reason": _TEXT, "rule": _TEXT, "advice": _TEXT, "nearest": _NAMES, "lines": _NAMES, "fields": _NAMES,
            "withheld": withheld, "changes": changes, "validUntil": _TEXT, "part": _TEXT, "told": told}, "decision", "told"),
        "ExchangeReference": _shape({
            "traceId": {**_TEXT, "description": "BelGov-Trace-Id of the answer."}, "entries": {**_TEXT, "description": "Integrator-Ledger-Entries."},
            "receipt": {**_TEXT, "description": "Audit-Receipt."}}, closed=True)
        | {"oneOf": [{"required": [name]} for name in ("traceId", "entries", "receipt")]},
        "ExplainedExchange": _shape({"traceId": _TEXT, "decisions": {"type": "array", "items": _shape({
            "service": _TEXT, "ended": _TEXT, "purpose": _TEXT, "application": _TEXT, "decision": decision, "fields": _NAMES, "reason": _TEXT,
            "rule": _TEXT, "nearest": _NAMES, "changes": changes, "textChanged": _FLAG, "told": told}, "service", "decision", "told")}},
            "traceId", "decisions"),
        **_authzen(changes, withheld),
    }  # fmt: skip


def _enrolment() -> Json:
    return {
        "requestId": _TEXT, "state": {**_TEXT, "enum": ["waiting", "approved", "refused"]}, "reason": _TEXT,
        "approvals": _shape({"operator": _FLAG, "dpo": _FLAG}, "operator", "dpo"), "clientId": _TEXT, "kid": _TEXT, "organisation": _TEXT,
        "purposes": _NAMES,
    }  # fmt: skip


def _authzen(changes: Json, withheld: Json) -> Json:
    free: Json = {"type": "object"}
    entity = {"type": _TEXT, "id": _TEXT, "properties": free}
    question = {
        "subject": _shape(entity, "type", "id"), "action": _shape({"name": _TEXT, "properties": free}, "name"),
        "resource": _shape(entity, "type", "id"), "context": free,
    }  # fmt: skip
    answer = _shape({"decision": _FLAG, "context": _shape({
        "id": _TEXT, "reason_user": {"type": "object", "additionalProperties": _TEXT}, "fields": _NAMES, "authorisation": _TEXT,
        "withheld": withheld, "changes": changes, "error": free})}, "decision")  # fmt: skip
    several = {"type": "array", "maxItems": MOST, "items": free}
    options = _shape({"evaluations_semantic": {**_TEXT, "enum": list(SEMANTICS)}})
    return {
        "Evaluation": _shape(question, "subject", "action", "resource"),
        "Evaluated": answer,
        "Evaluations": _shape({**question, "evaluations": several, "options": options}),
        "EvaluatedAll": _shape(
            {"evaluations": {"type": "array", "items": {"$ref": "#/components/schemas/Evaluated"}}, "decision": _FLAG}
        ),
        "AuthzenConfiguration": _shape(
            {"policy_decision_point": _TEXT, "access_evaluation_endpoint": _TEXT, "access_evaluations_endpoint": _TEXT},
            "policy_decision_point", "access_evaluation_endpoint",
        ),
    }  # fmt: skip


def _shape(properties: Json, *required: str, closed: bool = False) -> Json:
    shape: Json = {"type": "object", "properties": properties}
    if required:
        shape["required"] = list(required)
    return shape | ({"additionalProperties": False} if closed else {})
