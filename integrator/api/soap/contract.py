"""What the façade offers, from the services' own data: one domain for each first part of their addresses.

An operation is named as in OpenAPI (`personGet`), and its content has the same JSON schemas: types of XML are made of those
(xsd.py), questions are read by them (reading.py), answers are written by them (writing.py). So nothing can drift apart.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from integrator.api import openapi_deliveries
from integrator.api.hub import Service
from integrator.api.openapi import name, request_schema
from integrator.api.openapi_answers import answer_schema
from integrator.api.openapi_parts import shared_schemas
from integrator.api.problems import Problems

Json = dict[str, Any]

PATH = "/soap/v1/"
LOOK = "deliveryGet"  # how it stands with a message of one's own: the one operation that is of no service
_REFERENCE = "#/components/schemas/"
_TEXT: Json = {"type": "string"}
_UID: Json = {**_TEXT, "pattern": "^[0-9a-f]{32}$"}
_CONTEXT: Json = {
    "type": "object", "required": ["purpose"], "additionalProperties": False,
    "description": "For what is asked, and by whom. It is part of what is signed.",
    "properties": {
        "purpose": {**_TEXT, "pattern": "^[a-z][a-z0-9_]{1,63}$", "description": "One for which your application is enrolled."},
        "agent": {**_TEXT, "pattern": r"^[\w./:-]{1,64}$", "description": "The civil servant, by a pseudonym of yours; never a national number."},
        "traceId": {**_TEXT, "pattern": "^[A-Za-z0-9._-]{1,64}$", "description": "Your own id of this question; it comes back as relatedTraceId."},
        "language": {**_TEXT, "enum": ["nl", "fr", "de", "en"], "description": "In which the sources are asked."},
    },
}  # fmt: skip
_RECORD: Json = {
    "type": "object", "required": ["traceId"],
    "description": "Beside every answer: what was recorded of it before it left. Keep `receipt` with your file.",
    "properties": {
        "traceId": {**_TEXT, "description": "The hub's id of this exchange, to name when you call for help."},
        "relatedTraceId": _TEXT, "ledgerEntries": {**_TEXT, "description": "shard/index,index"},
        "receipt": {**_TEXT, "description": "The ledger's signed promise that the last of them stands there (base64url)."},
        "retryAfterSec": {"type": "integer", "description": "Part of the answer is unknown: ask again after so many seconds."},
    },
}  # fmt: skip
KEY: Json = {
    **_TEXT, "minLength": 8, "maxLength": 128,
    "description": "New for every message; the same again sends the same message again, and gets the first answer.",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing that can be asked. `service`: None for what is of no service (`LOOK`)."""

    name: str
    service: Service | None
    title: str
    request: Json
    answer: Json
    part: str = "ask"  # ask (or hand in) · fetch, answer: messages that one's own subscription receives


@dataclass(frozen=True, slots=True)
class Domain:
    """What stands in one WSDL."""

    name: str
    namespace: str
    operations: Mapping[str, Operation]
    named: Mapping[str, Json]  # types that have a name, by it


def domains(services: Mapping[str, Service], problems: Problems) -> dict[str, Domain]:
    """By name, in order."""
    found: dict[str, dict[str, Operation]] = {}
    for service in sorted(services.values(), key=lambda one: one.name):
        if not service.has_door:
            continue  # followed, or set going by an answer: never asked
        if service.is_open:
            continue  # asked at the open door and nowhere else
        mine = found.setdefault(service.path.split("/")[1], {})
        mine |= {operation.name: operation for operation in _operations(service)}
    if any(service.later is not None for service in services.values()):
        found.setdefault("delivery", {})[LOOK] = _look()
    shared = shared_schemas(problems) | openapi_deliveries.schemas()
    return {name: _domain(name, operations, shared) for name, operations in sorted(found.items())}


def resolve(schema: Json, named: Mapping[str, Json]) -> Json:
    """The schema itself, where it only names another."""
    return named[reference(schema)] if "$ref" in schema else schema


def reference(schema: Json) -> str:
    return str(schema["$ref"]).removeprefix(_REFERENCE)


