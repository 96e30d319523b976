"""belgianAddress/v2 over HTTP: trace id, path, parameters, page. Refuses as documented; see mock.yaml."""

from __future__ import annotations

import re
import uuid
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import unquote, urlencode

import orjson

from mock_sources.asgi import JSON, PROBLEM, Receive, Scope, Send, header, issue, problem, query_pairs, respond
from mock_sources.sources.best.gazetteer import Gazetteer, Page
from mock_sources.sources.best.ids import API, COLLECTIONS, number_of
from mock_sources.sources.best.question import Question, QuestionRefused, read
from mock_sources.sources.best.render import everything
from mock_sources.world import World

_TRACE, _RELATED = b"belgov-trace-id", b"belgov-related-trace-id"
_TRACE_FORM = re.compile(rb"[\w.-]{1,36}", re.ASCII)
_KINDS = {collection: kind for kind, collection in COLLECTIONS.items()}
_EMBEDDABLE = ("hasStreetName", "hasMunicipality", "hasPostalInfo")

Answer = tuple[int, dict[str, Any]]


class BelgianAddress:
    """ASGI callable for /belgianAddress/v2/… and /health."""

    def __init__(self, world: World) -> None:
        self._gazetteer = Gazetteer(world)
        self._search: dict[str, Callable[[Question], Awaitable[Page]]] = {
            "municipalities": self._gazetteer.municipalities,
            "postalInfos": self._gazetteer.postal_infos,
            "streets": self._gazetteer.streets,
            "addresses": self._gazetteer.addresses,
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Every answer, refusals too, carries a trace id of its own and names the caller's as related."""
        related = header(scope, _TRACE)
        trace = [(_TRACE, str(uuid.uuid4()).encode())]
        if related is not None and _TRACE_FORM.fullmatch(related):
            trace.append((_RELATED, related))
        status, document = await self._answer(scope, related)
        kind = JSON if status < 400 else PROBLEM
        await respond(send, status, orjson.dumps(document), kind, trace)

    async def _answer(self, scope: Scope, trace: bytes | None) -> Answer:
        if scope["method"] != "GET":
            return _refused(405, "methodNotAllowed", "GET")
        if scope["path"] == "/health":
            return 200, {"status": "UP"}
        if trace is None or not _TRACE_FORM.fullmatch(trace):
            missing = issue("requiredInput", "header", "BelGov-Trace-Id", "1 to 36 letters, digits, '.', '_' or '-'")
            return 400, problem(400, "badRequest", "each call needs a trace id", [missing])
        collection, _, encoded = _raw(scope).removeprefix(API).partition("/")
        if not _raw(scope).startswith(API) or collection not in self._search:
            return _refused(404, "resourceNotFound", "no such resource")
        if scope.get("mock.fault") == "throttled":
            return 200, problem(429, "tooManyRequests", "too many simultaneous requests")
        if encoded:
            return self._one(_KINDS[collection], encoded, scope)
        return await self._many(collection, scope)

    def _one(self, kind: str, encoded: str, scope: Scope) -> Answer:
        """The id is one path segment, so its slashes and colon must be encoded."""
        if query_pairs(scope):
            unknown = [issue("unknownInput", "query", name, "not a parameter here") for name, _ in query_pairs(scope)]
            return 400, problem(400, "badRequest", "the question is not valid", unknown)
        number = None if "/" in encoded else number_of(kind, unquote(encoded))
        found = None if number is None else self._gazetteer.one(kind, number)
        if found is None:
            return _refused(404, "resourceNotFound", "no object has this id")
        return 200, self._as_faulty(kind, [found], scope)[0]

    async def _many(self, collection: str, scope: Scope) -> Answer:
        try:
            question = read(collection, query_pairs(scope))
        except QuestionRefused as error:
            return 400, problem(400, "badRequest", "the question is not valid", error.issues)
        total, items = await self._search[collection](question)
        if items and scope.get("mock.fault") == "wrong_subject":
            total, items = 1, items[:1]
        items = self._as_faulty(_KINDS[collection], items, scope)
        pages = -(-total // question.page_size)
        body: dict[str, Any] = {"self": _link(scope, question, question.page), "items": items}
        if question.embed or scope.get("mock.fault") == "over_delivery":
            body["embedded"] = self._embedded(items)
        sizes = {"total": total, "page": question.page, "pageSize": question.page_size, "totalPages": pages}
        return 200, {**body, **_neighbours(scope, question, pages), **sizes}

    def _as_faulty(self, kind: str, items: list[dict[str, Any]], scope: Scope) -> list[dict[str, Any]]:
        fault = scope.get("mock.fault")
        if fault == "wrong_subject":
            return [self._gazetteer.elsewhere(kind, one) for one in items]
        return [everything(one) for one in items] if fault == "over_delivery" else items

    def _embedded(self, items: list[dict[str, Any]]) -> dict[str, Any]:
        """The objects that the items point to, under the very href they are pointed to with, each once."""
        places = dict.fromkeys(item[name]["href"] for item in items for name in _EMBEDDABLE if name in item)
        return {place: self._at(place) for place in places}

    def _at(self, place: str) -> dict[str, Any] | None:
        collection, _, encoded = place.removeprefix(API).partition("/")
        number = number_of(_KINDS[collection], unquote(encoded))
        return None if number is None else self._gazetteer.one(_KINDS[collection], number)


def _raw(scope: Scope) -> str:
    """The path before decoding: an encoded slash belongs to an id, a plain one does not."""
    return bytes(scope["raw_path"]).partition(b"?")[0].decode("latin-1")


def _refused(status: int, kind: str, detail: str) -> Answer:
    return status, problem(status, kind, detail)


def _link(scope: Scope, question: Question, page: int) -> str:
    """The question for that page as an absolute address, on the host that the caller used."""
    query = dict(question.given)
    if page != 1 or "page" in query:
        query["page"] = str(page)
    host = (header(scope, b"host") or b"127.0.0.1").decode("latin-1")
    path = f"http://{host}{scope.get('root_path', '')}{scope['path']}"
    return f"{path}?{urlencode(query)}" if query else path


def _neighbours(scope: Scope, question: Question, pages: int) -> dict[str, str]:
    """first, last, next and prev, where they exist."""
    if pages == 0:
        return {}
    wanted = {"first": 1, "last": pages}
    if question.page < pages:
        wanted["next"] = question.page + 1
    if 1 < question.page <= pages + 1:
        wanted["prev"] = question.page - 1
    return {name: _link(scope, question, page) for name, page in wanted.items()}
