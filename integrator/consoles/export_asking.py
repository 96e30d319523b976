"""What the exports' addresses take, and how that becomes arguments. Nothing of what was sent is repeated in a refusal."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from audit import Subject
from integrator.consoles.exporting import FORMS, MOST
from integrator.errors import Issue, MalformedRequest

_DIGITS = re.compile(r"\d{11}", re.ASCII).fullmatch
Read = Callable[[Any], Any]  # raises ValueError with advice


def _text(pattern: str, advice: str) -> Read:
    fits = re.compile(pattern, re.ASCII | re.S).fullmatch

    def read_text(value: Any) -> str:
        if type(value) is not str or not fits(value):
            raise ValueError(advice)
        return value

    return read_text


def _whole(least: int, most: int, times: int = 1) -> Read:
    def read_whole(value: Any) -> int:
        if type(value) is not int or not least <= value <= most:
            raise ValueError(f"a whole number from {least} to {most}")
        return value * times

    return read_whole


def _flag(value: Any) -> bool:
    if type(value) is not bool:
        raise ValueError("true or false")
    return value


def _moment(value: Any) -> int:
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise ValueError("a moment such as 2026-11-23T13:30:00Z") from None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0, int(moment.timestamp()) * 1_000_000 + moment.microsecond)


def _person(value: Any) -> Subject:
    if type(value) is not str or not _DIGITS(value):
        raise ValueError("a national number is 11 digits without dots")
    return Subject("nrn", value)


_WHO: Mapping[str, tuple[str, Read]] = {
    "reason": ("reason", _text(r".{0,500}", "text of at most 500 characters")),
    "role": ("role", _text("citizen|dpo|hub_dpo|auditor", "one of your roles")),
    "organisation": ("org", _text(r"\d{10}", "an enterprise number of 10 digits")),
}
_CURSOR = _text(r"[A-Za-z0-9_-]{1,2000}", "the cursor of the answer before")
_FORMS: Mapping[str, Mapping[str, tuple[str, Read]]] = {
    "export": {
        **_WHO,
        "format": ("form", _text("|".join(FORMS), f"one of {', '.join(FORMS)}")),
        "since": ("since", _moment),
        "until": ("until", _moment),
        "cursor": ("cursor", _CURSOR),
        "limit": ("limit", _whole(1, MOST)),
        "names": ("names", _flag),
        "language": ("language", _text("nl|fr|en", "nl, fr or en")),
        "byteOrderMark": ("bom", _flag),
        "delimiter": ("delimiter", _text("[,;\t]", "a comma, a semicolon or a tab")),
    },
    "processingActivities": {
        **_WHO,
        "traceId": ("trace_id", _text("[0-9a-f]{32}", "32 hexadecimal digits")),
        "startTime": ("since", _whole(0, 2**42, 1_000)),
        "endTime": ("until", _whole(0, 2**42, 1_000)),
        "attributes": ("attributes", lambda value: value if isinstance(value, dict) else _not("an object")),
    },
    "findUsage": {
        **_WHO,
        "userCode": ("subject", _person),
        "periodStart": ("since", _moment),
        "periodEnd": ("until", _moment),
        "offset": ("offset", _whole(0, 9_999)),
        "limit": ("limit", _whole(1, 10_000)),
        "cursor": ("cursor", _CURSOR),
    },
}
_NEEDED = {"export": ("format",), "processingActivities": (), "findUsage": ()}
_ATTRIBUTES = {"dpl.core.data_subject_id", "dpl.core.data_subject_id_type", "dpl.core.processing_activity_id"}


def read(form: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments from a decoded body. Raises `MalformedRequest` with every issue found."""
    takes = _FORMS[form]
    issues = [Issue("requiredInput", "body", f"/{name}", "add it") for name in _NEEDED[form] if name not in body]
    asked: dict[str, Any] = {}
    for name, value in body.items():
        if name not in takes:
            issues.append(Issue("unknownInput", "body", "/", f"this address takes {', '.join(takes)} and nothing else"))
            continue
        argument, reader = takes[name]
        try:
            asked[argument] = reader(value)
            if argument == "attributes":
                asked |= _attributes(asked.pop("attributes"))
        except ValueError as error:
            issues.append(Issue("schemaViolation", "body", f"/{name}", str(error)))
    if issues:
        raise MalformedRequest(*issues)
    return asked


def read_query(query: Mapping[str, str]) -> dict[str, Any]:
    """Arguments of FSC's GET /logs; lists are written with commas. Raises `MalformedRequest`."""
    asked: dict[str, Any] = {}
    for name, value in query.items():
        try:
            asked |= _query(name, value)
        except ValueError as error:
            raise MalformedRequest(
                Issue("schemaViolation", "query", name if name in _QUERY else "/", str(error))
            ) from None
    return asked


_QUERY = ("cursor", "limit", "sort_order", "after", "before", "grant_hash", "service_name", "transaction_ids")


def _query(name: str, value: str) -> dict[str, Any]:
    listed = [one for one in value.split(",") if one][:1_000]
    if name == "limit":
        return {"limit": _whole(1, 1_000)(_number(value))}
    if name in ("after", "before"):
        return {name: _whole(0, 2**33)(_number(value))}
    if name == "cursor":
        return {"cursor": _CURSOR(value)} if value else {}
    if name == "sort_order":
        orders = {"SORT_ORDER_ASCENDING": False, "SORT_ORDER_DESCENDING": True}
        return {"newest_first": orders[value] if value in orders else _not(" or ".join(orders))}
    if name in ("grant_hash", "service_name"):
        return {"grant_hashes" if name == "grant_hash" else "service_names": frozenset(listed)}
    if name == "transaction_ids":
        return {
            "transaction_ids": [
                _text("[0-9a-f]{32}", "transaction ids as Fsc-Transaction-Id gave them")(one.replace("-", ""))
                for one in listed
            ]
        }
    raise ValueError(f"this address takes {', '.join(_QUERY)} and nothing else")


def _number(value: str) -> int:
    return int(value) if value.isascii() and value.isdigit() and len(value) < 12 else _not("a whole number")


def _attributes(attributes: Mapping[str, Any]) -> dict[str, Any]:
    if set(attributes) - _ATTRIBUTES:
        _not(f"attributes takes {', '.join(sorted(_ATTRIBUTES))} and nothing else")
    found: dict[str, Any] = {}
    if "dpl.core.data_subject_id" in attributes:
        if attributes.get("dpl.core.data_subject_id_type", "nrn") != "nrn":
            _not("dpl.core.data_subject_id_type is nrn")
        found["subject"] = _person(attributes["dpl.core.data_subject_id"])
    if "dpl.core.processing_activity_id" in attributes:
        found["activity"] = _text(r"\S.{0,500}", "an address of a processing activity")(
            attributes["dpl.core.processing_activity_id"]
        )
    return found


def _not(advice: str) -> Any:
    raise ValueError(advice)
