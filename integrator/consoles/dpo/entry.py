"""One line opened: the values beside it, and everything else of the same exchange."""

from __future__ import annotations

from dataclasses import replace

from starlette.responses import Response

from audit.reports import Page
from integrator.consoles.dpo import asking
from integrator.consoles.dpo.asking import with_reason
from integrator.consoles.dpo.lists import line, listed
from integrator.consoles.dpo.room import OFFICERS, room
from integrator.consoles.visit import Visit
from integrator.consoles.web import PageRefused


@room.get("/entry", roles=OFFICERS)
@with_reason("details")
async def entry(visit: Visit) -> Response:
    """Fields asked, case and reason given; who the agent was stays closed."""
    shard, index = visit.query.get("shard", ""), visit.query.get("index", "")
    found = await asking.look(visit, "details", shard=shard, index=int(index)) if index.isdigit() else None
    if found is None:
        raise PageRefused("not_there", 404)
    row, details = found
    asking.say_why(visit, "exchange", asking.reason(visit, "details") or "")  # the same look, for the same reason
    whole: Page = await asking.look(visit, "exchange", trace_id=row.trace_id)
    # A question whose end stands beside it says nothing more, and its sentence would say that nobody knows the end.
    passed = {(one.shard, one.ref) for one in whole.rows} | {(row.shard, row.index)}
    others = listed(visit, replace(whole, rows=[one for one in whole.rows if (one.shard, one.index) not in passed]))
    return visit.page(
        "dpo/entry.html", line=line(visit, row, details=details), details=details, others=others,
        asked=[visit.consoles.book.field(name, visit.language) for name in details.fields], proof=asking.reason(visit, "proof"),
    )  # fmt: skip
