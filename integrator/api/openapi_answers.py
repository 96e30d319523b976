"""What an answer looks like, read from the mapping's own fields (or from the checks of a composition)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from integrator.api.hub import Service

Json = dict[str, Any]

_DATE: Json = {
    "type": "string",
    "pattern": r"^\d{4}-\d{2}-\d{2}$",
    "description": "YYYY-MM-DD; -00 where the source does not know.",
}
_READ: Mapping[str, Json] = {
    "integer": {"type": "integer"}, "boolean": {"type": "boolean"}, "present": {"type": "boolean"},
    "date": _DATE, "date_compact": _DATE, "rrn_date": _DATE, "rrn_event_date": _DATE,
    "datetime": {"type": "string", "format": "date-time"}, "localized": {"$ref": "#/components/schemas/LocalizedString"},
}  # fmt: skip
_VERDICT: Json = {
    "type": "string",
    "enum": ["yes", "no", "unknown"],
    "description": "`unknown` is never a no: ask again later.",
}


def answer_schema(service: Service) -> Json:
    """The 200 body of a service. Nothing is required: what the purpose does not need is not there."""
    if service.checks:
        return _composition(service)
    fields = service.sheet.fields if service.sheet is not None else {}
    properties = _properties(fields, service.offers, "" if service.list_name is None else f"{service.list_name}.")
    properties["isComplete"] = {"type": "boolean", "description": "false: the source says that there may be more."}
    properties["withheld"] = {"type": "array", "items": {"$ref": "#/components/schemas/Withheld"}}
    schema: Json = {"type": "object", "description": service.title.en, "properties": properties}
    return schema if service.list_name is None else {**schema, "required": [service.list_name]}


def _composition(service: Service) -> Json:
    text: Json = {"type": "string"}
    check = {
        "type": "object",
        "title": "CheckResult",
        "required": ["code", "result", "source"],
        "properties": {
            "code": {**text, "enum": [check.code for check in service.checks]}, "result": _VERDICT, "source": text,
            "ms": {"type": "number", "description": "Milliseconds the source took."},
            "reason": {**text, "description": "Why it is unknown."}, "retryAfterSec": {"type": "integer"},
        },
    }  # fmt: skip
    return {
        "type": "object",
        "description": service.title.en,
        "required": ["checks"],
        "properties": {service.answer_name: _VERDICT, "checks": {"type": "array", "items": check}},
    }


def _properties(fields: Mapping[str, Any], offers: frozenset[str], strip: str, prefix: str = "") -> Json:
    """Schemas of the fields that the service offers; records go down, a `spread` comes up."""
    properties: Json = {}
    for name, spec in fields.items():
        dotted = prefix + name
        if "spread" in spec:
            properties |= _properties(spec["spread"], offers, strip, prefix)
        elif _offered(dotted, offers, strip):
            schema = _schema(spec, offers, strip, dotted)
            properties[name] = {"type": "array", "items": schema} if spec.get("many") else schema
    return properties


def _offered(dotted: str, offers: frozenset[str], strip: str) -> bool:
    if strip and dotted + "." == strip:
        return True
    name = dotted.removeprefix(strip)
    return name in offers or any(offered.startswith(name + ".") for offered in offers)


def _schema(spec: Mapping[str, Any], offers: frozenset[str], strip: str, dotted: str) -> Json:
    if "record" in spec:
        inner = _properties(spec["record"], offers, strip, dotted + ".")
        return {
            "type": "object",
            "title": "".join(part[0].upper() + part[1:] for part in dotted.split(".")),
            "properties": inner,
        }
    if "code" in spec:
        return {"$ref": "#/components/schemas/Code"}
    if "const" in spec:
        return {"type": "string", "enum": [spec["const"]]}
    if "values" in spec:
        values = list(dict.fromkeys(spec["values"].values()))
        if all(isinstance(value, bool) for value in values):
            return {"type": "boolean"}
        if all(isinstance(value, str) for value in values):
            return {"type": "string", "enum": values}
    return dict(_READ.get(spec.get("read", "text"), {"type": "string"}))
