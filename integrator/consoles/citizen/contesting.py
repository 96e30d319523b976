"""Contest a line, or ask who it was; and see what became of it."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.responses import Response

from integrator.consoles.citizen.contests import ENDED, KINDS, WORDS, Contest, ContestRefused, Contests
from integrator.consoles.citizen.grouping import Event
from integrator.consoles.citizen.line import opened
from integrator.consoles.citizen.notice import tag_of
from integrator.consoles.citizen.room import room
from integrator.consoles.citizen.telling import Told, tell
from integrator.consoles.visit import Visit
from integrator.consoles.web import PageRefused


@dataclass(frozen=True, slots=True)
class Shown:
    """A contest as a page shows it."""

    contest: Contest
    organisation: str
    purpose: str | None
    left: int
    ended: bool
    late: bool


def contests_of(visit: Visit) -> Contests:
    consoles = visit.consoles
    return Contests(consoles.database, consoles.vault, consoles.desk, consoles.now)


def shown(visit: Visit, contest: Contest) -> Shown:
    book, language = visit.consoles.book, visit.language
    aim = book.aims.get(contest.activity or "")
    left, ended = contest.left(contests_of(visit).today()), contest.state in ENDED
    organisation = book.organisation(contest.org, language) if contest.org else str(visit.t("me.the_hub"))
    return Shown(contest, organisation, aim.title.in_(language) if aim else None, left, ended, left < 0 and not ended)


@room.get("/contest")
async def form(visit: Visit) -> Response:
    row, details = await opened(visit, visit.query)
    return _form(visit, tell(visit, Event(row, details)), visit.query.get("kind", "wrong"))


@room.post("/contest")
async def contest(visit: Visit) -> Response:
    row, details = await opened(visit, {"shard": visit.form["shard"], "index": visit.form["index"]})
    kind, words = visit.form["kind"], visit.form["words"]
    told = tell(visit, Event(row, details))
    if kind not in KINDS:
        return _form(visit, told, kind, wrong="kind_missing", words=words)
    try:
        made = await contests_of(visit).begin(visit.person, row, kind, words)
    except ContestRefused as error:
        return _form(visit, told, kind, wrong=error.reason.lower(), words=words)
    visit.say("me.contested", number=made.number, day=visit.t.day(made.due))
    return visit.go("/me/contests")


@room.get("/contests", menu="me.contests")
async def contests(visit: Visit) -> Response:
    found = [shown(visit, one) for one in await contests_of(visit).of(tag_of(visit))]
    return visit.page("me/contests.html", contests=found)


@room.post("/contests/withdraw")
async def withdraw(visit: Visit) -> Response:
    store = contests_of(visit)
    found = await store.find(visit.form["id"], tag=tag_of(visit))
    if found is None:
        raise PageRefused("not_there", 404)
    try:
        await store.withdraw(found, visit.person)
        visit.say("me.withdrawn", number=found.number)
    except ContestRefused:
        visit.say("me.too_late")
    return visit.go("/me/contests")


def _form(visit: Visit, told: Told, kind: str, *, wrong: str = "", words: str = "") -> Response:
    chosen = kind if kind in KINDS else "wrong"
    return visit.page(
        "me/contest.html", status=400 if wrong else 200, told=told, kind=chosen, kinds=KINDS, wrong=wrong, words=words,
        least=WORDS[0], most=WORDS[1],
    )  # fmt: skip
