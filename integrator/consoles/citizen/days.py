"""The proof of one day: these lines were shown to me, and nobody took one away since."""

from __future__ import annotations

from datetime import date

from starlette.responses import Response

from audit.errors import LedgerError, NotPublished
from integrator.consoles.citizen.room import room
from integrator.consoles.visit import Visit
from integrator.consoles.web import PageRefused


@room.post("/day")
async def day(visit: Visit) -> Response:
    """The bundle of a day; one sentence, the same for everybody, where none can be given."""
    try:
        chosen = date.fromisoformat(visit.form["day"])
    except ValueError:
        visit.say("me.day_wrong")
        return visit.go("/me/complete")
    try:
        bundle = await visit.consoles.desk.look(visit.person, "day", role="citizen", day=chosen)
    except NotPublished:
        bundle = None
    except LedgerError as error:
        raise PageRefused("not_there", 404) from error
    if bundle is None:
        visit.say("me.day_none", day=chosen.isoformat())
        return visit.go("/me/complete")
    return visit.file(bundle, "application/zip", f"day-{chosen.isoformat()}.zip")
