"""The scope of a leaked key (GDPR art. 33, 34) and yearly statistics (art. 30), as pages and as CSV."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from starlette.responses import Response

from audit import Subject
from audit.alerts import Scope, breach
from audit.exports import View, Walk
from integrator.consoles.alerts.counting import Counted, count
from integrator.consoles.alerts.room import alerting_of, room
from integrator.consoles.auditor.pages import tools_of
from integrator.consoles.dpo import asking
from integrator.consoles.dpo.lists import as_csv
from integrator.consoles.rights import Right
from integrator.consoles.visit import Visit
from integrator.errors import MalformedRequest

_BRUSSELS = ZoneInfo("Europe/Brussels")


@room.get("/breach", menu="alerts.breach")
async def breach_form(visit: Visit) -> Response:
    return _breach_page(visit, visit.data.get("breach"))


@room.post("/breach")
async def breach_scope(visit: Visit) -> Response:
    """`see`: the figures, nobody named. `csv`: with the people, whom that look is recorded about."""
    typed = {name: visit.form[name] for name in ("app", "org", "since", "until", "reason")}
    since, until, names = _moment(typed["since"]), _moment(typed["until"]), visit.form["how"] == "csv"
    if not typed["app"] or since is None or until is None or since >= until:
        return _breach_page(visit, None, wrong=True, typed=typed)
    desk, tables, tools = visit.consoles.desk, alerting_of(visit).tables, tools_of(visit)

    def make(right: Right, seen: Any) -> tuple[Scope, Sequence[Subject]]:
        walk = Walk(tables, since, until, org=right.org, restricted=right.scope == "all")
        view = View(tools.store, tools.keyring, ("subject",) if names else ())
        scope = breach(walk, view, typed["app"])
        return scope, list(scope.subjects) if names else ()

    try:
        scope: Scope = await desk.export(visit.person, "export", make, typed["reason"], org=typed["org"] or None)
    except MalformedRequest:
        return _breach_page(visit, None, wrong=True, typed=typed)
    if names:
        return as_csv(visit, "breach", _pack(visit, scope))
    visit.data["breach"] = {**{name: typed[name] for name in ("app", "since", "until")}, **_told(visit, scope)}
    return visit.go("/alerts/breach")


def _breach_page(visit: Visit, found: Any, *, wrong: bool = False, typed: dict[str, str] | None = None) -> Response:
    book = visit.consoles.book
    wide = "hub_dpo" in visit.person.roles
    orgs = sorted(((code, one.in_(visit.language)) for code, one in book.organisations.items()), key=lambda one: one[1])
    empty = dict.fromkeys(("app", "org", "since", "until", "reason"), "")
    return visit.page(
        "alerts/breach.html", status=400 if wrong else 200, found=found, wrong=wrong, typed=typed or empty, orgs=orgs if wide else [],
    )  # fmt: skip


def _told(visit: Visit, scope: Scope) -> dict[str, Any]:
    book, language = visit.consoles.book, visit.language
    return {
        "exchanges": scope.exchanges, "unknown": scope.unknown, "refused": scope.refused, "people": len(scope.subjects),
        "first": scope.first, "last": scope.last,
        "categories": [(book.field(name, language), n) for name, n in scope.categories.items()],
        "recipients": [(f"{book.organisation(org, language)} · {app}", n) for (org, app), n in scope.recipients.items()],
    }  # fmt: skip


def _pack(visit: Visit, scope: Scope) -> list[Sequence[object]]:
    """Everything a notification has to say, as rows: what, which, how often."""
    told = _told(visit, scope)
    rows: list[Sequence[object]] = [[visit.t("alerts.pack_what"), visit.t("alerts.pack_which"), visit.t("shell.count")]]
    rows += [[visit.t(f"alerts.pack_{name}"), "", told[name]] for name in ("exchanges", "unknown", "refused", "people")]
    rows += [[visit.t("alerts.pack_categories"), name, n] for name, n in told["categories"]]
    rows += [[visit.t("alerts.pack_recipients"), name, n] for name, n in told["recipients"]]
    return rows + [[visit.t("alerts.pack_person"), f"{who.type} {who.id}", n] for who, n in scope.subjects.items()]


@room.get("/statistics", menu="alerts.statistics")
async def statistics(visit: Visit) -> Response:
    chosen, tables = asking.period(visit), alerting_of(visit).tables

    def make(right: Right, seen: Any) -> tuple[Counted, Sequence[Subject]]:
        return count(Walk(tables, chosen.since, chosen.until, org=right.org)), ()

    found: Counted = await visit.consoles.desk.export(visit.person, "statistics", make)
    book, t = visit.consoles.book, visit.t
    rows = [
        (book.organisation(cell.org, visit.language), _service(visit, cell.name), str(t(f"shell.kind_{cell.kind}")), cell.count)
        for cell in found.cells
    ]  # fmt: skip
    heads = [str(t(f"shell.{name}")) for name in ("organisation", "service", "outcome", "count")]
    if visit.query.get("format") == "csv":
        return as_csv(visit, "statistics", [heads, *rows])
    return visit.page(
        "alerts/statistics.html", rows=rows, heads=heads, found=found, offers=asking.offers(visit, chosen)
    )


def _service(visit: Visit, name: str) -> str:
    known = visit.consoles.book.services.get(name)
    return str(known.in_(visit.language)) if known else name


def _moment(text: str) -> int | None:
    """A moment in Brussels, as a browser's field gives it, in µs."""
    try:
        return int(datetime.fromisoformat(text).replace(tzinfo=_BRUSSELS).timestamp()) * 1_000_000
    except ValueError:
        return None
