"""AuthZEN Authorization API 1.0 over the hub's own decision. An organisation evaluates for itself, for purposes it has.

    subject   {"type": "application" | "organisation" | "agent", "id": …}      of the caller's own organisation
              an agent's properties: application, roles, assurance
    action    {"name": service, "properties": {"keys": […], "history": false, "as": "sender"}}  as: of what is delivered
    resource  {"type": "fields", "id": "*" | "familyName,birthDate"}           * = everything that is granted
    context   {"purpose": …, "dossierReference": …}                            purpose left out: that of the token

`decision` is true only when every field asked would be given. Other properties are not looked at and not kept.
Source: OpenID AuthZEN, Authorization API 1.0, sections 4 to 6.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from integrator.errors import Issue, MalformedRequest
from integrator.identity.applications import Application
from integrator.identity.grants.would import Exchange, Weighed, Wish, names, usual_keys, weigh
from integrator.model import QUESTION, RECEIVER, SENDER, Caller
from integrator.places import read_yaml
from integrator.policy import Denial, Permit
from integrator.policy.telling import LANGUAGES, changes_json, refusal
from integrator.services import Service

Json = dict[str, Any]
SUBJECTS = ("application", "organisation", "agent")
MOST = 100  # evaluations in one request
SEMANTICS = ("execute_all", "deny_on_first_deny", "permit_on_first_permit")
_LONG = 4_096  # characters of a resource's id


@dataclass(frozen=True, slots=True)
class Asked:
    """One evaluation, its shape checked."""

    kind: str
    subject: str
    application: str | None  # of an agent: the application it works with
    service: str
    keys: Any
    history: bool
    fields: frozenset[str] | None
    purpose: str | None
    roles: frozenset[str]
    assurance: str | None
    dossier: bool
    direction: str = QUESTION  # of what is delivered: sender | receiver


@dataclass(frozen=True, slots=True)
class Evaluated:
    """One decision and what may be said of it; `weighed` None when it was not the policy that refused."""

    decision: bool
    reason: str
    context: Json
    weighed: Weighed | None = None


def read_evaluation(body: Mapping[str, Any], at: str = "") -> Asked:
    """Raises `MalformedRequest`: subject, action and resource are wanted, each an object with texts."""
    issues: list[Issue] = []
    kind, subject = (_text(body, "subject", name, at, issues) for name in ("type", "id"))
    name = _text(body, "action", "name", at, issues)
    _text(body, "resource", "type", at, issues)
    resource = _text(body, "resource", "id", at, issues)
    of_subject, of_action, of_resource = (
        _properties(body, one, at, issues) for one in ("subject", "action", "resource")
    )
    context = body.get("context", {})
    if not isinstance(context, dict):
        issues.append(Issue("schemaViolation", "body", f"{at}/context", "an object"))
        context = {}
    fields = names(of_resource, "fields", None, issues)
    if fields is None and resource != "*":
        fields = frozenset(one.strip() for one in resource[:_LONG].split(",") if one.strip())
    for value, where in ((context.get("purpose", ""), "context/purpose"), (of_subject.get("application", ""), "subject/properties/application")):  # fmt: skip
        if not isinstance(value, str):
            issues.append(Issue("schemaViolation", "body", f"{at}/{where}", "a text"))
    history = of_action.get("history", False)
    if not isinstance(history, bool):
        issues.append(Issue("schemaViolation", "body", f"{at}/action/properties/history", "true or false"))
    direction = of_action.get("as", QUESTION)
    if direction not in (QUESTION, SENDER, RECEIVER):
        issues.append(Issue("schemaViolation", "body", f"{at}/action/properties/as", "sender or receiver"))
    roles = names(of_subject, "roles", None, issues)
    assurance = of_subject.get("assurance")
    if assurance not in (None, "low", "substantial", "high"):
        issues.append(
            Issue("schemaViolation", "body", f"{at}/subject/properties/assurance", "low, substantial or high")
        )
    if issues:
        raise MalformedRequest(*issues)
    return Asked(
        kind, subject, of_subject.get("application"), name, of_action, history, fields, context.get("purpose"),
        roles or frozenset(), assurance, "dossierReference" in context, direction,
    )  # fmt: skip


def read_semantic(body: Mapping[str, Any]) -> str:
    """Raises `MalformedRequest`."""
    options = body.get("options", {})
    chosen = options.get("evaluations_semantic", SEMANTICS[0]) if isinstance(options, dict) else None
    if chosen not in SEMANTICS:
        raise MalformedRequest(
            Issue("schemaViolation", "body", "/options/evaluations_semantic", f"one of {', '.join(SEMANTICS)}")
        )
    return str(chosen)


def evaluate(
    asked: Asked, caller: Caller, own: Application, find: Callable[[str], Application | None], exchange: Exchange,
    services: Mapping[str, Service], now: float,
) -> Evaluated:  # fmt: skip
    """The decision. `caller` asks (for its own organisation only), with the application `own`."""
    purpose = asked.purpose or caller.purpose
    if purpose not in own.purposes:  # its own right to ask ends where its own purposes end
        return _other("PURPOSE_NOT_ENROLLED")
    application = _subject(asked, caller, own, find)
    if application is None:
        return _other("UNKNOWN_SUBJECT")
    if purpose not in application.purposes:
        return _other("PURPOSE_NOT_ENROLLED")
    service = services.get(asked.service)
    if service is None:
        return _other("UNKNOWN_ACTION")
    wish = _wish(asked, service)
    if wish is None:
        return _other("UNKNOWN_RESOURCE")
    agent = asked.subject if asked.kind == "agent" else None
    who = Caller(caller.organisation, application.id, purpose, agent, asked.roles, assurance=asked.assurance)
    return _evaluated(weigh(exchange, service, who, wish, now))


def _subject(
    asked: Asked, caller: Caller, own: Application, find: Callable[[str], Application | None]
) -> Application | None:
    """Whose right is asked about; None for whoever is not of the caller's organisation, existing or not."""
    named = {"application": asked.subject, "agent": asked.application, "organisation": None}.get(asked.kind, "")
    if asked.kind not in SUBJECTS or (asked.kind == "organisation" and asked.subject != caller.organisation):
        return None
    application = own if named is None else find(named)
    return application if application is not None and application.organisation == caller.organisation else None


