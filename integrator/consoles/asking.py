"""A question as a program sends it: which keys each question takes, and how they become arguments of the desk.

The same table makes the OpenAPI description. Nothing of what was sent is repeated in a refusal.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from audit import Subject
from integrator.errors import Issue, MalformedRequest

_DIGITS = re.compile(r"\d{11}", re.ASCII).fullmatch
_ID = re.compile(r"[^\x00-\x1f\x7f]{1,200}").fullmatch
MOST = 200  # rows on a page


@dataclass(frozen=True, slots=True)
class Key:
    """One property of a question."""

    argument: str  # of Desk.look
    read: Callable[[Any], Any]  # raises ValueError
    schema: Mapping[str, Any]


def _text(pattern: str, advice: str, example: str) -> tuple[Callable[[Any], Any], Mapping[str, Any]]:
    fits = re.compile(pattern, re.ASCII).fullmatch

    def read(value: Any) -> str:
        if type(value) is not str or not fits(value):
            raise ValueError(advice)
        return value

    return read, {"type": "string", "pattern": f"^{pattern}$", "example": example}


def _whole(least: int, most: int) -> tuple[Callable[[Any], Any], Mapping[str, Any]]:
    def read(value: Any) -> int:
        if type(value) is not int or not least <= value <= most:
            raise ValueError(f"a whole number from {least} to {most}")
        return value

    return read, {"type": "integer", "minimum": least, "maximum": most}


def _moment(value: Any) -> int:
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise ValueError("a moment such as 2026-11-23T13:30:00Z") from None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0, int(moment.timestamp()) * 1_000_000 + moment.microsecond)


def _date(value: Any) -> date:
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        raise ValueError("a day such as 2026-11-23") from None


def read_subject(value: Any) -> Subject:
    """Whom a question is about: {type, id}. A national number is 11 digits. Raises ValueError."""
    if (
        not isinstance(value, Mapping)
        or set(value) != {"type", "id"}
        or not all(isinstance(one, str) for one in value.values())
    ):
        raise ValueError('an object such as {"type": "nrn", "id": "…"}')
    kind, id_ = value["type"], value["id"]
    if kind not in _KINDS or not _ID(id_) or (kind == "nrn" and not _DIGITS(id_)):
        raise ValueError("type is nrn, cbe, plate, vin or address; a national number is 11 digits without dots")
    return Subject(kind, id_)


def _flag(value: Any) -> bool:
    if type(value) is not bool:
        raise ValueError("true or false")
    return value


_NAME = _text(r"[A-Za-z][A-Za-z0-9_.-]{0,99}", "a name as the ledger writes it", "person.get")
_ANY = _text(r"\S.{0,199}", "text of at most 200 characters", "…")
_MOMENT = (_moment, {"type": "string", "format": "date-time"})
_WHY = "Why you look; the person concerned reads it. At least 10 characters, except of citizens."
_REASON = {"type": "string", "maxLength": 500, "description": _WHY}
_KINDS = ("nrn", "cbe", "plate", "vin", "address")
_SUBJECT: Mapping[str, Any] = {
    "type": "object",
    "required": ["type", "id"],
    "properties": {"type": {"type": "string", "enum": list(_KINDS)}, "id": {"type": "string"}},
    "additionalProperties": False,
}
_KEYS: Mapping[str, Key] = {
    "reason": Key("reason", _text(r"[\s\S]{0,500}", "text of at most 500 characters", "")[0], _REASON),
    "role": Key("role", *_text("citizen|dpo|hub_dpo|auditor", "one of your roles", "dpo")),
    "organisation": Key("org", *_text(r"\d{10}", "an enterprise number of 10 digits", "0207373429")),
    "subject": Key("subject", read_subject, _SUBJECT),
    "since": Key("since", *_MOMENT),
    "until": Key("until", *_MOMENT),
    "cursor": Key("cursor", *_text(r"[A-Za-z0-9_-]{1,200}", "nextCursor of the page before", "WzE3OTU0")),
    "limit": Key("limit", *_whole(1, MOST)),
    "application": Key("app", *_ANY),
    "service": Key("name", *_NAME),
    "processingActivity": Key("activity", *_ANY),
    "kind": Key("kind", *_text(r"[a-z.]{1,20}", "a kind of entry", "outcome")),
    "agent": Key("agent", *_ANY),
    "reasonCode": Key("reason_code", *_text(r"[A-Z_]{1,60}", "a reason code", "EXPIRED")),
    "byDay": Key("by_day", _flag, {"type": "boolean"}),
    "policyVersion": Key(
        "version", *_text(r"sha256:[0-9a-f]{64}", "sha256: and 64 hexadecimal digits", "sha256:" + "0" * 64)
    ),
    "traceId": Key("trace_id", *_text(r"[0-9a-f]{32}", "32 hexadecimal digits", "0192f3a47c1e7d3a9b5e2f6a8c4d1e70")),
    "shard": Key("shard", *_ANY),
    "index": Key("index", *_whole(0, 2**53 - 1)),
    "day": Key("day", _date, {"type": "string", "format": "date", "examples": ["2026-11-23"]}),
}
_WHO = ("reason", "role", "organisation")
_LIST = (*_WHO, "since", "until", "cursor", "limit", "application", "service", "processingActivity", "kind")
_PERIOD = (*_WHO, "since", "until")
# question -> (keys it takes, those of them it needs)
SHAPES: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "about": (("subject", *_LIST), ()),
    "exchange": ((*_WHO, "subject", "traceId"), ("traceId",)),
    "details": ((*_WHO, "subject", "shard", "index"), ("shard", "index")),
    "proof": ((*_WHO, "subject", "shard", "index"), ("shard", "index")),
    "day": (("role", "day"), ("day",)),
    "by_agent": (("agent", *_LIST), ("agent",)),
    "denied": ((*_LIST, "reasonCode"), ()),
    "denied_by_reason": ((*_PERIOD, "application", "byDay"), ()),
    "unused_fields": (_PERIOD, ()),
    "field_use": (_PERIOD, ()),
    "under_policy": ((*_LIST, "policyVersion"), ("policyVersion",)),
    "affected_subjects": ((*_LIST, "policyVersion"), ("policyVersion",)),
    "retention": (("role",), ()),
    "health": (("role",), ()),
    **dict.fromkeys(("dangling", "unknown", "failed", "reads", "erasures"), (_LIST, ())),
}


def read_question(question: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments of `Desk.look` from a decoded body. Raises `MalformedRequest` with every issue found, no value in it."""
    takes, needs = SHAPES[question]
    issues = [Issue("requiredInput", "body", f"/{name}", "add it") for name in needs if name not in body]
    asked: dict[str, Any] = {}
    for name, value in body.items():
        if name not in takes:
            # The name is not repeated either: it is the caller's text.
            issues.append(
                Issue("unknownInput", "body", "/", f"this question takes {', '.join(takes)} and nothing else")
            )
            continue
        key = _KEYS[name]
        try:
            asked[key.argument] = key.read(value)
        except ValueError as error:
            issues.append(Issue("schemaViolation", "body", f"/{name}", str(error)))
    if issues:
        raise MalformedRequest(*issues)
    return asked


def schema(question: str) -> dict[str, Any]:
    """The JSON Schema of a question's body."""
    takes, needs = SHAPES[question]
    described: dict[str, Any] = {
        "type": "object",
        "properties": {name: dict(_KEYS[name].schema) for name in takes},
        "additionalProperties": False,
    }
    return described | ({"required": list(needs)} if needs else {})
