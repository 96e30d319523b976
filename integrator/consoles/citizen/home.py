"""The list: who used my data, newest first, by case."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from starlette.responses import Response

from audit.reports import Page
from integrator.consoles.citizen.files import files_about
from integrator.consoles.citizen.grouping import cases_of, events_of
from integrator.consoles.citizen.notice import since_last_time
from integrator.consoles.citizen.room import room
from integrator.consoles.citizen.telling import tell_all
from integrator.consoles.visit import Visit
from integrator.errors import MalformedRequest

YEARS = 11  # the whole time that the record is kept, and the year that is under way
_BRUSSELS = ZoneInfo("Europe/Brussels")


@room.get("/", menu="me.home")
async def home(visit: Visit) -> Response:
    """One page of the list. Filters and texts are the same for everybody: what is held back leaves no trace here."""
    year, org, own = visit.query.get("year", ""), visit.query.get("org", ""), visit.query.get("own") == "1"
    years = _years(visit)
    asked: dict[str, Any] = {"own_looks": own}
    if year in years:
        asked |= {"since": _new_year(int(year)), "until": _new_year(int(year) + 1)}
    if org in visit.consoles.book.organisations:
        asked["org"] = org
    page, details = await _mine(visit, asked | {"cursor": visit.query.get("cursor")})
    since = await since_last_time(visit)
    cases = tell_all(visit, cases_of(events_of(zip(page.rows, details, strict=True))), since=since)
    news = [event for case in cases for event in case.events if event.new]
    organisations = sorted(
        ((number, name.in_(visit.language)) for number, name in visit.consoles.book.organisations.items()),
        key=lambda one: one[1],
    )
    return visit.page(
        "me/home.html", cases=cases, next=page.next, behind=page.behind, years=years, year=year, org=org, own=own,
        organisations=organisations, files=await files_about(visit),
        since=since, news=len(news), more_news=bool(page.next and news and news[-1] is cases[-1].events[-1]),
    )  # fmt: skip


async def _mine(visit: Visit, asked: dict[str, Any]) -> tuple[Page, list[Any]]:
    """A cursor that is none of ours starts at the first page."""
    try:
        return await visit.consoles.desk.mine(visit.person, **asked)
    except MalformedRequest:
        if not asked.get("cursor"):
            raise
        return await visit.consoles.desk.mine(visit.person, **(asked | {"cursor": None}))


def _years(visit: Visit) -> list[str]:
    this = datetime.fromtimestamp(visit.consoles.now(), _BRUSSELS).year
    return [str(year) for year in range(this, this - YEARS, -1)]


def _new_year(year: int) -> int:
    return int(datetime(year, 1, 1, tzinfo=_BRUSSELS).timestamp()) * 1_000_000
