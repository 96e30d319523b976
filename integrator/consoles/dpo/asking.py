"""What a page asks the desk: the reason, once per session and question; the period; the filters of the address."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import wraps
from typing import Any
from zoneinfo import ZoneInfo

from starlette.responses import Response

from integrator.consoles.dpo.room import room
from integrator.consoles.looking import REASON
from integrator.consoles.rights import Right, may
from integrator.consoles.visit import BASE, Visit
from integrator.errors import MalformedRequest

_BRUSSELS = ZoneInfo("Europe/Brussels")
_MONTH = timedelta(days=31)
Page = Callable[[Visit], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Period:
    """Whole days in Brussels, both ends included."""

    first: date
    last: date

    @property
    def since(self) -> int:
        """Start of the first day, µs."""
        return _micros(self.first)

    @property
    def until(self) -> int:
        """Start of the day after the last, µs."""
        return _micros(self.last + timedelta(days=1))


@dataclass(frozen=True, slots=True)
class Choice:
    """One filter that is chosen from a list."""

    name: str
    word: str
    options: list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Offers:
    """The filters of a list, as parts.filters shows them."""

    since: str
    until: str
    choices: list[Choice] = field(default_factory=list)
    kept: dict[str, str] = field(default_factory=dict)  # of the address, not to be lost when filtering


def today(visit: Visit) -> date:
    return datetime.fromtimestamp(visit.consoles.now(), _BRUSSELS).date()


def period(visit: Visit, days: timedelta = _MONTH) -> Period:
    """`since` and `until` of the address; the last month when they are not there, or are no days."""
    last = _day(visit.query.get("until")) or today(visit)
    first = _day(visit.query.get("since")) or last - days
    return Period(min(first, last), last)


def filters(visit: Visit) -> dict[str, Any]:
    """What the address narrows a list to, as the desk takes it."""
    names = {"org": "org", "service": "name", "purpose": "activity", "app": "app", "cursor": "cursor"}
    return {names[name]: value for name, value in visit.query.items() if name in names}


def offers(visit: Visit, chosen: Period, *names: str, kept: tuple[str, ...] = ()) -> Offers:
    """The filters that make sense to this person: whoever answers for one organisation chooses none."""
    book, language = visit.consoles.book, visit.language
    lists = {
        "org": ("shell.organisation", {code: one.in_(language) for code, one in book.organisations.items()}),
        "service": ("shell.service", {code: one.in_(language) for code, one in book.services.items()}),
        "purpose": ("shell.purpose", {code: one.title.in_(language) for code, one in book.aims.items()}),
    }
    wide = bool(visit.person.roles & {"hub_dpo", "auditor"})
    shown = [name for name in names if name != "org" or wide]
    choices = [Choice(name, lists[name][0], sorted(lists[name][1].items(), key=lambda one: one[1])) for name in shown]
    keep = {name: visit.query[name] for name in kept if name in visit.query}
    return Offers(chosen.first.isoformat(), chosen.last.isoformat(), choices, keep)


def with_reason(question: str) -> Callable[[Page], Page]:
    """The page is shown once this person said why they look; until then, the form that asks it."""

    def dress(page: Page) -> Page:
        @wraps(page)
        async def dressed(visit: Visit) -> Response:
            if reason(visit, question) is None:
                return _ask(visit, question, visit.request.url.path + _query(visit))
            return await page(visit)

        return dressed

    return dress


def reason(visit: Visit, question: str) -> str | None:
    """Why this person looks; empty where none is needed, None where it is still to be asked. Raises `LookRefused`."""
    right: Right = may(visit.person, question)
    said: str | None = visit.data.get("reasons", {}).get(question)
    return said if said or right.needs_reason else ""


def say_why(visit: Visit, question: str, words: str) -> bool:
    """Keep the reason for this session; False when it is none."""
    if not REASON[0] <= len(" ".join(words.split())) <= REASON[1]:
        return False
    visit.data.setdefault("reasons", {})[question] = words
    return True


async def look(visit: Visit, question: str, **asked: Any) -> Any:
    """Ask the desk, with the reason that was given. A cursor of another list starts anew at the first page."""
    why = reason(visit, question) or ""
    try:
        return await visit.consoles.desk.look(visit.person, question, why, **asked)
    except MalformedRequest as error:
        if "cursor" in asked and any(issue.name == "/cursor" for issue in error.issues):
            return await visit.consoles.desk.look(visit.person, question, why, **(asked | {"cursor": None}))
        raise


@room.post("/why")
async def why(visit: Visit) -> Response:
    question, back = visit.form["question"], visit.form["back"]
    if not back.startswith(f"{BASE}/dpo/"):
        back = f"{BASE}/dpo/"
    reason(visit, question)  # raises for a question that is not theirs
    if not say_why(visit, question, visit.form["reason"]):
        return _ask(visit, question, back, wrong=True)
    return visit.go(back.removeprefix(BASE))


def _ask(visit: Visit, question: str, back: str, wrong: bool = False) -> Response:
    words = visit.form["reason"] if wrong else ""
    return visit.page(
        "dpo/why.html", status=400 if wrong else 200, question=question, back=back, wrong=wrong, words=words
    )


def _query(visit: Visit) -> str:
    return f"?{visit.request.url.query}" if visit.request.url.query else ""


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text or "")
    except ValueError:
        return None


def _micros(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=_BRUSSELS).timestamp()) * 1_000_000
