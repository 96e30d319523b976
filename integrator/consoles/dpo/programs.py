"""A token for a program: the same questions over /audit/v1, with the rights of whoever asked for it."""

from __future__ import annotations

from starlette.responses import Response

from integrator.consoles.dpo.room import room
from integrator.consoles.visit import Visit


@room.get("/programs", menu="dpo.programs")
async def programs(visit: Visit) -> Response:
    return visit.page("dpo/programs.html", token=None)


@room.post("/programs")
async def new_token(visit: Visit) -> Response:
    """A session of its own, shown once and kept nowhere in clear; signing out everywhere ends it too."""
    session = await visit.consoles.sessions.begin(visit.person)
    return visit.page("dpo/programs.html", token=session.token)
