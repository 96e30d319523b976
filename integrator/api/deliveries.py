"""The doors of deliveries: handing in, following, fetching, answering. Everything that matters stands in the body.

POST <route of a service>              Idempotency-Key          accepted: 202
POST /events/v1/subscriptions/create   Idempotency-Key · /list · /end
POST /events/v1/feed                   what waits for a subscription that is fetched
POST /delivery/v1/deliveries/get       how it stands with one's own message, and what was answered · /answer
POST /delivery/v1/deliveries/withdraw  take one's own message back while it is not answered
POST /delivery/v1/deliveries/answers   what was answered to one's own messages of a service
GET  /events/v1/keys                   what pushes are signed with
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import orjson
from fastapi import APIRouter, Request, Response

from integrator import clock
from integrator.api.body import read_json
from integrator.api.certificates import SHOWN
from integrator.api.delivering import Counter, read_key
from integrator.api.headers import bearer, language
from integrator.api.hub import Hub
from integrator.api.limits import Limits
from integrator.api.record import record_headers
from integrator.errors import Issue, MalformedRequest, UnknownCaller
from integrator.model import Answer, Caller
from integrator.model import Request as Question

_UID = re.compile(r"[0-9a-f]{32}")
_DAYS = 732  # that a subscription may last


def router(hub: Hub, limits: Limits) -> APIRouter:
    """Routes over the hub's dispatch."""
    routes = APIRouter()
    counter = Counter(hub)

    async def knock(request: Request) -> tuple[Any, dict[str, Any]]:
        """Who asks, and the body. Raises `UnknownCaller`, `MalformedRequest`."""
        headers = dict(request.scope["headers"])
        token = bearer(headers)
        if token is None:
            raise UnknownCaller("no access token", problem="noAccessToken")
        who = hub.identity.verify(token, request.scope.get(SHOWN))
        return who, await read_json(headers, request.scope["integrator.inlet"], limits)

    def handing_in(service: Any) -> Callable[[Request], Awaitable[Response]]:
        async def hand_in(request: Request) -> Response:
            who, body = await knock(request)
            key = _idempotency(request)
            chosen = language(request.headers.get("accept-language", "").encode())
            return _accepted(
                await counter.deposit(service, body, key, who.caller, _trace(request), chosen, who.dossier)
            )

        return hand_in

    for service in hub.services.values():
        if service.later is not None and service.has_door:  # the doors of the others are below
            routes.add_api_route(service.path, handing_in(service), methods=["POST"], name=service.name)

    @routes.post("/events/v1/subscriptions/create")
    async def follow(request: Request) -> Response:
        who, body = await knock(request)
        key = _idempotency(request)
        _only(body, "service", "mode", "url", "fields", "endDate")
        service = hub.services.get(_text(body, "service"))
        if service is None or service.later is None or service.later.kind not in ("event", "message"):
            raise _issue("referencedResourceNotFound", "/service", "a service that can be followed: see /docs")
        mode = _text(body, "mode")
        if mode not in ("push", "pull"):
            raise _issue("schemaViolation", "/mode", "push or pull")
        url = _text(body, "url") if mode == "push" else None
        fields = _names(body.get("fields"), service.offers)
        question = _question(request, service.name, who.caller, {}, None, fields or None)
        ends = _end_of_day(_text(body, "endDate"), hub.clock())
        return _accepted(await counter.follow(question, key, mode, url, fields, ends), 201)

    @routes.post("/events/v1/subscriptions/list")
    async def followed(request: Request) -> Response:
        who, body = await knock(request)
        _only(body)
        return _json({"items": await counter.followed(who.caller)})

    @routes.post("/events/v1/subscriptions/end")
    async def leave(request: Request) -> Response:
        who, body = await knock(request)
        _only(body, "subscriptionId")
        return _json(await counter.leave(who.caller, _uid(body, "subscriptionId")))

    @routes.post("/events/v1/feed")
    async def feed(request: Request) -> Response:
        who, body = await knock(request)
        _only(body, "subscriptionId", "cursor", "size")
        return _json(await counter.fetch(who.caller, _uid(body, "subscriptionId"), *_page(body)))

    @routes.post("/delivery/v1/deliveries/get")
    async def look(request: Request) -> Response:
        who, body = await knock(request)
        _only(body, "deliveryId", "cursor")
        cursor = _uid(body, "cursor") if "cursor" in body else None
        return _json(await counter.look(who.caller, _uid(body, "deliveryId"), cursor))

    @routes.post("/delivery/v1/deliveries/answers")
    async def answered(request: Request) -> Response:
        who, body = await knock(request)
        _only(body, "service", "cursor", "size")
        return _json(await counter.answered(who.caller, _text(body, "service"), *_page(body)))

    @routes.post("/delivery/v1/deliveries/answer")
    async def answer(request: Request) -> Response:
        who, body = await knock(request)
        key = _idempotency(request)
        _only(body, "deliveryId", "content")
        return _accepted(
            await counter.answer(who.caller, _uid(body, "deliveryId"), key, body.get("content"), _trace(request))
        )

    @routes.post("/delivery/v1/deliveries/withdraw")
    async def withdraw(request: Request) -> Response:
        who, body = await knock(request)
        _only(body, "deliveryId")
        return _accepted(await counter.withdraw(who.caller, _uid(body, "deliveryId"), _trace(request)), 200)

    @routes.get("/events/v1/keys")
    async def keys() -> Response:
        return _json({"items": [{"key": key} for key in counter.keys]})

    return routes


