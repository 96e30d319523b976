"""The page of names: what was asked, what waits for me, and the name itself while it is open."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import wraps

from starlette.responses import Response

from integrator.consoles.explain import explain
from integrator.consoles.reveals.opener import DAYS, Opener, RevealRefused
from integrator.consoles.rights import NothingThere
from integrator.consoles.rooms import Room
from integrator.consoles.visit import Visit
from integrator.consoles.web import PageRefused
from integrator.errors import MalformedRequest

room = Room("reveals", frozenset({"dpo", "hub_dpo"}))
Page = Callable[[Visit], Awaitable[Response]]


def opener_of(visit: Visit) -> Opener:
    opener = visit.consoles.extras.get("reveals")
    if not isinstance(opener, Opener):
        raise PageRefused("not_there", 404)
    return opener


def guarded(page: Page) -> Page:
    """What cannot be done is said on the list."""

    @wraps(page)
    async def inner(visit: Visit) -> Response:
        try:
            return await page(visit)
        except NothingThere as error:
            raise PageRefused("not_there", 404) from error
        except RevealRefused as error:
            visit.say(f"reveals.no_{error.reason.lower()}")
        except MalformedRequest:
            visit.say("reveals.no_reason")
        return visit.go("/reveals/")

    return inner


@room.get("/", menu="reveals.menu")
async def reveals(visit: Visit) -> Response:
    opener, now = opener_of(visit), visit.consoles.now()
    rows = [
        {"one": one, "open": one.open(now), "mine": one.asked_by == visit.person.id,
         "office": visit.consoles.book.organisation(one.org, visit.language)}
        for one in await opener.all(visit.person)
    ]  # fmt: skip
    return visit.page("reveals/list.html", rows=rows)


@room.get("/ask")
async def ask_form(visit: Visit) -> Response:
    """For one entry, named by its place in the ledger, which says nothing of anybody."""
    shard, index = visit.query.get("shard", ""), visit.query.get("index", "")
    if not index.isdigit() or not shard:
        raise PageRefused("not_there", 404)
    return visit.page("reveals/ask.html", shard=shard, index=index, most=DAYS[1])


@room.post("/ask")
@guarded
async def ask(visit: Visit) -> Response:
    form = visit.form
    if not form["index"].isdigit():
        raise NothingThere
    days = int(form["days"]) if form["days"].isdigit() else 0
    await opener_of(visit).ask(visit.person, visit.person.name, form["shard"], int(form["index"]), form["reason"], days)
    visit.say("reveals.asked")
    return visit.go("/reveals/")


@room.post("/{id}/{step}")
@guarded
async def decide(visit: Visit) -> Response:
    opener, id_ = opener_of(visit), str(visit.request.path_params["id"])
    match visit.request.path_params["step"]:
        case "grant":
            await opener.grant(visit.person, visit.person.name, id_)
            visit.say("reveals.granted")
        case "refuse":
            await opener.refuse(visit.person, visit.person.name, id_, visit.form["why"])
            visit.say("reveals.refused")
        case "show":
            return await _show(visit, id_)
        case _:
            raise NothingThere
    return visit.go("/reveals/")


async def _show(visit: Visit, id_: str) -> Response:
    """The name: a look of its own, for the reason it was asked."""
    one = await opener_of(visit).one(visit.person, id_)
    found = await visit.consoles.desk.look(visit.person, "details", one.reason, shard=one.shard, index=one.index)
    if found is None:
        raise NothingThere
    row, details = found
    told = explain(row, visit.consoles.book, visit.language, viewer="person", details=details)
    return visit.page(
        "reveals/name.html", one=one, row=row, told=told, agent=details.agent, until=(one.until or 0) * 1_000_000
    )
