"""The retention calendar: which months are kept until when, and what was forgotten."""

from __future__ import annotations

from datetime import timedelta

from starlette.responses import Response

from audit.reports import Retained
from integrator.consoles.dpo import asking
from integrator.consoles.dpo.asking import with_reason
from integrator.consoles.dpo.lists import as_csv, listed, rows_as_csv
from integrator.consoles.dpo.room import room
from integrator.consoles.visit import Visit


@room.get("/retention", menu="dpo.retention")
async def retention(visit: Visit) -> Response:
    kept: list[Retained] = await asking.look(visit, "retention")
    if visit.query.get("format") == "csv":
        heads = [visit.t("dpo." + name) for name in ("class", "month", "due", "overdue")]
        return as_csv(visit, "retention", [heads, *([k.retention, k.month, k.due or "", k.overdue] for k in kept)])
    rows = [(term(visit, one.retention), one) for one in kept]
    return visit.page("dpo/retention.html", rows=rows, reads=bool(visit.person.roles & {"hub_dpo", "auditor"}))


@room.get("/erasures", roles=frozenset({"hub_dpo", "auditor"}))
@with_reason("erasures")
async def erasures(visit: Visit) -> Response:
    chosen = asking.period(visit, timedelta(days=3660))
    asked = {"since": chosen.since, "until": chosen.until, "cursor": visit.query.get("cursor")}
    if visit.query.get("format") == "csv":
        return await rows_as_csv(visit, "erasures", **asked)
    page = listed(visit, await asking.look(visit, "erasures", **asked), opens=False)
    offers = asking.offers(visit, chosen)
    return visit.page("dpo/lines.html", page=page, offers=offers, title="dpo.erasures", about="dpo.erasures_about")


def term(visit: Visit, retention: str) -> str:
    """A retention class in words: Y10 = 10 years."""
    unit, number = retention[:1], retention[1:]
    if unit in "YM" and number.isdigit():
        return str(visit.t("dpo.years" if unit == "Y" else "dpo.months", n=int(number)))
    return retention
