"""Use against authorisation: fields that a legal text grants and that nobody ever got."""

from __future__ import annotations

from datetime import timedelta

from starlette.responses import Response

from audit.reports import FieldUse
from integrator.consoles.dpo import asking
from integrator.consoles.dpo.asking import with_reason
from integrator.consoles.dpo.lists import as_csv
from integrator.consoles.dpo.refusals import service_of
from integrator.consoles.dpo.room import OFFICERS, room
from integrator.consoles.visit import Visit

_YEAR = timedelta(days=365)


@room.get("/fields", menu="dpo.fields", roles=OFFICERS)
@with_reason("unused_fields")
async def fields(visit: Visit) -> Response:
    """By authorisation: what is granted, what was never given."""
    chosen = asking.period(visit, _YEAR)
    asked = {"since": chosen.since, "until": chosen.until, "org": visit.query.get("org")}
    found: list[FieldUse] = await asking.look(visit, "unused_fields", **asked)
    if visit.query.get("format") == "csv":
        heads = [visit.t("dpo." + name) for name in ("authorisation", "fields_service", "field", "answered")]
        return as_csv(
            visit, "unused-fields", [heads, *([u.authorisation, u.service, u.field, u.answered] for u in found)]
        )
    book, language = visit.consoles.book, visit.language
    groups: dict[str, list[tuple[str, str, int]]] = {}
    for use in found:
        row = (book.field(use.field, language), service_of(visit, use.service), use.answered)
        groups.setdefault(use.authorisation, []).append(row)
    titles = {code: (law.text.in_(language) if (law := book.laws.get(code)) and law.text else code) for code in groups}
    return visit.page(
        "dpo/fields.html", offers=asking.offers(visit, chosen, "org"), groups=groups, titles=titles, total=len(found)
    )
