"""/audit/v1/requests: requests of citizens for programs, with the rights of the person behind the token.

GET  /audit/v1/requests                      the files this officer may see, the most urgent first
POST /audit/v1/requests                      {"subject", "language", "received", "addressee", "channel", "agent", "since", "until"}
POST /audit/v1/requests/find                 {"subject": "…"}: files of one person
GET  /audit/v1/requests/{id}                 one file with its lines: a look, on record
POST /audit/v1/requests/{id}/{step}          identify, collect, decide, prepare, release, … as states.yaml names them
GET  /audit/v1/requests/{id}/papers/{name}   letter.pdf, lines.csv, attachments.zip, notices
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import orjson
from fastapi import APIRouter, Request, Response

from audit import Subject
from integrator.consoles.api import Body, Current
from integrator.consoles.casefiles.files import CaseFile, Decision
from integrator.consoles.casefiles.office import Office, Opening
from integrator.consoles.explain import explain
from integrator.consoles.people import Person
from integrator.consoles.rights import NothingThere
from integrator.consoles.telling import iso
from integrator.consoles.web import Consoles
from integrator.errors import Issue, MalformedRequest
from integrator.keytypes import compile_key

_NEVER_KEPT = {"cache-control": "no-store"}
_KINDS = {"pdf": "application/pdf", "csv": "text/csv; charset=utf-8", "zip": "application/zip"}
_OPENING = frozenset({"subject", "language", "received", "addressee", "channel", "agent", "since", "until"})
_DECISION = frozenset({"line", "what", "ground", "until", "why"})
# step -> what its body may hold
_STEPS: Mapping[str, frozenset[str]] = {
    **dict.fromkeys(("ask_proof", "extend", "withdraw", "refuse", "send_back"), frozenset({"why"})),
    **dict.fromkeys(("collect", "prepare", "resume"), frozenset()),
    "identify": frozenset({"method", "checks", "remark"}),
    "decide": frozenset({"decisions", "remark"}),
    "release": frozenset({"sha256"}),
    "send": frozenset({"how"}),
}


def router(consoles: Consoles, current: Current, body: Body) -> APIRouter:
    """Routes over the office of these consoles."""
    routes = APIRouter(prefix="/audit/v1/requests")

    def office() -> Office:
        found = consoles.extras.get("casefiles")
        if not isinstance(found, Office):
            raise NothingThere
        return found

    async def officer(request: Request) -> Any:
        return await current(request)

    @routes.get("")
    async def files(request: Request) -> Response:
        person = await officer(request)
        return _json({"items": [_brief(file, office()) for file in await office().files(person)]})

    @routes.post("/find")
    async def find(request: Request) -> Response:
        person = await officer(request)
        asked = _only(await body(request), frozenset({"subject"}))
        return _json(
            {"items": [_brief(file, office()) for file in await office().of(person, _subject(consoles, asked))]}
        )

    @routes.post("")
    async def open_file(request: Request) -> Response:
        person, asked = await officer(request), _only(await body(request), _OPENING)
        file = await office().open(person, _opening(consoles, asked))
        return _json(_brief(file, office()), 201)

    @routes.get("/{id}")
    async def one(id: str, request: Request) -> Response:
        person = await officer(request)
        file = await office().file(person, id)
        await office().seen(person, file)
        return _json(_whole(file, office(), consoles, person, await office().cabinet.papers(file)))

    @routes.post("/{id}/{step}")
    async def take(id: str, step: str, request: Request) -> Response:
        person = await officer(request)
        if step not in _STEPS:
            raise NothingThere
        asked = _only(await body(request), _STEPS[step])
        file = await office().file(person, id)
        return _json(_brief(await _take(office(), person, file, step, asked), office()))

    @routes.get("/{id}/papers/{name}")
    async def paper(id: str, name: str, request: Request) -> Response:
        person = await officer(request)
        file = await office().file(person, id)
        await office().seen(person, file)
        data = await office().paper(person, file, name)
        headers = _NEVER_KEPT | {"content-disposition": f'attachment; filename="{file.number}-{name}"'}
        return Response(data, media_type=_KINDS[name.rpartition(".")[2]], headers=headers)

    return routes


async def _take(office: Office, person: Person, file: CaseFile, step: str, asked: Mapping[str, Any]) -> CaseFile:
    match step:
        case "identify":
            checks, remark = _texts(asked, "checks"), _text(asked, "remark")
            return await office.identify(person, file, method=_text(asked, "method"), checks=checks, remark=remark)
        case "decide":
            said = _text(asked, "remark") if "remark" in asked else None
            return await office.decide(person, file, _decisions(asked.get("decisions", [])), remark=said)
        case "collect" | "prepare" | "resume":
            changed: CaseFile = await getattr(office, step)(person, file)
            return changed
        case _:
            [word] = _STEPS[step]
            changed = await getattr(office, step)(person, file, _text(asked, word))
            return changed


def _decisions(items: Any) -> dict[str, Decision]:
    if not isinstance(items, list) or not all(isinstance(one, Mapping) for one in items):
        raise _wrong("decisions", "a list of {line, what, ground, until, why}")
    found = {}
    for item in items:
        one = _only(item, _DECISION)
        what: Any = _text(one, "what")
        found[_text(one, "line")] = Decision(
            what, _text(one, "ground") or None, _text(one, "until") or None, _text(one, "why")
        )
    return found


def _opening(consoles: Consoles, asked: Mapping[str, Any]) -> Opening:
    received = _day(asked, "received")
    if received is None:
        raise _wrong("received", "a day such as 2026-11-23")
    return Opening(
        _subject(consoles, asked), _text(asked, "language"), received, _text(asked, "addressee"), _text(asked, "channel"),
        _text(asked, "agent"), _day(asked, "since"), _day(asked, "until"),
    )  # fmt: skip


def _brief(file: CaseFile, office: Office) -> dict[str, Any]:
    clock = file.clock(office.today())
    told = {
        "id": file.id, "number": file.number, "organisation": file.org, "state": file.state, "outcome": file.outcome,
        "received": file.received.isoformat(), "due": clock.due.isoformat(), "pace": clock.pace, "daysLeft": clock.left,
        "sha256": file.sha256 or None,
    }  # fmt: skip
    return {name: value for name, value in told.items() if value is not None}


def _whole(file: CaseFile, office: Office, consoles: Consoles, person: Person, papers: list[str]) -> dict[str, Any]:
    lines = []
    for line in file.lines:
        decision = {name: getattr(line.decision, name) for name in ("what", "ground", "until", "why")}
        told = explain(line.opened(), consoles.book, file.language, viewer="person")
        lines.append(
            {"line": line.key, "time": iso(line.row["ts"]), "headline": told.headline, "locked": line.locked,
             "proposal": line.suggested.what, "decision": {name: one for name, one in decision.items() if one}}
        )  # fmt: skip
    inferences = [
        {"word": one.word, "grave": one.grave, "lines": list(one.keys)} for one in office.guard.infer(file.lines)
    ]
    history = [{"step": one.step, "time": iso(one.at), "by": one.name, "entry": one.place} for one in file.taken]
    more = {
        "steps": office.steps(person, file),
        "lines": lines,
        "inferences": inferences,
        "papers": papers,
        "history": history,
    }
    return _brief(file, office) | more


def _subject(consoles: Consoles, asked: Mapping[str, Any]) -> Subject:
    named = frozenset(consoles.extras.get("named_numbers") or ())
    key = compile_key("subject", {"type": "ssin"}, sandbox=named if consoles.sandbox else None)
    return Subject("nrn", key.read(asked.get("subject"), "/subject"))


def _only(asked: Mapping[str, Any], names: frozenset[str]) -> Mapping[str, Any]:
    """Refuse properties we do not know; their names are the caller's text, so they are not repeated."""
    if set(asked) - names:
        raise MalformedRequest(
            Issue("unknownInput", "body", "/", f"takes {', '.join(sorted(names)) or 'nothing'}, no more")
        )
    return asked


def _text(asked: Mapping[str, Any], name: str) -> str:
    value = asked.get(name, "")
    if not isinstance(value, str):
        raise _wrong(name, "text")
    return value


def _texts(asked: Mapping[str, Any], name: str) -> list[str]:
    value = asked.get(name, [])
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise _wrong(name, "a list of texts")
    return value


def _day(asked: Mapping[str, Any], name: str) -> date | None:
    text = _text(asked, name)
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise _wrong(name, "a day such as 2026-11-23") from None


def _wrong(name: str, advice: str) -> MalformedRequest:
    return MalformedRequest(Issue("schemaViolation", "body", f"/{name}", advice))


def _json(answer: dict[str, Any], status: int = 200) -> Response:
    return Response(orjson.dumps(answer), status, _NEVER_KEPT, "application/json")
