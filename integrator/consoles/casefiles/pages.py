"""The pages of requests: the list with its clocks, one file step by step, its lines, the preview, the release."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from datetime import date
from functools import wraps
from typing import Any

from starlette.responses import Response

from audit import Subject
from integrator.consoles.casefiles import letter
from integrator.consoles.casefiles.clock import Clock
from integrator.consoles.casefiles.files import CaseFile, Decision, Line
from integrator.consoles.casefiles.guard import grounds
from integrator.consoles.casefiles.machine import StepRefused
from integrator.consoles.casefiles.office import (
    CHANNELS,
    CHECKS,
    EVIDENCE,
    LETTER,
    LIST,
    METHODS,
    WAYS,
    Office,
    Opening,
)
from integrator.consoles.explain import explain
from integrator.consoles.reveals.opener import Opener
from integrator.consoles.reveals.store import Reveal
from integrator.consoles.rights import NothingThere
from integrator.consoles.rooms import Room
from integrator.consoles.visit import Visit
from integrator.consoles.web import PageRefused
from integrator.errors import MalformedRequest
from integrator.keytypes import compile_key

OFFICERS = frozenset({"dpo", "hub_dpo"})
LINES = 20  # on a page: a form holds at most 200 fields
KINDS = {".pdf": "application/pdf", ".csv": "text/csv; charset=utf-8", ".zip": "application/zip"}
_NAME = re.compile(r"[a-z_]{3,20}(-\d{1,3})?\.(pdf|csv|zip)").fullmatch
_STEPS = (
    "ask_proof",
    "identify",
    "extend",
    "collect",
    "prepare",
    "send_back",
    "release",
    "send",
    "withdraw",
    "refuse",
    "resume",
)
room = Room("requests", OFFICERS)
Page = Callable[[Visit], Awaitable[Response]]


def office_of(visit: Visit) -> Office:
    """The office of this hub. Raises `PageRefused` where there is none."""
    office = visit.consoles.extras.get("casefiles")
    if not isinstance(office, Office):
        raise PageRefused("not_there", 404)
    return office


def guarded(page: Page) -> Page:
    """What cannot be done is said on the file's own page; a file that is not this person's does not exist."""

    @wraps(page)
    async def inner(visit: Visit) -> Response:
        try:
            return await page(visit)
        except NothingThere as error:
            raise PageRefused("not_there", 404) from error
        except StepRefused as error:
            visit.say(f"casefiles.no_{error.reason.lower()}")
        except MalformedRequest as error:
            if "id" not in visit.request.path_params:
                raise
            visit.say(
                "casefiles.no_"
                + next(
                    (one.name.strip("/") for one in error.issues if visit.t.has(f"casefiles.no_{one.name.strip('/')}")),
                    "form",
                )
            )
        back = visit.form["back"] if visit.form["back"] in ("lines", "release", "preview") else ""
        return visit.go(f"/requests/{visit.request.path_params['id']}/{back}".rstrip("/"))

    return inner


async def file_of(visit: Visit, *, looked: bool = True) -> CaseFile:
    """The file of the address. `looked`: whether lines are shown, which is put on record once a session."""
    office = office_of(visit)
    file = await office.file(visit.person, str(visit.request.path_params["id"]))
    mark = f"{file.id} {file.collected}"
    if looked and file.lines and mark not in visit.data.get("casefiles", []):
        await office.seen(visit.person, file)
        visit.data["casefiles"] = [*visit.data.get("casefiles", []), mark][-50:]
    return file


@room.get("/", menu="casefiles.menu")
async def files(visit: Visit) -> Response:
    return await _list(visit, await office_of(visit).files(visit.person))


@room.post("/find")
async def find(visit: Visit) -> Response:
    """Files of one person; the number stays in the form."""
    try:
        subject = _subject(visit, visit.form["subject"])
    except MalformedRequest:
        visit.say("casefiles.no_subject")
        return visit.go("/requests/")
    return await _list(visit, await office_of(visit).of(visit.person, subject), found=True)


async def _list(visit: Visit, found_files: list[CaseFile], *, found: bool = False) -> Response:
    office = office_of(visit)
    rows = [
        {"file": file, "clock": file.clock(office.today()), "later": bool(file.later(office.today())) and file.state == "closed",
         "mine": visit.person.id in file.hands}
        for file in found_files
    ]  # fmt: skip
    return visit.page("casefiles/list.html", rows=rows, found=found)


@room.get("/new")
async def new(visit: Visit) -> Response:
    return _new(visit)


def _new(visit: Visit, wrong: str | None = None) -> Response:
    typed = {
        name: visit.form[name] for name in ("language", "received", "addressee", "channel", "agent", "since", "until")
    }
    if not typed["received"]:
        typed["received"] = office_of(visit).today().isoformat()
    offers = {"channels": CHANNELS, "typed": typed, "wrong": wrong}
    return visit.page(
        "casefiles/new.html", status=400 if wrong else 200, today=office_of(visit).today().isoformat(), **offers
    )


@room.post("/new")
async def open_file(visit: Visit) -> Response:
    form = visit.form
    try:
        subject = _subject(visit, form["subject"])
        opening = Opening(
            subject, form["language"], _date(form["received"]) or date.max, form["addressee"], form["channel"], form["agent"],
            _date(form["since"]), _date(form["until"]),
        )  # fmt: skip
        file = await office_of(visit).open(visit.person, opening)
    except MalformedRequest as error:
        return _new(visit, next(iter(one.name.strip("/") for one in error.issues), "form"))
    visit.say("casefiles.opened", number=file.number)
    return visit.go(f"/requests/{file.id}")


@room.get("/{id}")
@guarded
async def one(visit: Visit) -> Response:
    office, file = office_of(visit), await file_of(visit)
    papers = await office.cabinet.papers(file)
    return visit.page(
        "casefiles/file.html", **_common(visit, file), methods=METHODS, checks=CHECKS, ways=WAYS, papers=papers,
        counts=_counts(file), today=office.today().isoformat(),
    )  # fmt: skip


def _common(visit: Visit, file: CaseFile) -> dict[str, Any]:
    office = office_of(visit)
    clock: Clock = file.clock(office.today())
    return {
        "file": file, "clock": clock, "steps": office.steps(visit.person, file), "mine": visit.person.id in file.hands,
        "office": letter.office(file, visit.consoles.book, visit.t), "period": letter.period(file, visit.t),
        "later": file.later(office.today()) if file.state == "closed" else (),
    }  # fmt: skip


def _counts(file: CaseFile) -> dict[str, int]:
    return {what: sum(1 for line in file.lines if line.decision.what == what) for what in ("show", "delay", "omit")}


def _view(visit: Visit, line: Line) -> dict[str, Any]:
    row = line.opened()
    told = explain(row, visit.consoles.book, visit.language, viewer="person")
    return {"line": line, "row": row, "told": told, "decision": line.decision}


@room.get("/{id}/lines")
@guarded
async def lines(visit: Visit) -> Response:
    """The lines, to be judged one by one."""
    file = await file_of(visit)
    ordered = sorted(
        file.lines, key=lambda line: line.row["kind"] == "audit.read"
    )  # looks at the record last: they are many
    last = max(1, -(-len(file.lines) // LINES))
    page = min(max(1, int(visit.query.get("page", "1")) if visit.query.get("page", "1").isdigit() else 1), last)
    names = await _reveals(visit)
    shown = [
        {**_view(visit, line), "reveal": names.get((line.row["shard"], line.row["index"]))}
        for line in ordered[(page - 1) * LINES : page * LINES]
    ]
    open_ = [ground.code for ground in grounds().values() if ground.chosen]
    return visit.page("casefiles/lines.html", **_common(visit, file), shown=shown, page=page, last=last, grounds=open_)


async def _reveals(visit: Visit) -> dict[tuple[str, int], Reveal]:
    """Names that were asked for, by the place of their line; the newest of each."""
    opener = visit.consoles.extras.get("reveals")
    found = await opener.all(visit.person) if isinstance(opener, Opener) else []
    return {(one.shard, one.index): one for one in reversed(found)}


@room.post("/{id}/decide")
@guarded
async def decide(visit: Visit) -> Response:
    office, file, form = office_of(visit), await file_of(visit), visit.form
    decisions = {}
    for line in file.lines:
        what = form[f"what {line.key}"]
        if what in ("show", "delay", "omit") and not line.locked:
            ground = form[f"ground {line.key}"] or None if what != "show" else None
            until = form[f"until {line.key}"] or None if what == "delay" else None
            decision = Decision(what, ground, until, form[f"why {line.key}"][:500])  # type: ignore[arg-type]
            if decision != line.decision:
                decisions[line.key] = decision
    remark = form["remark"] if form["with_remark"] else None
    await office.decide(visit.person, file, decisions, remark=remark)
    visit.say("casefiles.saved")
    if form["next"].isdigit():
        return visit.go(f"/requests/{file.id}/lines?page={form['next']}")
    return visit.go(f"/requests/{file.id}")


@room.get("/{id}/preview")
@guarded
async def preview(visit: Visit) -> Response:
    """The letter as it would be, and what could be read between its lines."""
    file = await file_of(visit)
    return visit.page("casefiles/preview.html", **_common(visit, file), **_read(visit, file))


@room.get("/{id}/release")
@guarded
async def read_before_release(visit: Visit) -> Response:
    """For the second person: the letter, what was left out and why, what relatives could infer; then yes or no."""
    file = await file_of(visit)
    if file.state != "prepared":
        raise StepRefused("NOT_NOW")
    kept_back = [_view(visit, line) for line in file.lines if line.decision.what != "show"]
    against = [_view(visit, line) for line in file.shown if line.suggested.what != "show"]
    return visit.page(
        "casefiles/release.html", **_common(visit, file), **_read(visit, file), kept_back=kept_back, against=against
    )


def _read(visit: Visit, file: CaseFile) -> dict[str, Any]:
    office = office_of(visit)
    told = office.told(file)
    numbers = {f"{one.row.shard}/{one.row.index}/{one.row.part}": one.number for one in told}
    traces = {one.row.trace_id: one.number for one in told}
    by_key = {line.key: numbers.get(line.key) or traces.get(line.row["trace_id"]) for line in file.lines}
    inferences = [
        {
            "word": found.word,
            "grave": found.grave,
            "numbers": sorted({n for n in (by_key.get(key) for key in found.keys) if n}),
        }
        for found in office.guard.infer(file.lines)
    ]
    prepared = file.letter if file.state not in ("opened", "waiting", "identified", "collected") else None
    return {"letter": prepared or letter.answer(file, visit.consoles.book, office.today()), "inferences": inferences}


@room.get("/{id}/draft.pdf")
@guarded
async def draft(visit: Visit) -> Response:
    file = await file_of(visit)
    return visit.file(await office_of(visit).draft(file), KINDS[".pdf"], f"{file.number}-draft.pdf")


@room.get("/{id}/papers/{name}")
@guarded
async def paper(visit: Visit) -> Response:
    """A paper of the file: the answer's own once it is prepared, to be read by the second person."""
    name = str(visit.request.path_params["name"])
    if not _NAME(name):
        raise NothingThere
    file = await file_of(visit)
    data = await office_of(visit).paper(visit.person, file, name)
    return visit.file(data, KINDS[name[name.rindex(".") :]], f"{file.number}-{name}")


