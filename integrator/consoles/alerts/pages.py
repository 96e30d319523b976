"""Alerts: what was looked for first and explains nothing, then the flags, then the random sample; each one in words."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from urllib.parse import quote

from starlette.responses import Response

from audit.alerts import Alert
from audit.alerts.alerts import AlertUnknown
from audit.alerts.rules import EXPLANATIONS
from audit.reports import Page
from integrator.consoles.alerting import AlertDesk
from integrator.consoles.alerts.room import alerting_of, room
from integrator.consoles.dpo.lists import listed
from integrator.consoles.rights import LookRefused, NothingThere, may
from integrator.consoles.visit import Visit
from integrator.consoles.web import PageRefused
from integrator.errors import MalformedRequest

STATES = ("open", "justified", "escalated")
_GRAVE = {"high": 0, "medium": 1, "low": 2}


@room.get("/", menu="alerts.menu")
async def home(visit: Visit) -> Response:
    state = visit.query.get("state", "open")
    state = state if state in STATES else "open"
    found = await _desk(visit).open(visit.person, visit.language, state=state, cursor=visit.query.get("cursor"))  # type: ignore[arg-type]
    rules = alerting_of(visit).rules.by_code
    sampled = [one for one in found.items if one.alert.rule in rules and rules[one.alert.rule].kind == "sample"]
    flags = sorted((one for one in found.items if one not in sampled), key=lambda one: _GRAVE[one.severity])
    return visit.page(
        "alerts/home.html", state=state, states=STATES, next=found.next, groups=[("flags", flags), ("sample", sampled)],
        named=lambda org: visit.consoles.book.organisation(org, visit.language) if org else "", address=_address,
    )  # fmt: skip


@room.get("/one")
async def one(visit: Visit) -> Response:
    """One alert: what it is about, which reasons were looked for, and what to do. The look at the exchange is recorded."""
    alert = await _alert(visit, visit.query.get("id", ""))
    rule = alerting_of(visit).rules.by_code.get(alert.rule)
    lines, row = None, None
    if alert.shard is not None and alert.index is not None:
        row = await asyncio.to_thread(visit.consoles.desk.reports.row, alert.shard, alert.index)
    if row is not None:
        reason = f"alert {alert.rule} of {alert.shard}/{alert.index}"
        page: Page = await visit.consoles.desk.look(visit.person, "exchange", reason, trace_id=row.trace_id)
        ended = {(one.shard, one.ref) for one in page.rows}  # of a question that ended, its end says all
        lines = listed(visit, replace(page, rows=[one for one in page.rows if (one.shard, one.index) not in ended]))
    counted = rule is not None and rule.kind in ("enumeration", "breadth", "outlier")
    return visit.page(
        "alerts/one.html", title=rule.title[visit.language] if rule else alert.rule, alert=alert,
        advice=rule.advice[visit.language] if rule else "", lines=lines, counted=counted,
        looked_for=rule.explained_by if rule else (), not_counted=[name for name in EXPLANATIONS if rule and name not in rule.explained_by],
        sampled=bool(rule and rule.kind == "sample"), organisation=visit.consoles.book.organisation(alert.org, visit.language) if alert.org else "",
    )  # fmt: skip


@room.post("/settle")
async def settle(visit: Visit) -> Response:
    """There was a good reason, or somebody has to look into it; either way, in words that stay."""
    id_, words = visit.form["id"], visit.form["words"]
    how = "escalate" if visit.form["how"] == "escalate" else "justify"
    try:
        await getattr(_desk(visit), how)(visit.person, id_, words)
        visit.say(f"alerts.said_{how}")
    except MalformedRequest as error:
        settled = any(issue.name == "/alert" for issue in error.issues)
        visit.say("alerts.settled" if settled else "shell.why_short")
    except NothingThere as error:
        raise PageRefused("not_there", 404) from error
    return visit.go(_address(id_))


def _desk(visit: Visit) -> AlertDesk:
    alerting = alerting_of(visit)
    return AlertDesk(visit.consoles.desk, alerting.alerts, alerting.rules)


async def _alert(visit: Visit, id_: str) -> Alert:
    try:
        alert = await asyncio.to_thread(alerting_of(visit).alerts.get, id_)
        may(visit.person, "alerts", org=alert.org, table="exports.yaml")
    except (AlertUnknown, LookRefused) as error:  # somebody else's looks like one that never was
        raise PageRefused("not_there", 404) from error
    return alert


def _address(id_: str) -> str:
    return f"/alerts/one?id={quote(id_, safe='')}"
