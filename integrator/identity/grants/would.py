"""Would this be allowed? The very decision of an exchange, on the names of keys and fields; values are never asked for."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from integrator.errors import Issue, MalformedRequest
from integrator.model import QUESTION, Caller, Request, Trace
from integrator.policy import Ask, Decision, Denial, Facts, Policies
from integrator.policy.telling import LANGUAGES, changes_json, tell
from integrator.policy.why import Why, why
from integrator.services import Service

Json = dict[str, Any]
_MEMBERS = frozenset({"service", "keys", "fields", "history", "dossier", "as"})
_MOST = 200  # names in one list


class Exchange(Protocol):
    """As integrator.exchange.Exchange."""

    @property
    def policies(self) -> Policies: ...
    def weigh(self, service: Service, request: Request) -> tuple[Decision, Ask, Facts]: ...


@dataclass(frozen=True, slots=True)
class Wish:
    """A question without its values."""

    service: str
    keys: frozenset[str]
    fields: frozenset[str] | None = None
    history: bool = False
    dossier: bool = True  # a case would be named
    direction: str = QUESTION  # of what is delivered: sender | receiver


@dataclass(frozen=True, slots=True)
class Weighed:
    """A decision, with its reasons and the question it is about (of a composition perhaps one of its parts)."""

    decision: Decision
    why: Why
    ask: Ask


def read_wish(body: Mapping[str, Any], services: Mapping[str, Service]) -> Wish:
    """Raises `MalformedRequest` with every issue found."""
    issues = []
    if not body.keys() <= _MEMBERS:
        issues.append(
            Issue("unknownInput", "body", "/", f"this address takes {', '.join(sorted(_MEMBERS))}: names, never values")
        )
    service = services.get(body["service"]) if isinstance(body.get("service"), str) else None
    if service is None:
        issues.append(
            Issue("referencedResourceNotFound", "body", "/service", "the name of a service; /docs lists them")
        )
    keys = names(body, "keys", frozenset(service.keys) if service else None, issues)
    fields = names(body, "fields", service.offers if service else None, issues)
    for name in ("history", "dossier"):
        if not isinstance(body.get(name, False), bool):
            issues.append(Issue("schemaViolation", "body", f"/{name}", "true or false"))
    direction = _direction(body, service.directions, issues) if service is not None else QUESTION
    if issues or service is None:
        raise MalformedRequest(*issues)
    chosen = usual_keys(service) if keys is None else keys
    return Wish(service.name, chosen, fields, body.get("history", False), body.get("dossier", True), direction)


def _direction(body: Mapping[str, Any], known: frozenset[str], issues: list[Issue]) -> str:
    """`as` in the body: said where something is delivered, unless it goes one way only."""
    said = body.get("as", next(iter(known)) if len(known) == 1 else None)
    if said is None and not known:
        return QUESTION
    if not isinstance(said, str) or said not in known:
        what = f"{' or '.join(sorted(known))}: it is delivered" if known else "remove it: this service is asked, not delivered"
        issues.append(Issue("schemaViolation" if said is not None else "requiredInput", "body", "/as", what))
        return QUESTION
    return said


def names(
    body: Mapping[str, Any], name: str, known: frozenset[str] | None, issues: list[Issue]
) -> frozenset[str] | None:
    """A list of names, all of which the service has; None when it was left out."""
    if name not in body:
        return None
    value = body[name]
    if not isinstance(value, list) or not 0 < len(value) <= _MOST or not all(isinstance(one, str) for one in value):
        issues.append(Issue("schemaViolation", "body", f"/{name}", f"a list of 1 to {_MOST} names"))
        return None
    if known is not None and not all(_is_known(one, known) for one in value):
        issues.append(
            Issue("rejectedInput", "body", f"/{name}", "names that this service has; its page in /docs lists them")
        )
        return None
    return frozenset(value)


def _is_known(name: str, known: frozenset[str]) -> bool:
    return name in known or any(one.startswith(name + ".") for one in known)


def usual_keys(service: Service) -> frozenset[str]:
    """The keys of an ordinary question: those required, and the first way to ask."""
    required = {name for name, key in service.keys.items() if key.required}
    return frozenset(required | set(service.exactly_one[0] if service.exactly_one else ()))


def weigh(exchange: Exchange, service: Service, caller: Caller, wish: Wish, now: float) -> Weighed:
    """Decided as an exchange would be; nothing is asked of any source."""
    digits = os.urandom(16).hex()
    request = Request(
        service.name, caller, dict.fromkeys(wish.keys), Trace(digits, digits[:16]), wish.fields,
        dossier="preview" if wish.dossier else None, history=wish.history, direction=wish.direction,
    )  # fmt: skip
    decision, ask, facts = exchange.weigh(service, request)
    return Weighed(decision, why(exchange.policies, ask, now, facts), ask)


def told(one: Weighed) -> Json:
    """As the API says it."""
    decision = one.decision
    sentences = {language: list(tell(one.why, one.ask, language)) for language in LANGUAGES}
    if isinstance(decision, Denial):
        shown: Json = {
            "decision": "deny",
            "reason": decision.reason,
            "advice": decision.advice,
            "nearest": list(one.why.by),
        }
        if decision.rule is not None:
            shown["rule"] = decision.rule
        if one.ask.part:
            shown["part"] = one.ask.service  # of a composition: what it needs from within is refused
        return shown | {"changes": changes_json(one.why.changes), "told": sentences}
    shown = {
        "decision": "permit", "rule": decision.grant.authorisation, "lines": list(one.why.by), "fields": list(decision.categories),
        "withheld": [{"field": item.field, "reason": item.reason} for item in decision.withheld], "told": sentences,
    }  # fmt: skip
    return shown | ({"validUntil": one.why.changes[0].to[0]} if one.why.changes else {})
