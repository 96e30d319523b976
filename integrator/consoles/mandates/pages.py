"""Pages of mandates: whom may I act for, who may act for me; and where officers give and end them."""

from __future__ import annotations

from datetime import date

from starlette.responses import Response

from audit import Subject
from integrator.consoles.citizen import MENU
from integrator.consoles.citizen.room import room as me
from integrator.consoles.mandates.store import KINDS, REASON, SCOPE, Mandate, MandateRefused, Mandates
from integrator.consoles.rooms import Room
from integrator.consoles.visit import Visit
from integrator.consoles.web import PageRefused
from integrator.errors import MalformedRequest
from integrator.keytypes import compile_key

room = Room("mandates", frozenset({"dpo", "hub_dpo"}))


def mandates_of(visit: Visit) -> Mandates:
    consoles = visit.consoles
    return Mandates(consoles.database, consoles.vault, consoles.desk, consoles.now)


# --- citizens ---------------------------------------------------------------------------------------------------------


@me.get("/for", menu="me.for")
async def acting(visit: Visit) -> Response:
    own, store = _own(visit), mandates_of(visit)
    return visit.page(
        "me/for.html", mine=await store.held_by(own), over=await store.over(own), acting=visit.person.acting
    )


@me.post("/for")
async def act(visit: Visit) -> Response:
    """Begin to act for somebody, or stop. The session is that person's view from here on, with the mandate beside it."""
    if visit.session is None:
        raise PageRefused("signed_out", 401)
    own, store = _own(visit), mandates_of(visit)
    chosen = next((one for one in await store.held_by(own) if one.id == visit.form["id"]), None)
    if chosen is None and visit.form["id"]:
        raise PageRefused("not_there", 404)
    person = visit.person.themself()
    visit.session.person = person.for_(chosen.person, chosen.acting) if chosen is not None else person
    visit.data.pop("me_since", None)
    visit.say("me.for_begun" if chosen is not None else "me.for_stopped")
    return visit.go("/me/")


@me.post("/for/end")
async def end_mine(visit: Visit) -> Response:
    """Somebody does not want to be acted for any more, or to act."""
    own, store = _own(visit), mandates_of(visit)
    chosen = next(
        (one for one in (*await store.over(own), *await store.held_by(own)) if one.id == visit.form["id"]), None
    )
    if chosen is None or visit.person.acting is not None:
        raise PageRefused("not_there", 404)
    await store.end(chosen, visit.person)
    visit.say("me.for_ended")
    return visit.go("/me/for")


def _own(visit: Visit) -> Subject:
    """Who is really there."""
    subject = visit.person.acting.own if visit.person.acting else visit.person.subject
    if subject is None:
        raise PageRefused("not_for_you", 403)
    return subject


me.menu.sort(key=lambda entry: MENU.index(entry.word))  # every page of a citizen is there by now


# --- officers ---------------------------------------------------------------------------------------------------------


@room.get("/", menu="mandates.title")
async def given(visit: Visit) -> Response:
    """Those of one's own organisation. Nobody's number is shown: the kind, the scope, the end, and whether it still holds."""
    store = mandates_of(visit)
    found = await store.given_at(visit.person)
    return visit.page(
        "mandates/given.html", mandates=found, state=store.state, kinds=KINDS, scopes=SCOPE, least=REASON[0]
    )


@room.post("/give")
async def give(visit: Visit) -> Response:
    form = visit.form
    try:
        holder, person = (_subject(visit, form[name]) for name in ("holder", "person"))
        made: Mandate | None = await mandates_of(visit).give(
            visit.person,
            holder,
            person,
            form["kind"],
            form.many("scope"),
            date.fromisoformat(form["ends"]),
            form["words"],
        )
    except (MandateRefused, MalformedRequest, ValueError):
        made = None
    visit.say("mandates.given" if made else "mandates.wrong")
    return visit.go("/mandates/")


@room.post("/end")
async def end(visit: Visit) -> Response:
    store = mandates_of(visit)
    chosen = await store.find(visit.person, visit.form["id"])
    if chosen is None:
        raise PageRefused("not_there", 404)
    await store.end(chosen, visit.person)
    visit.say("mandates.ended")
    return visit.go("/mandates/")


def _subject(visit: Visit, number: str) -> Subject:
    named = visit.consoles.extras.get("named_numbers", frozenset()) if visit.consoles.sandbox else None
    plain = "".join(number.split()).replace(".", "").replace("-", "")
    return Subject("nrn", str(compile_key("number", {"type": "ssin"}, sandbox=named).read(plain, "/")))