def _domain(name: str, operations: Mapping[str, Operation], shared: Mapping[str, Json]) -> Domain:
    named = {"Context": _CONTEXT, "Record": _RECORD, "Problem": _problem(shared)}
    roots = [schema for one in operations.values() for schema in (one.request, one.answer)]
    waiting = [*roots, *named.values()]
    while waiting:
        for wanted in _references(waiting.pop()):
            if wanted not in named:
                named[wanted] = shared[wanted]
                waiting.append(shared[wanted])
    return Domain(name, f"urn:integrator:soap:{name}:v1", dict(sorted(operations.items())), dict(sorted(named.items())))


def _references(schema: Any) -> Iterator[str]:
    if isinstance(schema, Mapping):
        if "$ref" in schema:
            yield reference(dict(schema))
        for inner in schema.values():
            yield from _references(inner)
    elif isinstance(schema, list):
        for inner in schema:
            yield from _references(inner)


def _operation(service: Service) -> Operation:
    words = name(service)
    asked = request_schema(service)
    before: Json = {"context": {"$ref": _REFERENCE + "Context"}}
    if service.later is not None:
        before["idempotencyKey"] = KEY
    answer: Json = {"$ref": _REFERENCE + "Accepted"} if service.later is not None else answer_schema(service)
    request = {**asked, "properties": before | asked["properties"], "required": [*before, *asked.get("required", ())]}
    return Operation(words[0].lower() + words[1:], service, service.title.en, request, answer)


def _operations(service: Service) -> Iterator[Operation]:
    """Asked or handed in; of a message, what whoever receives it needs too."""
    asked = _operation(service)
    yield asked
    if service.later is not None and service.later.kind == "message":
        yield _fetch(service, asked.name)
        if service.later.answer is not None:
            yield _answer(service, asked.name)


def _fetch(service: Service, words: str) -> Operation:
    """What waits for one's own subscription."""
    content = {
        "type": "object",
        "properties": {name: dict(kind.schema) for name, kind in service.later.content.items()},
    }
    keys = {name: dict(kind.schema) for name, kind in service.keys.items()}
    beside: Json = {"deliveryId": _UID, "time": _TEXT, "sender": {**_TEXT, "description": "Enterprise number."}}
    one = {**beside, **keys, "dossierReference": _TEXT, "content": content}
    items = {"type": "array", "items": {"type": "object", "properties": one, "required": [*beside, "content"]}}
    cursor = {**_UID, "description": "Send it next time: it acknowledges exactly these."}
    asked = _asked({"cursor": cursor}, [])
    told = {"type": "object", "properties": {"items": items, "cursor": cursor}, "required": ["items"]}
    title = (
        f"{service.title.en}: acknowledge what came with the cursor, and fetch what waits for one's own subscription"
    )
    return Operation(words + "Fetch", service, title, asked, told, "fetch")


def _answer(service: Service, words: str) -> Operation:
    """An answer to a message that one received."""
    kinds = service.later.reply
    inner: Json = {"type": "object", "properties": {name: dict(kind.schema) for name, kind in kinds.items()}}
    inner["required"] = [name for name, kind in kinds.items() if kind.required]
    asked = _asked(
        {"idempotencyKey": KEY, "deliveryId": _UID, "content": inner}, ["idempotencyKey", "deliveryId", "content"]
    )
    title = f"{service.title.en}: answer a message that one's own subscription received"
    return Operation(words + "Answer", service, title, asked, {"$ref": _REFERENCE + "Accepted"}, "answer")


def _asked(properties: Json, required: list[str]) -> Json:
    context: Json = {"context": {"$ref": _REFERENCE + "Context"}}
    return {"type": "object", "properties": context | properties, "required": ["context", *required]}


def _look() -> Operation:
    asked = _asked({"deliveryId": _UID, "cursor": _UID}, ["deliveryId"])
    title = "How it stands with a message of one's own, and what was answered"
    return Operation(LOOK, None, title, asked, {"$ref": _REFERENCE + "Delivery"})


def _problem(shared: Mapping[str, Json]) -> Json:
    """All that a problem of any status may say, in one type: a fault has no other."""
    properties = dict(shared["Problem"]["properties"])
    for kind in ("InputValidationProblem", "PermissionProblem", "RetryProblem"):
        properties |= shared[kind]["allOf"][1]["properties"]
    told = "The same as the problem+json of the REST façade: `type` is stable, `detail` says what to do."
    return {**shared["Problem"], "description": told, "properties": properties}
