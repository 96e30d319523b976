"""What did not end well: exchanges without an end, of unknown outcome, failed; and who looked at the ledger itself."""

from __future__ import annotations

from datetime import timedelta

from starlette.responses import Response

from integrator.consoles.dpo import asking
from integrator.consoles.dpo.asking import with_reason
from integrator.consoles.dpo.lists import listed, rows_as_csv
from integrator.consoles.dpo.room import OFFICERS, room
from integrator.consoles.visit import Visit

_EVER = timedelta(days=3660)


async def _list(visit: Visit, question: str, *names: str, days: timedelta = timedelta(days=31)) -> Response:
    chosen = asking.period(visit, days)
    asked = {**asking.filters(visit), "since": chosen.since, "until": chosen.until}
    if visit.query.get("format") == "csv":
        return await rows_as_csv(visit, question, **asked)
    page = listed(visit, await asking.look(visit, question, **asked), opens=question != "reads")
    offers = asking.offers(visit, chosen, *names)
    return visit.page(
        "dpo/lines.html", page=page, offers=offers, title=f"dpo.{question}", about=f"dpo.{question}_about"
    )


@room.get("/dangling", menu="dpo.dangling", roles=OFFICERS)
@with_reason("dangling")
async def dangling(visit: Visit) -> Response:
    return await _list(visit, "dangling", "org", "service", days=_EVER)


@room.get("/unknown", menu="dpo.unknown", roles=OFFICERS)
@with_reason("unknown")
async def unknown(visit: Visit) -> Response:
    return await _list(visit, "unknown", "org", "service", "purpose")


@room.get("/failed", menu="dpo.failed", roles=OFFICERS)
@with_reason("failed")
async def failed(visit: Visit) -> Response:
    return await _list(visit, "failed", "org", "service", "purpose")


@room.get("/reads", menu="dpo.reads")
@with_reason("reads")
async def reads(visit: Visit) -> Response:
    return await _list(visit, "reads", "org")
