"""The pages: what waits for the data protection officer, and the keys of the applications that were let in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any

from starlette.responses import Response

from integrator.consoles.rooms import Room
from integrator.consoles.visit import Visit
from integrator.consoles.web import PageRefused
from integrator.identity.applications import Application
from integrator.identity.changes import KeyRefused
from integrator.identity.enrolment import EnrolmentRefused, Office, RequestUnknown, Waiting

room = Room("applications", frozenset({"dpo", "hub_dpo"}))
Page = Callable[[Visit], Awaitable[Response]]
LEAST, MOST = 10, 500  # characters of a reason


def office_of(visit: Visit) -> Office:
    """The office of this hub. Raises `PageRefused` where there is none."""
    office = visit.consoles.extras.get("enrolment")
    if not isinstance(office, Office):
        raise PageRefused("not_there", 404)
    return office


def guarded(act: Page) -> Page:
    """What cannot be done (any more) is said on the list; what is not this person's does not exist."""

    @wraps(act)
    async def inner(visit: Visit) -> Response:
        try:
            return await act(visit)
        except (RequestUnknown, KeyRefused) as error:
            raise PageRefused("not_there", 404) from error
        except EnrolmentRefused as error:
            visit.say(f"applications.no_{error.reason.lower()}")
            return visit.go("/applications/")

    return inner


@room.get("/", menu="applications.menu")
async def home(visit: Visit) -> Response:
    office, org = office_of(visit), visit.person.org
    requests = await office.pile.all(org)
    return visit.page(
        "applications/home.html", waiting=[one for one in requests if one.state == "waiting"],
        decided=[one for one in requests if one.state != "waiting"], applications=await office.desk.applications(org),
        mine=_decides(visit), purposes=lambda codes: _purposes(visit, codes), keys=_keys, now=visit.consoles.now(),
        organisation=lambda number: visit.consoles.book.organisation(number, visit.language),
    )  # fmt: skip


@room.post("/{id}/approve", roles={"dpo"})
@guarded
async def approve(visit: Visit) -> Response:
    one = await _own_request(visit)
    await office_of(visit).approve(one.id, "dpo", visit.person.id)
    visit.say("applications.said_approved")
    return visit.go("/applications/")


@room.post("/{id}/refuse", roles={"dpo"})
@guarded
async def refuse(visit: Visit) -> Response:
    one, words = await _own_request(visit), _words(visit)
    if words is None:
        return _too_short(visit)
    await office_of(visit).refuse(one.id, "dpo", visit.person.id, words)
    visit.say("applications.said_refused")
    return visit.go("/applications/")


@room.post("/keys/revoke", roles={"dpo"})
@guarded
async def revoke(visit: Visit) -> Response:
    one, words = await _own_application(visit), _words(visit)
    if words is None:
        return _too_short(visit)
    await office_of(visit).desk.revoke(one.id, visit.form["kid"], "dpo", visit.person.id, words)
    visit.say("applications.said_revoked")
    return visit.go("/applications/")


def _decides(visit: Visit) -> bool:
    return "dpo" in visit.person.roles and visit.person.org is not None


async def _own_request(visit: Visit) -> Waiting:
    """Raises `RequestUnknown`, also for another organisation's."""
    found = await office_of(visit).pile.find(visit.request.path_params["id"])
    if found is None or found.organisation != visit.person.org:
        raise RequestUnknown
    return found


async def _own_application(visit: Visit) -> Application:
    for one in await office_of(visit).desk.applications(visit.person.org):
        if one.id == visit.form["application"] and one.organisation == visit.person.org:
            return one
    raise RequestUnknown


def _words(visit: Visit) -> str | None:
    words = " ".join(visit.form["reason"].split())
    return words if LEAST <= len(words) <= MOST else None


def _too_short(visit: Visit) -> Response:
    visit.say("shell.why_short")
    return visit.go("/applications/")


def _purposes(visit: Visit, codes: Any) -> list[str]:
    titles = {aim.code: aim.title.in_(visit.language) for aim in visit.consoles.book.aims.values()}
    return [titles.get(code, code) for code in sorted(codes)]


def _keys(one: Application) -> list[tuple[str, Any]]:
    return [(kid, one.life(kid)) for kid in dict.fromkeys([*one.keys, *one.lives])]
