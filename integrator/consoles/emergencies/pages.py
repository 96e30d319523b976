"""The page of emergencies: what waits for a second person, until when, and what was decided."""

from __future__ import annotations

from starlette.responses import Response

from integrator.consoles.emergencies.second import SecondPersons
from integrator.consoles.rights import NothingThere
from integrator.consoles.rooms import Room
from integrator.consoles.visit import Visit
from integrator.consoles.web import PageRefused
from integrator.emergency import Emergency, SecondPersonRefused

room = Room("emergencies", frozenset({"dpo", "hub_dpo"}))


def _office(visit: Visit) -> SecondPersons:
    found = visit.consoles.extras.get("emergencies")
    if not isinstance(found, SecondPersons):
        raise PageRefused("not_there", 404)
    return found


@room.get("/", menu="emergencies.menu")
async def emergencies(visit: Visit) -> Response:
    now, book = visit.consoles.now(), visit.consoles.book
    rows = [
        {"one": one, "late": one.state == "open" and one.due <= now, "office": book.organisation(one.organisation, visit.language)}
        | _told(visit, one)
        for one in await _office(visit).known(visit.person)
    ]  # fmt: skip
    return visit.page("emergencies/list.html", rows=rows)


def _told(visit: Visit, one: Emergency) -> dict[str, str]:
    """What was asked and which condition was broken, in the reader's words; its code where there are none."""
    book, language = visit.consoles.book, visit.language
    service, purpose = book.services.get(one.service), book.purpose(one.purpose)
    return {
        "service": service.in_(language) if service else one.service,
        "purpose": purpose.title.in_(language) if purpose else one.purpose,
        "broken": str(book.words[language]["reasons"].get(one.broken, one.broken)),
    }


@room.post("/{id}/{step}")
async def decide(visit: Visit) -> Response:
    step = str(visit.request.path_params["step"])
    if step not in ("confirm", "reject"):
        raise PageRefused("not_there", 404)
    try:
        one = await _office(visit).decide(
            visit.person, str(visit.request.path_params["id"]), confirmed=step == "confirm"
        )
    except NothingThere as error:
        raise PageRefused("not_there", 404) from error
    except SecondPersonRefused as error:
        visit.say(f"emergencies.no_{error.reason.lower()}")
    else:
        visit.say(f"emergencies.said_{one.state}")
    return visit.go("/emergencies/")