def _question(
    request: Request, service: str, caller: Caller, keys: Mapping[str, Any], dossier: str | None, fields: Any = None
) -> Question:
    accept = request.headers.get("accept-language", "").encode()
    return Question(service, caller, keys, _trace(request), fields, dossier, False, language(accept))


def _trace(request: Request) -> Any:
    return request.scope["integrator.trace"]


def _idempotency(request: Request) -> str:
    return read_key(request.headers.get("idempotency-key", ""), "header", "Idempotency-Key")


def _only(body: Mapping[str, Any], *names: str) -> None:
    if set(body) - set(names):
        raise _issue("unknownInput", "/(unnamed)", f"there is nothing but {', '.join(names) or 'an empty object'} here")


def _text(body: Mapping[str, Any], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not value:
        raise _issue("requiredInput", f"/{name}", "add it")
    return value


def _uid(body: Mapping[str, Any], name: str) -> str:
    value = _text(body, name)
    if not _UID.fullmatch(value):
        raise _issue("schemaViolation", f"/{name}", "as the hub gave it: 32 hexadecimal digits")
    return value


def _page(body: Mapping[str, Any]) -> tuple[str | None, int]:
    """The cursor that acknowledges, and how many are wanted at most."""
    size = body.get("size", 100)
    if type(size) is not int or not 1 <= size <= 100:
        raise _issue("outOfRange", "/size", "1 to 100")
    return (_uid(body, "cursor") if "cursor" in body else None), size


def _names(value: Any, offers: frozenset[str]) -> frozenset[str]:
    if value is None:
        return frozenset()
    if not isinstance(value, list) or not value or not all(isinstance(name, str) and name in offers for name in value):
        raise _issue("schemaViolation", "/fields", f"some of: {', '.join(sorted(offers))}")
    return frozenset(value)


def _end_of_day(text: str, now: float) -> int:
    """The end of a day to come, in ms since 1970."""
    today = clock.today(now)
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise _issue("schemaViolation", "/endDate", "a day: YYYY-MM-DD") from None
    if not today <= day <= today + timedelta(days=_DAYS):
        raise _issue("outOfRange", "/endDate", f"from today to {_DAYS} days from now")
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() * 1000) + 86_400_000


def _issue(kind: str, name: str, advice: str) -> MalformedRequest:
    return MalformedRequest(Issue(kind, "body", name, advice))


def _accepted(answer: Answer, status: int = 202) -> Response:
    entries = f"{answer.shard}/{','.join(map(str, answer.entries))}"
    headers = {name.decode(): value.decode() for name, value in record_headers(entries, answer.receipt, answer.trace)}
    return Response(answer.payload, status, headers, "application/json")


def _json(body: Any) -> Response:
    return Response(orjson.dumps(body), 200, None, "application/json")
