"""/audit/v1/orders: the same orders for programs, with the same rights and the same second person.

POST /audit/v1/orders/prepare   {"action": "restrict", "place": "…", "ground": "crime", …}   what it would do
POST /audit/v1/orders/ask       {"id": "…"}      also agree, withdraw, refuse (with "reason"), read
POST /audit/v1/orders/list      {}               orders, holds and restrictions of one's reach
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import orjson
from fastapi import APIRouter, Request, Response

from integrator.consoles.api import Body
from integrator.consoles.orders.carrying import Plan
from integrator.consoles.orders.office import Orders
from integrator.consoles.orders.pile import Asked
from integrator.consoles.orders.wanted import read_wanted
from integrator.consoles.people import Person
from integrator.consoles.telling import iso
from integrator.errors import Issue, MalformedRequest

Current = Callable[[Request], Awaitable[Person]]  # raises UnknownCaller
_ID = re.compile(r"[0-9a-f]{16}", re.ASCII).fullmatch


def router(office: Orders, current: Current, body: Body) -> APIRouter:
    """Routes over one office. `current` says who asks; `body` reads a bounded JSON object."""
    routes = APIRouter(prefix="/audit/v1/orders")

    @routes.post("/prepare")
    async def prepare(request: Request) -> Response:
        person = await current(request)
        wanted = read_wanted(await body(request), office.today, office.classes)
        return await _told(office, person, await office.prepare(person, wanted), 201)

    @routes.post("/list")
    async def listing(request: Request) -> Response:
        person = await current(request)
        _read(await body(request), ())
        holds, restricted = await office.standing(person)
        return _json(
            {
                "orders": [_order(one) for one in await office.known(person)],
                "holds": [
                    _full({"class": one.retention, "month": one.month, "review": one.review.isoformat(), "entry": f"{one.shard}/{one.index}"})
                    for one in holds
                ],
                "restrictions": [
                    _full({"traceId": one.trace, "organisation": one.org, "lines": one.lines, "review": one.first.review.isoformat()})
                    for one in restricted
                ],
            }
        )  # fmt: skip

    @routes.post("/{act}")
    async def act(act: str, request: Request) -> Response:
        person = await current(request)
        deeds = {"ask": office.ask, "withdraw": office.withdraw, "agree": office.agree}
        if act == "refuse":
            said = _read(await body(request), ("id", "reason"))
            await office.refuse(person, said["id"], said["reason"])
            return await _told(office, person, said["id"])
        said = _read(await body(request), ("id",))
        if act in deeds:
            await deeds[act](person, said["id"])
        elif act != "read":
            raise MalformedRequest(
                Issue("unknownInput", "path", "act", "prepare, ask, agree, refuse, withdraw, read or list"), status=404
            )
        return await _told(office, person, said["id"])

    return routes


async def _told(office: Orders, person: Person, id_: str, status: int = 200) -> Response:
    asked = await office.order(person, id_)
    plan = (await office.preview(person, asked))[0] if asked.state in ("draft", "asked") else None
    return _json(_order(asked, plan), status)


def _order(asked: Asked, plan: Plan | None = None) -> dict[str, Any]:
    wanted = asked.wanted
    return _full(
        {
            "id": asked.id, "state": asked.state, "action": wanted.action, "place": wanted.place or None, "class": wanted.retention,
            "month": wanted.month, "review": wanted.review, "ground": wanted.ground, "authority": wanted.authority,
            "reference": wanted.reference or None, "reason": wanted.reason, "organisation": asked.org,
            "askedBy": asked.asker_name, "askedAt": iso(asked.asked * 1_000_000), "second": asked.second_name,
            "refusal": asked.words or None, "entries": list(asked.entries) or None,
            "lines": plan.count if plan else None, "obstacle": plan.obstacle.upper() or None if plan else None,
        }
    )  # fmt: skip


def _read(body: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, str]:
    if set(body) != set(names) or not all(isinstance(value, str) for value in body.values()):
        raise MalformedRequest(Issue("schemaViolation", "body", "/", f"send {', '.join(names) or 'an empty object'}"))
    if "id" in body and not _ID(body["id"]):
        raise MalformedRequest(Issue("schemaViolation", "body", "/id", "the id that prepare gave"))
    return dict(body)


def _full(body: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if value is not None}


def _json(answer: dict[str, Any], status: int = 200) -> Response:
    return Response(orjson.dumps(answer), status, {"cache-control": "no-store"}, "application/json")
