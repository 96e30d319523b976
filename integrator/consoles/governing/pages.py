"""/console/texts: what waits and what is in force, a form to propose, one proposal with all that is known of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from difflib import unified_diff
from functools import wraps
from typing import Any

from starlette.responses import Response

from integrator import clock
from integrator.consoles.rooms import Room
from integrator.consoles.visit import Visit
from integrator.consoles.web import PageRefused
from integrator.errors import MalformedRequest
from integrator.governing.diet import DAYS, Use
from integrator.governing.opening import Governing
from integrator.governing.replaying import of_one
from integrator.governing.rights import OFFICERS, ROLES, traffic_seen
from integrator.governing.tables import Proposal
from integrator.governing.texts import digest
from integrator.governing.words import GoverningRefused, NotThere

room = Room("texts", ROLES | {"auditor"})
Page = Callable[[Visit], Awaitable[Response]]
_SHOWN = 300  # lines of a table
_ENDED = ("active", "superseded", "refused", "withdrawn")


def governing_of(visit: Visit) -> Governing:
    """Raises `PageRefused` where there is none."""
    found = visit.consoles.extras.get("governing")
    if not isinstance(found, Governing):
        raise PageRefused("not_there", 404)
    return found


def guarded(back: str) -> Callable[[Page], Page]:
    """What cannot be done is said on the page it was asked from. `back`: its address, {id} filled in."""

    def wrap(page: Page) -> Page:
        @wraps(page)
        async def inner(visit: Visit) -> Response:
            try:
                return await page(visit)
            except GoverningRefused as error:
                visit.say(f"texts.no_{error.reason.lower()}")
            except NotThere as error:
                raise PageRefused("not_there", 404) from error
            except MalformedRequest:
                visit.say("shell.why_short")
            return visit.go(back.format(**visit.request.path_params))

        return inner

    return wrap


@room.get("/", menu="texts.menu")
async def home(visit: Visit) -> Response:
    governing = governing_of(visit)
    found = await asyncio.to_thread(governing.office.store.newest)
    suspended = await asyncio.to_thread(governing.office.store.suspensions)
    purposes = sorted(
        ((code, one.title.in_(visit.language)) for code, one in governing.live.policies.purposes.items()),
        key=lambda one: one[1],
    )
    return visit.page(
        "governing/home.html", waiting=[one for one in found if one.state not in _ENDED],
        decided=[one for one in found if one.state in _ENDED][:50], suspended=suspended[:50], purposes=purposes,
        health=governing.live.health(), titles=dict(purposes), may=bool(visit.person.roles & ROLES),
        officer=bool(visit.person.roles & OFFICERS),
    )  # fmt: skip


@room.get("/new", roles=ROLES)
async def new(visit: Visit) -> Response:
    """The newest text of a purpose, to be changed."""
    governing = governing_of(visit)
    code = visit.query.get("purpose", "")
    return _form(visit, code, _written_from(newest := await _newest(governing, code), newest))


@room.post("/new", roles=ROLES)
async def propose(visit: Visit) -> Response:
    governing = governing_of(visit)
    typed = {
        "text": visit.form.raw("text").replace("\r\n", "\n"),
        "reason": visit.form["reason"],
        "effective": visit.form["effective"],
        "from": visit.form["from"],
    }
    try:
        effective = _moment(typed["effective"], governing.now())
        bases = {visit.form["purpose"]: typed["from"]}
        made = await governing.office.propose(visit.person, [typed["text"].encode()], typed["reason"], effective, bases)
    except GoverningRefused as error:
        return _form(visit, visit.form["purpose"], typed, error.reason.lower(), error.findings)
    except MalformedRequest as error:
        names = {issue.name.strip("/") for issue in error.issues}
        return _form(visit, visit.form["purpose"], typed, f"wrong_{min(names)}")
    visit.say("texts.said_proposed")
    return visit.go(f"/texts/{made.id}")


def _written_from(base: bytes, text: bytes, reason: str = "") -> dict[str, str]:
    """A form to begin with: `text`, made of `base`, which is named when it is sent; nothing = a new purpose."""
    return {"text": text.decode(), "reason": reason, "effective": "", "from": digest(base) if base else ""}


def _form(visit: Visit, code: str, typed: dict[str, str], wrong: str = "", findings: Any = ()) -> Response:
    return visit.page(
        "governing/form.html", status=400 if wrong else 200, code=code, typed=typed, wrong=wrong, findings=findings
    )


@room.get("/purposes/{code}")
async def purpose(visit: Visit) -> Response:
    """One purpose: its text in force, its history, and the emergency brake."""
    governing = governing_of(visit)
    code = visit.request.path_params["code"]
    policies, text = governing.live.policies, governing.live.current.texts.get(code)
    if text is None:
        raise PageRefused("not_there", 404)
    history = await asyncio.to_thread(governing.office.store.history, code)
    grants = {
        grant.authorisation
        for one, org, _ in policies.held()
        if one == code
        for grant in policies.grants(code, org)
    }  # fmt: skip
    everywhere = "hub_dpo" in visit.person.roles
    return visit.page(
        "governing/purpose.html", code=code, aim=policies.purposes[code], text=text.decode(), history=history,
        authorisations=sorted(grants), brake=bool(visit.person.roles & OFFICERS), everywhere=everywhere,
        may=bool(visit.person.roles & ROLES),
    )  # fmt: skip


@room.post("/purposes/{code}/suspend", roles=("dpo", "hub_dpo"))
@guarded("/texts/purposes/{code}")
async def suspend(visit: Visit) -> Response:
    org = None if "hub_dpo" in visit.person.roles else visit.person.org
    await governing_of(visit).suspending.suspend(visit.person, visit.form["authorisation"], org, visit.form["reason"])
    visit.say("texts.said_suspended")
    return visit.go("/texts/")


@room.post("/suspensions/{id}/askback", roles=ROLES)
@guarded("/texts/")
async def ask_back(visit: Visit) -> Response:
    await governing_of(visit).suspending.ask_back(visit.person, visit.request.path_params["id"], visit.form["reason"])
    visit.say("texts.said_asked_back")
    return visit.go("/texts/")


@room.post("/suspensions/{id}/giveback", roles=("dpo", "hub_dpo"))
@guarded("/texts/")
async def give_back(visit: Visit) -> Response:
    await governing_of(visit).suspending.give_back(visit.person, visit.request.path_params["id"])
    visit.say("texts.said_given_back")
    return visit.go("/texts/")


@room.get("/diet", menu="texts.diet_menu")
async def diet(visit: Visit) -> Response:
    """Fields granted, asked and delivered, by application; and the narrower texts."""
    governing = governing_of(visit)
    may = bool(visit.person.roles & ROLES)
    texts = governing.live.current.texts
    uses, narrower = await governing.diet_and_narrower(traffic_seen(visit.person))
    if visit.query.get("format") == "yaml" and may:
        code = visit.query.get("purpose", "")
        if code not in narrower:
            raise PageRefused("not_there", 404)
        reason = str(visit.t("texts.diet_reason", days=DAYS))
        return _form(visit, code, _written_from(texts[code], narrower[code], reason))
    return visit.page(
        "governing/diet.html", named=lambda service, field: _named(visit, service, field), groups=_groups(visit, uses),
        days=DAYS, narrower=sorted(narrower) if may else [], cut=len(uses) > _SHOWN, titles=_titles(visit),
    )  # fmt: skip


def _groups(visit: Visit, uses: list[Use]) -> list[tuple[str, list[Use]]]:
    """By organisation and application, what is never used first."""
    found: dict[str, list[Use]] = {}
    for one in sorted(uses, key=lambda use: (use.org, use.app, not use.unused, use.service, use.field))[:_SHOWN]:
        name = f"{visit.consoles.book.organisation(one.org, visit.language)} · {one.app}"
        found.setdefault(name, []).append(one)
    return list(found.items())


@room.get("/{id}")
async def proposal(visit: Visit) -> Response:
    governing = governing_of(visit)
    try:
        one = await governing.office.find(visit.request.path_params["id"])
    except NotThere as error:
        raise PageRefused("not_there", 404) from error
    stale = await governing.office.stale(one) if one.state == "proposed" else ""
    mine = one.proposer.casefold() == visit.person.id.casefold()
    approved = any(vote.person.casefold() == visit.person.id.casefold() for vote in one.votes)
    return visit.page(
        "governing/proposal.html", one=one, stale=stale.lower(), mine=mine, approved=approved, diffs=await _diffs(governing, one),
        told=one.proof["differences"][visit.language], titles=_titles(visit), replay=_replayed(visit, one), may=bool(visit.person.roles & ROLES),
        takes_back=mine or "hub_dpo" in visit.person.roles,
    )  # fmt: skip


def _named(visit: Visit, service: str, field: str) -> str:
    """A field, or an answer, as people know it."""
    answers = governing_of(visit).services[service].is_composition
    return visit.consoles.book.field(f"answer:{field}" if answers else field, visit.language)


def _titles(visit: Visit) -> dict[str, str]:
    """Of purposes in force, by code."""
    purposes = governing_of(visit).live.policies.purposes
    return {code: one.title.in_(visit.language) for code, one in purposes.items()}


def _act(name: str) -> None:
    @room.post(f"/{{id}}/{name}", roles=ROLES)
    @guarded("/texts/{id}")
    async def act(visit: Visit) -> Response:
        office, id_ = governing_of(visit).office, visit.request.path_params["id"]
        if name == "approve":
            await office.approve(visit.person, id_)
        else:
            await getattr(office, name)(visit.person, id_, visit.form["reason"])
        visit.say(f"texts.said_{name}")
        return visit.go(f"/texts/{id_}")


for _name in ("approve", "refuse", "withdraw"):
    _act(_name)


async def _diffs(governing: Governing, one: Proposal) -> list[tuple[str, str]]:
    """Line by line, each text beside the one it replaces, where that is kept here."""
    return [(draft.purpose, await asyncio.to_thread(_diff, governing, draft)) for draft in one.drafts]


def _diff(governing: Governing, draft: Any) -> str:
    old = governing.office.text(draft.replaces) if draft.replaces else b""
    lines = unified_diff(
        (old or b"").decode().splitlines(), draft.text.decode().splitlines(), draft.replaces[:12] or "–", draft.digest[:12], lineterm="", n=2
    )  # fmt: skip
    return "\n".join(lines)


def _replayed(visit: Visit, one: Proposal) -> dict[str, Any] | None:
    """The replay that was made when it was proposed, with names: of all who asked, or of the visitor's organisation."""
    found, org = one.proof.get("replay"), traffic_seen(visit.person)
    if found is None:
        return None
    if org is not None:
        found = of_one(found, org)
    book = visit.consoles.book
    rows = [
        {
            **row, "who": f"{book.organisation(row['organisation'], visit.language)} · {row['application']}",
            "lost": {book.field(name, visit.language): n for name, n in row["lost"].items()},
            "gained": {book.field(name, visit.language): n for name, n in row["gained"].items()},
        }
        for row in found["changes"][:_SHOWN]
    ]  # fmt: skip
    return {"unweighed": 0, **found, "changes": rows}  # proposals of before it was counted say nothing of it


async def _newest(governing: Governing, code: str) -> bytes:
    """The last approved text, in force by now or not: what the next change has to be written from."""
    return (await asyncio.to_thread(governing.office.newest)).get(code, b"")


def _moment(typed: str, now: float) -> int:
    """A day as a form sends it: its first second (UTC); nothing = at once."""
    try:
        return int(clock.moment(typed) if typed else now)
    except ValueError:
        return 0  # a day long past: refused by the office


__all__ = ["governing_of", "room"]