def _wish(asked: Asked, service: Service) -> Wish | None:
    issues: list[Issue] = []
    keys = names(asked.keys, "keys", frozenset(service.keys), issues)
    fields = asked.fields
    known = fields is None or all(
        one in service.offers or any(name.startswith(one + ".") for name in service.offers) for one in fields
    )
    if issues or not known or fields == frozenset():
        return None
    chosen = usual_keys(service) if keys is None else keys
    return Wish(service.name, chosen, fields, asked.history, asked.dossier, asked.direction)


def _evaluated(one: Weighed) -> Evaluated:
    decision = one.decision
    if isinstance(decision, Denial):
        told = {language: refusal(decision, one.ask, language) for language in LANGUAGES}
        context: Json = {"id": decision.reason, "reason_user": told, "changes": changes_json(one.why.changes)}
        return Evaluated(False, decision.reason, context, one)
    shown = _given(decision)
    if decision.withheld:
        missing = ", ".join(item.field for item in decision.withheld)
        return Evaluated(False, "PARTLY_GRANTED", {**_reason("PARTLY_GRANTED", fields=missing), **shown}, one)
    return Evaluated(True, "PERMITTED", {"id": decision.grant.id, **shown}, one)


def _given(permit: Permit) -> Json:
    shown: Json = {"fields": list(permit.categories), "authorisation": permit.grant.authorisation}
    withheld = [{"field": item.field, "reason": item.reason} for item in permit.withheld]
    return shown | ({"withheld": withheld} if withheld else {})


def _other(reason: str) -> Evaluated:
    return Evaluated(False, reason, _reason(reason))


def _reason(code: str, **filled: str) -> Json:
    return {"id": code, "reason_user": {language: text.format(**filled) for language, text in texts()[code].items()}}


@cache
def texts() -> Mapping[str, Mapping[str, str]]:
    """Reasons by code and language."""
    found: Mapping[str, Mapping[str, str]] = read_yaml(Path(__file__).with_name("words.yaml"))
    return found


def _text(body: Mapping[str, Any], entity: str, name: str, at: str, issues: list[Issue]) -> str:
    inner = body.get(entity)
    value = inner.get(name) if isinstance(inner, dict) else None
    if isinstance(value, str) and value:
        return value
    issues.append(Issue("requiredInput", "body", f"{at}/{entity}/{name}", "a text that is not empty"))
    return ""


def _properties(body: Mapping[str, Any], entity: str, at: str, issues: list[Issue]) -> Json:
    inner = body.get(entity)
    found = inner.get("properties", {}) if isinstance(inner, dict) else {}
    if isinstance(found, dict):
        return found
    issues.append(Issue("schemaViolation", "body", f"{at}/{entity}/properties", "an object"))
    return {}