@room.post("/{id}/{step}")
@guarded
async def take(visit: Visit) -> Response:
    """Every other step: a form with one button."""
    step, office, form = str(visit.request.path_params["step"]), office_of(visit), visit.form
    if step not in _STEPS:
        raise NothingThere
    file, person = await file_of(visit, looked=step == "release"), visit.person
    match step:
        case "ask_proof" | "extend" | "withdraw" | "refuse" | "send_back":
            await getattr(office, step)(person, file, form["why"])
        case "identify":
            await office.identify(person, file, method=form["method"], checks=form.many("check"), remark=form["remark"])
        case "release":
            if not form["read"]:
                raise StepRefused("UNREAD")
            await office.release(person, file, form["sha256"])
        case "send":
            await office.send(person, file, form["how"])
        case _:
            await getattr(office, step)(person, file)
    visit.say(f"casefiles.done_{step}")
    return visit.go(f"/requests/{file.id}")


def _subject(visit: Visit, typed: str) -> Subject:
    """The person whose number was typed, dots and dashes or not. Raises `MalformedRequest` without the number."""
    digits = re.sub(r"[.\-\s]", "", typed)
    named = frozenset(visit.consoles.extras.get("named_numbers") or ())
    key = compile_key("subject", {"type": "ssin"}, sandbox=named if visit.consoles.sandbox else None)
    return Subject("nrn", key.read(digits, "/subject"))


def _date(typed: str) -> date | None:
    try:
        return date.fromisoformat(typed)
    except ValueError:
        return None


__all__ = ["EVIDENCE", "LETTER", "LIST", "room"]
