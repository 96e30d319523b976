"""/policy/v1: the life of a text for programs, with the same rights and the same two people as the pages.

POST /policy/v1/proposals            {"texts": ["purpose: …"], "from": {"school_bonus": "sha256:…"}, "reason": "…",
                                      "effective": "2027-01-01"}
GET  /policy/v1/proposals            GET /policy/v1/proposals/{id}
POST /policy/v1/proposals/{id}/approve | refuse | withdraw        {"reason": "…"} (not of approve)
POST /policy/v1/suspensions          {"authorisation": "…", "organisation": "…", "reason": "…"}
POST /policy/v1/suspensions/{id}/askBack | giveBack
GET  /policy/v1/texts                the texts in force: digests, revision; of each the newest, which a change is written from
POST /policy/v1/replay               {"texts": […], "days": 30}
POST /policy/v1/diet                 {"days": 90}
GET  /policy/v1/register             art. 30, open to anyone; GET /policy/v1/openapi.json
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import orjson
from fastapi import APIRouter, Request, Response

from integrator import clock
from integrator.consoles.governing.describing import describe
from integrator.consoles.governing.register import names_of
from integrator.consoles.governing.telling import proposal_json, suspension_json, use_json
from integrator.consoles.people import Person
from integrator.consoles.web import Consoles
from integrator.errors import Issue, MalformedRequest
from integrator.governing.opening import Governing
from integrator.governing.replaying import Replay
from integrator.governing.rights import ROLES, traffic_seen
from integrator.governing.texts import digest, purpose_of, whole
from integrator.governing.words import GoverningRefused, NotThere

Current = Callable[[Request], Awaitable[Person]]  # raises UnknownCaller
Body = Callable[[Request], Awaitable[Mapping[str, Any]]]
_ID = re.compile(r"[0-9a-f]{32}", re.ASCII).fullmatch
_ROOT = "/policy/v1"
READERS = ROLES | {"auditor"}


def router(consoles: Consoles, governing: Governing, current: Current, body: Body) -> APIRouter:
    """Routes over one office. `current` says who asks; `body` reads a bounded JSON object."""
    routes = APIRouter(prefix=_ROOT)
    office, suspending = governing.office, governing.suspending
    document = orjson.dumps(describe())

    async def reader(request: Request) -> Person:
        person = await current(request)
        if not person.roles & READERS:
            raise GoverningRefused("NOT_FOR_YOU")
        return person

    async def governor(request: Request) -> Person:
        """Who may take steps: what runs over the whole ledger is for them too."""
        person = await current(request)
        if not person.roles & ROLES:
            raise GoverningRefused("NOT_FOR_YOU")
        return person

    @routes.get("/openapi.json")
    async def described() -> Response:
        return Response(document, media_type="application/json")

    @routes.get("/register")
    async def register() -> Response:
        return _json((await governing.register(names_of(consoles.book))).json())

    @routes.get("/texts")
    async def texts(request: Request) -> Response:
        await reader(request)
        force = governing.live.current
        newest = await _thread(office.newest)
        items = [
            {"purpose": code, "digest": f"sha256:{digest(text)}", "newest": f"sha256:{digest(newest[code])}"}
            for code, text in sorted(force.texts.items())
        ]
        return _json({"revision": force.revision, "set": f"sha256:{force.digest}", "items": items})

    @routes.post("/proposals")
    async def propose(request: Request) -> Response:
        person = await governor(request)
        said = _read(await body(request), {"texts": list, "reason": str}, {"effective": str, "from": dict})
        moment = _moment(said, governing.now())
        made = await office.propose(person, _texts(said), said["reason"], moment, _bases(said))
        return _json(proposal_json(made, whole=True, org=traffic_seen(person)), 201)

    @routes.get("/proposals")
    async def proposals(request: Request) -> Response:
        await reader(request)
        found = await _thread(office.store.newest)
        return _json({"items": [proposal_json(one) for one in found]})

    @routes.get("/proposals/{id_}")
    async def proposal(request: Request, id_: str) -> Response:
        person = await reader(request)
        return _json(proposal_json(await office.find(_number(id_)), whole=True, org=traffic_seen(person)))

    @routes.post("/proposals/{id_}/approve")
    async def approve(request: Request, id_: str) -> Response:
        person = await current(request)
        _read(await body(request), {})
        return _json(proposal_json(await office.approve(person, _number(id_))))

    @routes.post("/proposals/{id_}/refuse")
    async def refuse(request: Request, id_: str) -> Response:
        person = await current(request)
        said = _read(await body(request), {"reason": str})
        return _json(proposal_json(await office.refuse(person, _number(id_), said["reason"])))

    @routes.post("/proposals/{id_}/withdraw")
    async def withdraw(request: Request, id_: str) -> Response:
        person = await current(request)
        said = _read(await body(request), {"reason": str})
        return _json(proposal_json(await office.withdraw(person, _number(id_), said["reason"])))

    @routes.get("/suspensions")
    async def suspensions(request: Request) -> Response:
        await reader(request)
        return _json({"items": [suspension_json(one) for one in await _thread(office.store.suspensions)]})

    @routes.post("/suspensions")
    async def suspend(request: Request) -> Response:
        person = await current(request)
        said = _read(await body(request), {"authorisation": str, "reason": str}, {"organisation": str})
        made = await suspending.suspend(person, said["authorisation"], said.get("organisation"), said["reason"])
        return _json(suspension_json(made), 201)

    @routes.post("/suspensions/{id_}/askBack")
    async def ask_back(request: Request, id_: str) -> Response:
        person = await current(request)
        said = _read(await body(request), {"reason": str})
        return _json(suspension_json(await suspending.ask_back(person, _number(id_), said["reason"])))

    @routes.post("/suspensions/{id_}/giveBack")
    async def give_back(request: Request, id_: str) -> Response:
        person = await current(request)
        _read(await body(request), {})
        return _json(suspension_json(await suspending.give_back(person, _number(id_))))

    @routes.post("/replay")
    async def replay(request: Request) -> Response:
        person = await governor(request)
        said = _read(await body(request), {"texts": list}, {"days": int})
        texts = _texts(said)
        changed = await _thread(lambda: {purpose_of(text): text for text in texts})
        _, wrong = await _thread(lambda: whole(changed, governing.organisations))
        if wrong:
            advice = "a text that can be read: `integrator policy check` and a proposal say what is wrong with it"
            raise MalformedRequest(Issue("schemaViolation", "body", "/texts", advice))
        found = await governing.replay(changed, _days(said, 30), org=traffic_seen(person))
        return _json((found or Replay(0, 0, 0, 0, ())).json())

    @routes.post("/diet")
    async def diet(request: Request) -> Response:
        person = await governor(request)
        days = _days(_read(await body(request), {}, {"days": int}), 90)
        return _json({"days": days, "items": use_json(await governing.diet(traffic_seen(person), days))})

    return routes


def _read(
    body: Mapping[str, Any], needed: Mapping[str, type], more: Mapping[str, type] | None = None
) -> dict[str, Any]:
    known = {**needed, **(more or {})}
    wrong = [
        Issue("schemaViolation", "body", f"/{name}", f"{kind.__name__} is expected")
        for name, kind in known.items()
        if (name in needed and name not in body) or (name in body and type(body[name]) is not kind)
    ]
    wrong += [Issue("unknownInput", "body", "/", f"send {', '.join(known) or 'an empty object'}")] * bool(
        set(body) - set(known)
    )
    if wrong:
        raise MalformedRequest(*wrong)
    return dict(body)


def _texts(said: Mapping[str, Any]) -> list[bytes]:
    if not all(isinstance(text, str) for text in said["texts"]):
        raise MalformedRequest(Issue("schemaViolation", "body", "/texts", "each text is a string of YAML"))
    return [text.encode() for text in said["texts"]]


def _bases(said: Mapping[str, Any]) -> dict[str, str]:
    """By purpose, the digest of the text it was written from."""
    named = said.get("from", {})
    if not all(isinstance(one, str) for one in named.values()):
        raise MalformedRequest(
            Issue("schemaViolation", "body", "/from", "of each purpose sha256:… of the text changed")
        )
    return {code: one.removeprefix("sha256:") for code, one in named.items()}


def _moment(said: Mapping[str, Any], now: float) -> int:
    """A day (its first second, UTC) or a moment; left out: at once."""
    text = said.get("effective")
    try:
        return int(now if text is None else clock.moment(text))
    except ValueError as error:
        raise MalformedRequest(Issue("schemaViolation", "body", "/effective", "2027-01-01, or with a time")) from error


def _days(said: Mapping[str, Any], default: int) -> int:
    days: int = said.get("days", default)
    if not 1 <= days <= 366:
        raise MalformedRequest(Issue("outOfRange", "body", "/days", "1 to 366"))
    return days


def _number(id_: str) -> str:
    if not _ID(id_):
        raise NotThere
    return id_


async def _thread(work: Callable[[], Any]) -> Any:
    return await asyncio.to_thread(work)


def _json(answer: Any, status: int = 200) -> Response:
    return Response(orjson.dumps(answer), status, {"cache-control": "no-store"}, "application/json")
