"""/audit/v1: the questions of the consoles for programs. One POST for each question, the same desk, the same rights.

    POST /audit/v1/about            {"reason": "complaint 2026/44", "subject": {"type": "nrn", "id": "…"}}
    GET  /audit/v1/questions        what the person behind the token may ask
    GET  /audit/v1/openapi.json     all of this, described

Who asks is told by the bearer token of a session at the consoles. Every question is a POST, so that no number ever
stands in an address; answers are never cached.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import orjson
from fastapi import APIRouter, Request, Response

from audit.errors import NotPublished
from integrator.consoles import describing
from integrator.consoles.asking import SHAPES, read_question, schema
from integrator.consoles.book import LANGUAGES, Book
from integrator.consoles.looking import Desk
from integrator.consoles.rights import LedgerUnreadable, NothingThere, Person, questions
from integrator.consoles.telling import answer_json

_NEVER_KEPT = {"cache-control": "no-store"}
_ROOT = "/audit/v1"

Current = Callable[[Request], Awaitable[Person]]  # raises UnknownCaller
Body = Callable[[Request], Awaitable[Mapping[str, Any]]]  # the JSON object of a request; raises MalformedRequest


def router(desk: Desk, book: Book, current: Current, body: Body) -> APIRouter:
    """Routes over one desk."""
    routes = APIRouter(prefix=_ROOT)
    document = orjson.dumps(describe())

    @routes.get("/openapi.json")
    async def described() -> Response:
        return Response(document, media_type="application/json")

    @routes.get("/questions")
    async def mine(request: Request) -> Response:
        person = await current(request)
        items = [{"question": _path(name), "what": questions()[name].what} for name in desk.questions(person)]
        return _json({"items": items})

    for name in questions():
        routes.add_api_route("/" + _path(name), _ask(name, desk, book, current, body), methods=["POST"])
    return routes


def _ask(name: str, desk: Desk, book: Book, current: Current, body: Body) -> Callable[[Request], Awaitable[Response]]:
    async def ask(request: Request) -> Response:
        person = await current(request)
        asked = read_question(name, await body(request))
        try:
            answer = await desk.look(person, name, **asked)
        except NotPublished as error:
            raise LedgerUnreadable("the evidence is not published yet; ask again in a minute") from error
        if answer is None:
            raise NothingThere
        if isinstance(answer, bytes):
            name_ = {"content-disposition": f'attachment; filename="{"day" if name == "day" else "evidence"}.zip"'}
            return Response(answer, media_type="application/zip", headers=_NEVER_KEPT | name_)
        subject = asked.get("subject")
        office = bool(person.roles - {"citizen"}) and (subject is None or subject != person.subject)
        return _json(answer_json(answer, book, language_of(request), "person" if office else "you"))

    return ask


def language_of(request: Request) -> str:
    """The first language of Accept-Language that we speak; French otherwise, as everywhere in the hub.

    No quality values are weighed: whoever sends them writes the best one first.
    """
    for wish in request.headers.get("accept-language", "").lower().split(","):
        if wish.strip()[:2] in LANGUAGES:
            return wish.strip()[:2]
    return "fr"


def describe() -> dict[str, Any]:
    """The OpenAPI 3.1 description."""
    problem = {
        "description": "What is wrong and what to do.",
        "content": {"application/problem+json": {"schema": {"type": "object"}}},
    }
    mine = {
        "operationId": "questions",
        "summary": "What you may ask",
        "responses": {"200": _answer("application/json"), "401": problem},
    }
    paths: dict[str, Any] = {f"{_ROOT}/questions": {"get": mine}, **describing.paths(problem)}
    for name, line in questions().items():
        kind = "application/zip" if name in ("proof", "day") else "application/json"
        who = ", ".join(f"{role} ({scope})" for role, scope in line.roles.items())
        paths[f"{_ROOT}/{_path(name)}"] = {
            "post": {
                "operationId": _path(name),
                "summary": line.what[0].upper() + line.what[1:],
                "description": f"For: {who}." + (" The look is written in the ledger." if line.recorded else ""),
                "requestBody": {"required": True, "content": {"application/json": {"schema": schema(name)}}},
                "responses": {"200": _answer(kind), **dict.fromkeys(("400", "401", "403", "404", "503"), problem)},
            }
        }
    return {
        "openapi": "3.1.0",
        "info": {"title": "Questions to the audit ledger", "version": "1", "description": (__doc__ or "").split("\n")[0]},
        "paths": paths,
        "components": {"securitySchemes": {"session": {"type": "http", "scheme": "bearer", "description": "Token of a session at the consoles."}}},
        "security": [{"session": []}],
    }  # fmt: skip


def _answer(kind: str) -> dict[str, Any]:
    return {
        "description": "The answer.",
        "content": {kind: {"schema": {} if kind.endswith("zip") else {"type": "object"}}},
    }


def _path(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def _json(answer: dict[str, Any]) -> Response:
    return Response(orjson.dumps(answer), media_type="application/json", headers=_NEVER_KEPT)


__all__ = ["SHAPES", "Body", "Current", "describe", "language_of", "router"]
