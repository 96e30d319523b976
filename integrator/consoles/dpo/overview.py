"""The first page: whether the ledger is well, what waits, and the refusals of the last month."""

from __future__ import annotations

from datetime import timedelta

from starlette.responses import Response

from integrator.consoles.dpo import asking
from integrator.consoles.dpo.health import condition
from integrator.consoles.dpo.refusals import by_day, by_reason
from integrator.consoles.dpo.room import OFFICERS, room
from integrator.consoles.visit import Visit


@room.get("/", menu="dpo.home")
async def home(visit: Visit) -> Response:
    """Figures about people's exchanges appear once a reason was given for them; the state of the ledger needs none."""
    chosen = asking.Period(asking.today(visit) - timedelta(days=30), asking.today(visit))
    health, kept = await asking.look(visit, "health"), await asking.look(visit, "retention")
    officer = bool(visit.person.roles & OFFICERS)
    days, reasons, counted = [], [], officer and asking.reason(visit, "denied_by_reason") is not None
    if counted:
        asked = {"since": chosen.since, "until": chosen.until}
        days = by_day(visit, await asking.look(visit, "denied_by_reason", by_day=True, **asked), chosen)
        reasons = by_reason(visit, await asking.look(visit, "denied_by_reason", **asked))
    return visit.page(
        "dpo/home.html", condition=condition(visit, health), entries=sum(n for _, n in health["ledger"].shards),
        dangling=health["ledger"].dangling, overdue=sum(one.overdue for one in kept), months=len({one.month for one in kept}),
        officer=officer, counted=counted, days=days, reasons=reasons, period=chosen,
    )  # fmt: skip
