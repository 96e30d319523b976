"""The pages of orders: what waits and what stands, a form, one order in plain words with its two people."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import wraps

from starlette.responses import Response

from integrator.consoles.explain import explain
from integrator.consoles.orders.carrying import Plan
from integrator.consoles.orders.office import OrderNotNow, Orders
from integrator.consoles.orders.pile import Asked
from integrator.consoles.orders.wanted import (
    ABOUT_LINES,
    ACTIONS,
    AUTHORITIES,
    KEYS,
    OUTSIDE,
    REVIEWED,
    grounds,
    read_wanted,
)
from integrator.consoles.rights import NothingThere
from integrator.consoles.rooms import Room
from integrator.consoles.visit import Visit
from integrator.consoles.web import PageRefused
from integrator.errors import MalformedRequest

room = Room("orders", frozenset({"dpo", "hub_dpo"}))
Page = Callable[[Visit], Awaitable[Response]]
_SHOWN = 200  # months or restrictions on one page


def office_of(visit: Visit) -> Orders:
    """The office of this hub. Raises `PageRefused` where there is none."""
    office = visit.consoles.extras.get("orders")
    if not isinstance(office, Orders):
        raise PageRefused("not_there", 404)
    return office


def guarded(page: Page) -> Page:
    """What cannot be done is said on the order's own page; an order that is not this person's does not exist."""

    @wraps(page)
    async def inner(visit: Visit) -> Response:
        try:
            return await page(visit)
        except NothingThere as error:
            raise PageRefused("not_there", 404) from error
        except OrderNotNow as error:
            visit.say(f"orders.no_{error.reason.lower()}")
            return visit.go(f"/orders/{visit.request.path_params['id']}")

    return inner


@room.get("/", menu="orders.menu")
async def home(visit: Visit) -> Response:
    office = office_of(visit)
    holds, restricted = await office.standing(visit.person)
    orders = await office.known(visit.person)
    return visit.page(
        "orders/home.html",
        waiting=[one for one in orders if one.state in ("asked", "doing")],
        decided=[one for one in orders if one.state not in ("asked", "doing")],
        holds=holds, restricted=restricted[:_SHOWN], today=office.today, actions=office.actions(visit.person),
        scope=lambda retention, month: scope(visit, retention, month),
    )  # fmt: skip


@room.get("/new")
async def new(visit: Visit) -> Response:
    action = visit.query.get("action", "")
    if action not in office_of(visit).actions(visit.person):
        raise PageRefused("not_there", 404)
    return _form(visit, action, {name: visit.query.get(name, "") for name in ("place", "class", "month")})


@room.post("/new")
async def lay(visit: Visit) -> Response:
    office, typed = office_of(visit), {name: visit.form[name] for name in KEYS}
    if typed["action"] not in office.actions(visit.person):
        raise PageRefused("not_for_you", 403)
    try:
        wanted = read_wanted(typed, office.today, office.classes)
        return visit.go(f"/orders/{await office.prepare(visit.person, wanted)}")
    except MalformedRequest as error:
        return _form(visit, typed["action"], typed, frozenset(issue.name.strip("/") for issue in error.issues))
    except NothingThere:
        return _form(visit, typed["action"], typed, frozenset(("nothing",)))


def _form(visit: Visit, action: str, typed: dict[str, str], wrong: frozenset[str] = frozenset()) -> Response:
    office = office_of(visit)
    return visit.page(
        "orders/form.html", status=400 if wrong else 200, action=action, typed={**dict.fromkeys(KEYS, ""), **typed}, wrong=wrong,
        grounds=[(name, one.title[visit.language]) for name, one in grounds().items() if action in one.actions],
        authorities=[(one, visit.t(f"orders.by_{one}")) for one in (OUTSIDE if action == "erase" else AUTHORITIES)],
        classes=[(code, term(visit, code)) for code in office.classes], lines=action in ABOUT_LINES, reviewed=action in REVIEWED,
    )  # fmt: skip


@room.get("/{id}")
@guarded
async def order(visit: Visit) -> Response:
    office = office_of(visit)
    asked = await office.order(visit.person, visit.request.path_params["id"])
    plan, lines = None, []
    if asked.state in ("draft", "asked"):
        plan, rows = await office.preview(visit.person, asked)
        named = [row for row in rows if row.index in plan.places.get(row.shard, ())]
        ended = {(row.shard, row.ref) for row in named}  # of a question that ended, its end says all
        named = [row for row in named if (row.shard, row.index) not in ended]
        lines = [(row.ts, explain(row, visit.consoles.book, visit.language, viewer="person").headline) for row in named]
    return visit.page(
        "orders/order.html", asked=asked, plan=plan, lines=lines, effects=effects(visit, asked, plan) if plan else [],
        ground=grounds()[asked.wanted.ground].title[visit.language], mine=asked.asker == visit.person.id,
        about=about(visit, asked), months=[(visit.t.month(one.month), term(visit, one.retention)) for one in (plan.months if plan else ())][:_SHOWN],
    )  # fmt: skip


@room.post("/{id}/ask")
@guarded
async def ask(visit: Visit) -> Response:
    await office_of(visit).ask(visit.person, visit.request.path_params["id"])
    visit.say("orders.said_asked")
    return visit.go(f"/orders/{visit.request.path_params['id']}")


@room.post("/{id}/drop")
@guarded
async def drop(visit: Visit) -> Response:
    await office_of(visit).drop(visit.person, visit.request.path_params["id"])
    visit.say("orders.said_dropped")
    return visit.go("/orders/")


@room.post("/{id}/withdraw")
@guarded
async def withdraw(visit: Visit) -> Response:
    await office_of(visit).withdraw(visit.person, visit.request.path_params["id"])
    visit.say("orders.said_withdrawn")
    return visit.go(f"/orders/{visit.request.path_params['id']}")


@room.post("/{id}/agree")
@guarded
async def agree(visit: Visit) -> Response:
    await office_of(visit).agree(visit.person, visit.request.path_params["id"])
    visit.say("orders.said_done")
    return visit.go(f"/orders/{visit.request.path_params['id']}")


@room.post("/{id}/refuse")
@guarded
async def refuse(visit: Visit) -> Response:
    try:
        await office_of(visit).refuse(visit.person, visit.request.path_params["id"], visit.form["reason"])
        visit.say("orders.said_refused")
    except MalformedRequest:
        visit.say("shell.why_short")
    return visit.go(f"/orders/{visit.request.path_params['id']}")


def effects(visit: Visit, asked: Asked, plan: Plan) -> list[str]:
    """What will happen, in plain sentences."""
    t, wanted = visit.t, asked.wanted
    day = wanted.review_day
    values = {
        "n": t.number(plan.count),
        "what": scope(visit, wanted.retention, wanted.month),
        "months": t.number(len(plan.months)),
        "review": t.day(day) if day else "",
    }
    told = [str(t(f"orders.effect_{wanted.action}", **values)), str(t(f"orders.after_{wanted.action}", **values))]
    if plan.stays:
        told.append(str(t("orders.effect_stays")))
    return told


def about(visit: Visit, asked: Asked) -> str:
    """What an order is about, in a few words."""
    wanted = asked.wanted
    if wanted.action in ABOUT_LINES:
        return str(visit.t("orders.about_exchange" if wanted.trace else "orders.about_line"))
    return scope(visit, wanted.retention, wanted.month)


def scope(visit: Visit, retention: str | None, month: int | None) -> str:
    """A hold's reach in words."""
    t = visit.t
    when = t.month(month) if month else t("orders.every_month")
    return str(t("orders.scope", month=when, term=term(visit, retention))) if retention else str(when)


def term(visit: Visit, retention: str) -> str:
    """A retention class in words: Y10 = 10 years."""
    unit, number = retention[:1], retention[1:]
    if unit in "YM" and number.isdigit():
        return str(visit.t("orders.years" if unit == "Y" else "orders.months", n=int(number)))
    return retention


__all__ = ["ACTIONS", "office_of", "room"]
