"""/open/v1: what anybody may have, without a token. This module is given the open door's hands and nothing else of the hub.

    network still welcome? → route → keys → opened.ask (an exchange, or the copy of one) → form → 304 or 200

Nobody is asked who he is, nothing is set in a browser, and the network address goes no further than turnstile.py.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol
from urllib.parse import parse_qsl, urlencode

from fastapi import APIRouter, Request, Response

from integrator.api.headers import language
from integrator.api.hub import Service
from integrator.api.limits import TooManyRequests
from integrator.api.opened_forms import CONTEXT, OPEN_HEADERS, form_of, render, respond
from integrator.api.problems import EdgeRefusal, Problems
from integrator.api.record import record_headers
from integrator.api.routes import Route, Routes
from integrator.api.turnstile import Turnstile, network_of
from integrator.errors import IntegratorError, Issue, MalformedRequest
from integrator.model import Trace

_METHODS = "GET, HEAD, OPTIONS"
_AFTER_A_MINUTE = (
    "Everybody may ask, nobody may ask without end: wait for Retry-After, and keep what you got (ETag, max-age)."
)


class OpenDoor(Protocol):
    """As integrator.opened.door.Opened."""

    @property
    def services(self) -> Mapping[str, Service]: ...
    @property
    def copies(self) -> Any: ...
    @property
    def documents(self) -> Any: ...  # integrator.opened.documents.Documents; reading blocks
    async def ask(
        self, service: Any, keys: Mapping[str, Any], fields: frozenset[str] | None, language: str, trace: Trace
    ) -> Any:
        """integrator.opened.copies.Copy. Raises the `IntegratorError` family."""


class ComeAgain(TooManyRequests):
    """One network asked more than its share of this minute (429)."""

    advice = _AFTER_A_MINUTE

    def __init__(self, limit: int, seconds: int) -> None:
        super().__init__(limit)
        self.retry_after = seconds


def router(
    door: OpenDoor, problems: Problems, per_minute: int, proxies: Sequence[Mapping[str, Any]], now: Callable[[], float]
) -> APIRouter:
    """Every open service at its own address."""
    routes = APIRouter()
    table = Routes(door.services)
    turnstile = Turnstile(per_minute, now)

    async def answer(request: Request, path: str) -> Response:
        scope, trace = request.scope, request.scope["integrator.trace"]
        if request.method == "OPTIONS":
            allowed = {
                "access-control-allow-methods": _METHODS,
                "access-control-allow-headers": "If-None-Match",
                "access-control-max-age": "86400",
            }
            return Response(status_code=204, headers={**OPEN_HEADERS, **allowed, "allow": _METHODS})
        try:
            seconds = turnstile.wait(network_of(scope, dict(scope["headers"]), proxies))
            if seconds is not None:
                raise ComeAgain(per_minute, seconds)
            found = table.find("GET", scope["raw_path"], scope["query_string"])
            if found is None:
                document = await asyncio.to_thread(door.documents.read, path)
                if document is not None:
                    return _lying_there(document, request, int(door.copies.seconds))
                raise EdgeRefusal(
                    "resourceNotFound", "There is nothing open at this address; /open/v1/catalog lists what there is."
                )
            return await _served(door, *found, request, now)
        except IntegratorError as error:
            rendered = problems.render(error, trace)
            headers = {name.decode(): value.decode() for name, value in rendered.headers}
            return Response(rendered.body, rendered.status, {**OPEN_HEADERS, **headers})

    routes.add_api_route("/open/v1/{path:path}", answer, methods=["GET", "HEAD", "OPTIONS"])
    return routes


def _lying_there(document: Any, request: Request, seconds: int) -> Response:
    pairs, asked = _without_format(request.scope["query_string"])
    if pairs:
        raise MalformedRequest(Issue("unknownInput", "query", "query", "only format is read here"))
    form = form_of(asked, request.headers.get("accept", ""))
    if document.list_name is None and form == "csv":
        raise EdgeRefusal("badRequest", "This is no table: ask JSON.")
    if document.linked:
        return respond(request.headers, "jsonld", document.payload, changed=document.changed, seconds=seconds)
    data = render(form, document.body, document.payload, document.list_name)
    return respond(request.headers, form, data, changed=document.changed, seconds=seconds)


async def _served(
    door: OpenDoor, route: Route, value: str | None, request: Request, now: Callable[[], float]
) -> Response:
    pairs, asked = _without_format(request.scope["query_string"])
    form = form_of(asked, request.headers.get("accept", ""))
    question = route.read(value, urlencode(pairs).encode())
    if question.history or question.dossier or question.emergency:
        raise MalformedRequest(
            Issue("unknownInput", "query", "query", "what is open has no past, no case and no emergency")
        )
    spoken = language(request.headers.get("accept-language", "").encode("latin-1"))
    copy = await door.ask(route.service, question.keys, question.fields, spoken, request.scope["integrator.trace"])
    answer, seconds = copy.answer, int(door.copies.seconds)
    data = render(form, answer.body, answer.payload, route.service.list_name)
    recorded = record_headers(f"{answer.shard}/{','.join(map(str, answer.entries))}", answer.receipt, answer.trace)
    more = {name.decode(): word.decode() for name, word in recorded}
    links = _links(route.service, request.scope["path"], dict(pairs), answer.body, asked)
    if form == "json":
        links.append(f'<{CONTEXT}>; rel="http://www.w3.org/ns/json-ld#context"; type="application/ld+json"')
    return respond(
        request.headers, form, data, changed=copy.changed, seconds=seconds, age=min(seconds, int(now() - copy.fetched)),
        more={**more, **({"link": ", ".join(links)} if links else {})},
    )  # fmt: skip


def _without_format(query: bytes) -> tuple[list[tuple[str, str]], str | None]:
    """The parameters of the service, and the form that was asked for. Raises `MalformedRequest`."""
    try:
        pairs = parse_qsl(query.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=50)
    except ValueError:
        raise MalformedRequest(
            Issue("schemaViolation", "query", "query", "write it as name=value&name=value")
        ) from None
    asked = [value for name, value in pairs if name == "format"]
    if len(asked) > 1:
        raise MalformedRequest(Issue("schemaViolation", "query", "format", "each parameter at most once"))
    return [pair for pair in pairs if pair[0] != "format"], asked[0] if asked else None


def _links(
    service: Service, path: str, values: Mapping[str, str], body: Mapping[str, Any], form: str | None
) -> list[str]:
    """The pages before and after this one, where the service has pages (RFC 8288)."""
    if "page" not in service.keys:
        return []
    page = int(values.get("page", "1"))
    beside = {"prev": page - 1, "next": page + 1 if body.get("isComplete") is False else 0}
    kept = {**values, **({"format": form} if form else {})}
    return [
        f'<{path}?{urlencode({**kept, "page": number})}>; rel="{name}"' for name, number in beside.items() if number > 0
    ]
