"""Searching by person or by agent: the number is typed once, in a form, and stays on the server while the session lives."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from starlette.responses import Response

from audit import Subject
from integrator.consoles.dpo import asking
from integrator.consoles.dpo.lists import listed, rows_as_csv
from integrator.consoles.dpo.room import OFFICERS, room
from integrator.consoles.visit import Visit
from integrator.errors import MalformedRequest
from integrator.keytypes import compile_key

_EVER = timedelta(days=3660)
_TYPES = {"nrn": "ssin", "cbe": "enterpriseNumber", "plate": "plate", "vin": "vin"}


@room.get("/person", menu="dpo.person", roles=OFFICERS)
async def person(visit: Visit) -> Response:
    """The form, or the list about whom was asked for."""
    chosen = visit.data.get("subject")
    if chosen is None:
        return _form(visit)
    subject, period = Subject(*chosen), asking.period(visit, _EVER)
    asked: dict[str, Any] = {
        **asking.filters(visit), "subject": subject, "since": period.since, "until": period.until,
        "role": "dpo" if "dpo" in visit.person.roles else "hub_dpo",
    }  # fmt: skip
    if visit.query.get("format") == "csv":
        return await rows_as_csv(visit, "about", **asked)
    page = listed(visit, await asking.look(visit, "about", **asked))
    offers = asking.offers(visit, period, "org", "service", "purpose")
    return visit.page("dpo/person.html", page=page, offers=offers, kind=subject.type, ending=subject.id[-2:])


@room.post("/person", roles=OFFICERS)
async def ask_person(visit: Visit) -> Response:
    kind, subject = visit.form["type"], _subject(visit)
    short = not asking.say_why(visit, "about", visit.form["reason"])
    if subject is None or short:
        return _form(visit, wrong=subject is None, short=short, kind=kind, words=visit.form["reason"])
    visit.data["subject"] = [subject.type, subject.id]
    return visit.go("/dpo/person")


@room.post("/person/forget", roles=OFFICERS)
async def forget(visit: Visit) -> Response:
    """Another search begins; the reason was for the one before."""
    which = visit.form["which"]
    if which in ("subject", "agent"):
        visit.data.pop(which, None)
        visit.data.get("reasons", {}).pop("about" if which == "subject" else "by_agent", None)
    return visit.go("/dpo/agent" if which == "agent" else "/dpo/person")


@room.get("/agent", menu="dpo.agent", roles=OFFICERS)
async def agent(visit: Visit) -> Response:
    chosen = visit.data.get("agent")
    if chosen is None:
        return visit.page("dpo/agent_form.html", wrong=False, short=False, words="")
    period = asking.period(visit)
    asked: dict[str, Any] = {**asking.filters(visit), "agent": chosen, "since": period.since, "until": period.until}
    if visit.query.get("format") == "csv":
        return await rows_as_csv(visit, "by_agent", **asked)
    page = listed(visit, await asking.look(visit, "by_agent", **asked))
    return visit.page("dpo/agent.html", page=page, offers=asking.offers(visit, period, "org", "service", "purpose"))


@room.post("/agent", roles=OFFICERS)
async def ask_agent(visit: Visit) -> Response:
    name = visit.form["agent"]
    wrong, short = not 1 <= len(name) <= 200, not asking.say_why(visit, "by_agent", visit.form["reason"])
    if wrong or short:
        return visit.page("dpo/agent_form.html", status=400, wrong=wrong, short=short, words=visit.form["reason"])
    visit.data["agent"] = name
    return visit.go("/dpo/agent")


def _form(visit: Visit, *, wrong: bool = False, short: bool = False, kind: str = "nrn", words: str = "") -> Response:
    """What was typed as a number is not sent back: it would stand in the page's source."""
    kinds = [(name, visit.t(f"dpo.type_{name}")) for name in _TYPES]
    return visit.page(
        "dpo/person_form.html", status=400 if wrong or short else 200, wrong=wrong, short=short, kind=kind, kinds=kinds, words=words
    )  # fmt: skip


def _subject(visit: Visit) -> Subject | None:
    """Who was typed, in the form the ledger's tags are made of; None when it is no such number in this world."""
    kind = visit.form["type"]
    number = number_of(visit, kind, visit.form["number"])
    return None if number is None else Subject(kind, number)


def number_of(visit: Visit, kind: str, typed: str) -> str | None:
    """A number as it was typed, in its canonical form; None when it is no such number in this world."""
    if kind not in _TYPES:
        return None
    plain = "".join(sign for sign in typed if sign.isalnum()).upper()
    sandbox = visit.consoles.extras.get("named_numbers") if visit.consoles.sandbox else None
    try:
        return str(compile_key("number", {"type": _TYPES[kind]}, sandbox=sandbox).read(plain, "/number"))
    except MalformedRequest:
        return None
