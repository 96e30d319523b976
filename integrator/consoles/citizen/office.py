"""For data protection officers: contests of citizens, to take up and to answer."""

from __future__ import annotations

from starlette.responses import Response

from integrator.consoles.citizen.api import office_of, role_of
from integrator.consoles.citizen.contesting import contests_of, shown
from integrator.consoles.citizen.contests import WORDS, Contest, ContestRefused
from integrator.consoles.rooms import Room
from integrator.consoles.visit import Visit
from integrator.consoles.web import PageRefused

room = Room("contests", frozenset({"dpo", "hub_dpo"}))


@room.get("/", menu="me.office")
async def contests(visit: Visit) -> Response:
    """Those under way first, the most urgent on top."""
    found = [shown(visit, one) for one in await contests_of(visit).at(office_of(visit.person))]
    found.sort(key=lambda one: (one.ended, one.contest.due if not one.ended else one.contest.opened))
    return visit.page("me/office.html", contests=found)


@room.get("/one")
async def one(visit: Visit) -> Response:
    return _page(visit, await _found(visit, visit.query.get("id", "")))


@room.post("/take")
async def take(visit: Visit) -> Response:
    found = await _found(visit, visit.form["id"])
    try:
        await contests_of(visit).take(found, visit.person.id, role_of(visit.person))
        visit.say("me.office_taken", number=found.number)
    except ContestRefused:
        visit.say("me.too_late")
    return visit.go(f"/contests/one?id={found.id}")


@room.post("/answer")
async def answer(visit: Visit) -> Response:
    found, words = await _found(visit, visit.form["id"]), visit.form["answer"]
    try:
        await contests_of(visit).answer(found, visit.person.id, role_of(visit.person), words)
        visit.say("me.office_answered", number=found.number)
    except ContestRefused as error:
        if error.reason == "WORDS":
            return _page(visit, found, wrong=True, words=words)
        visit.say("me.too_late")
    return visit.go("/contests/")


def _page(visit: Visit, found: Contest, *, wrong: bool = False, words: str = "") -> Response:
    return visit.page(
        "me/office_one.html", status=400 if wrong else 200, shown=shown(visit, found), wrong=wrong, words=words,
        least=WORDS[0], most=WORDS[1],
    )  # fmt: skip


async def _found(visit: Visit, id_: str) -> Contest:
    found = await contests_of(visit).find(id_, org=office_of(visit.person))
    if found is None:
        raise PageRefused("not_there", 404)
    return found
