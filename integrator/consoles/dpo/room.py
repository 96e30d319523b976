"""The room of data protection officers and auditors; its pages are in the modules beside it."""

from __future__ import annotations

from starlette.responses import Response

from integrator.consoles.rooms import Room
from integrator.consoles.visit import Visit

OFFICERS = frozenset({"dpo", "hub_dpo"})
EVERYONE = OFFICERS | {"auditor"}
room = Room("dpo", EVERYONE)


@room.get("/", menu="dpo.home")
async def home(visit: Visit) -> Response:
    return visit.page("dpo/home.html")
