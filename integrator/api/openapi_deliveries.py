"""How deliveries stand in the description: services whose effect is later, and the doors they share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from integrator.api.hub import Service

Json = dict[str, Any]

_TEXT: Json = {"type": "string"}
_UID: Json = {"type": "string", "pattern": "^[0-9a-f]{32}$", "examples": ["5f3b0c9a7d1e4f2a8b6c0d9e1f2a3b4c"]}
KEY: Json = {
    "name": "Idempotency-Key", "in": "header", "required": True,
    "description": "New for every message; the same again sends the same message again, and gets the first answer.",
    "schema": {"type": "string", "minLength": 8, "maxLength": 128}, "example": "7c0d4d8e-31f3-4a5e-9d0c-2f4b6a8c0e1d",
}  # fmt: skip
_FOLLOWED: Json = {
    "service": {**_TEXT, "examples": ["person.changes"]}, "mode": {**_TEXT, "enum": ["push", "pull"]},
    "url": {**_TEXT, "description": "push: an address that the operator registered for your organisation."},
    "fields": {"type": "array", "items": _TEXT, "minItems": 1, "description": "Left out: all that is granted."},
    "endDate": {"type": "string", "format": "date"},
}  # fmt: skip
_NEEDED = ["service", "mode", "endDate"]
_WISH: Json = {"type": "object", "additionalProperties": False, "properties": _FOLLOWED, "required": _NEEDED}
_ANSWERING: Json = {
    "type": "object", "additionalProperties": False, "required": ["deliveryId", "content"],
    "properties": {"deliveryId": _UID, "content": {"type": "object", "description": "What is answered."}},
}  # fmt: skip
_PROBLEM: Json = {"$ref": "#/components/responses/Problem"}


def properties(service: Service) -> Json:
    """What a body has beside keys and case."""
    later = service.later
    if later.kind == "announcement":
        names = {"type": "string", "enum": sorted(service.offers)}
        told = "The types of data that changed; never their values."
        return {"changed": {"type": "array", "minItems": 1, "uniqueItems": True, "items": names, "description": told}}
    inner = {name: dict(kind.schema) for name, kind in later.content.items()}
    required = [name for name, kind in later.content.items() if kind.required]
    content: Json = {"type": "object", "additionalProperties": False, "properties": inner}
    return {"content": content | ({"required": required} if required else {})}


def example(service: Service) -> Json:
    """The same, with examples."""
    if service.later.kind == "announcement":
        return {"changed": sorted(service.offers)[:1]}
    told = {name: ordinary(kind.schema) for name, kind in service.later.content.items()}
    return {"content": {name: value for name, value in told.items() if value is not None}}


def ordinary(schema: Mapping[str, Any]) -> Any:
    """The example of a key, or one put together from its parts; None when there is none."""
    if "examples" in schema:
        return schema["examples"][0]
    if schema.get("type") == "object":
        parts = {name: ordinary(inner) for name, inner in schema["properties"].items()}
        return {name: value for name, value in parts.items() if value is not None} or None
    if "enum" in schema:
        return schema["enum"][0]
    if schema.get("type") == "array":
        inner = ordinary(schema["items"])
        return None if inner is None else [inner]
    return None


def wish_schema(service: Service) -> Json:
    """What `wish` is an example of."""
    return _ANSWERING if service.later.follows else _WISH


def wish(service: Service) -> Json:
    """A body that follows a service of events, or an answer that sets a write going."""
    if service.later.follows:
        return {"deliveryId": _UID["examples"][0], "content": {}}
    return {"service": service.name, "mode": "pull", "fields": sorted(service.offers)[:1], "endDate": "2027-06-30"}


def accepted(operation: Json) -> Json:
    """An operation of a service, with what is different where the effect is later."""
    answers = dict(operation["responses"])
    told = answers.pop("200")
    answers.pop("404", None)
    reference = {"application/json": {"schema": {"$ref": "#/components/schemas/Accepted"}}}
    said = "Accepted: it is durable, recorded, and will be delivered at least once. The same key gives the same answer."
    problem = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    answers = {
        "202": {**told, "description": said, "content": reference},
        "409": {"description": "The key was used before, for something else.", "content": problem},
        **answers,
    }  # fmt: skip
    return {**operation, "parameters": [KEY], "responses": answers}


def schemas() -> Json:
    """Shapes that only deliveries have."""
    states = ["waiting", "unknown", "delivered", "dead", "expired", "purged"]
    event = {
        "specversion": {**_TEXT, "enum": ["1.0"]}, "id": {**_UID, "description": "Of the delivery; the same each time it comes."},
        "source": _TEXT, "type": _TEXT, "time": {"type": "string", "format": "date-time"}, "datacontenttype": _TEXT,
        "service": _TEXT, "purpose": _TEXT, "recipient": {**_TEXT, "description": "The subscription it is for."},
        "data": {"type": "object", "description": "Whom it is about, and the types that changed, or the content."},
    }  # fmt: skip
    events = {"type": "array", "items": {"$ref": "#/components/schemas/CloudEvent"}}
    cursor = {**_UID, "description": "Send it next time: it acknowledges exactly these."}
    subscription = {
        "subscriptionId": _UID, "service": _TEXT, "purpose": _TEXT, "mode": {**_TEXT, "enum": ["push", "pull"]},
        "fields": {"type": "array", "items": _TEXT}, "endDate": {"type": "string", "format": "date"},
        "state": {**_TEXT, "enum": ["active", "ended"]}, "endpoint": _TEXT,
    }  # fmt: skip
    follows = _object({"service": _TEXT, "state": {**_TEXT, "enum": states}, "reason": _TEXT}, ["service", "state"])
    delivery = {
        "deliveryId": _UID, "state": {**_TEXT, "enum": states}, "attempts": {"type": "integer"},
        "reason": {**_TEXT, "description": "Why it is not delivered (yet)."},
        "answer": {**_TEXT, "enum": ["awaiting", "answered", "expired"]}, "answers": {"$ref": "#/components/schemas/Page"},
        "follows": {"type": "array", "items": follows, "description": "What the answer set going, in its order."},
    }  # fmt: skip
    return {
        "Accepted": _object({"deliveryId": _UID, "state": {**_TEXT, "enum": ["accepted"]}}, ["deliveryId", "state"]),
        "CloudEvent": _object(event, ["specversion", "id", "source", "type", "data"]),
        "Page": _object({"items": events, "cursor": cursor}, ["items", "cursor"]),
        "Subscription": _object(subscription, ["subscriptionId", "state"]),
        "Delivery": _object(delivery, ["deliveryId", "state"]),
    }


def paths() -> Json:
    """The doors that all deliveries share."""
    text, named = _TEXT, {"subscriptionId": _UID}
    size = {"type": "integer", "minimum": 1, "maximum": 100, "default": 100}
    listed = {
        "type": "object",
        "required": ["items"],
        "properties": {"items": {"type": "array", "items": _ref("Subscription")}},
    }
    keys = {
        "type": "object",
        "required": ["items"],
        "properties": {"items": {"type": "array", "items": _object({"key": text}, ["key"])}},
    }
    return {
        "/events/v1/subscriptions/create": _post(
            "createSubscription", "Follow a service of events or messages until a day", _FOLLOWED, _NEEDED,
            _ref("Subscription"), status="201", key=True),
        "/events/v1/subscriptions/list": _post("listSubscriptions", "One's own subscriptions for this purpose", {}, [], listed),
        "/events/v1/subscriptions/end": _post("endSubscription", "Follow no longer", named, ["subscriptionId"], _ref("Subscription")),
        "/events/v1/feed": _post(
            "fetchEvents", "Acknowledge what came with the cursor, and fetch what waits",
            named | {"cursor": _UID, "size": size}, ["subscriptionId"], _ref("Page")),
        "/delivery/v1/deliveries/get": _post(
            "getDelivery", "How it stands with a message of one's own, and what was answered", {"deliveryId": _UID, "cursor": _UID},
            ["deliveryId"], _ref("Delivery")),
        "/delivery/v1/deliveries/answers": _post(
            "listAnswers", "What was answered to one's own messages of a service; acknowledges what came with the cursor",
            {"service": text, "cursor": _UID, "size": size}, ["service"], _ref("Page")),
        "/delivery/v1/deliveries/answer": _post(
            "answerDelivery", "Answer a message that one's own subscription received", {"deliveryId": _UID, "content": {"type": "object"}},
            ["deliveryId", "content"], _ref("Accepted"), status="202", key=True),
        "/delivery/v1/deliveries/withdraw": _post(
            "withdrawDelivery", "Take a message of one's own back, as long as it is not answered", {"deliveryId": _UID},
            ["deliveryId"], _object({"deliveryId": _UID, "state": {**_TEXT, "enum": ["withdrawn"]}}, ["deliveryId", "state"])),
        "/events/v1/keys": {"get": {
            "operationId": "listEventKeys", "summary": "What pushes are signed with (Standard Webhooks, ed25519)", "tags": ["Events"],
            "security": [], "responses": {"200": _answer(keys), "default": _PROBLEM}}},
    }  # fmt: skip


def _post(
    name: str, summary: str, properties: Json, required: list[str], answer: Json, *, status: str = "200", key: bool = False
) -> Json:  # fmt: skip
    schema: Json = {"type": "object", "additionalProperties": False, "properties": properties}
    refused = {code: {"$ref": f"#/components/responses/Problem{code}"} for code in ("400", "401", "403", "404", "503")}
    operation: Json = {
        "operationId": name, "summary": summary, "tags": ["Events"],
        "requestBody": {"required": True, "content": {"application/json": {"schema": schema | ({"required": required} if required else {})}}},
        "responses": {status: _answer(answer), **refused, "default": _PROBLEM},
    }  # fmt: skip
    return {"post": operation | ({"parameters": [KEY]} if key else {})}


def _answer(schema: Json) -> Json:
    return {"description": "Done, and recorded.", "content": {"application/json": {"schema": schema}}}


def _ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def _object(properties: Json, required: list[str]) -> Json:
    return {"type": "object", "required": required, "properties": properties}
