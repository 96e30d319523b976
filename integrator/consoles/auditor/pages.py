"""The pages of auditors. They see that the ledger is whole and who looked at it, never what an exchange was about."""

from __future__ import annotations

import asyncio
import json
import os
from base64 import b64encode
from datetime import date
from importlib import resources
from pathlib import Path
from typing import Any

from starlette.responses import Response

from audit import Draft, Subject
from audit.keeping.maps import DayEvidence
from audit.log.anchor import is_anchor
from audit.verify import hub_audit_verify
from integrator.consoles.auditor.reconciling import numbers_of
from integrator.consoles.auditor.tools import AuditTools
from integrator.consoles.dpo import asking
from integrator.consoles.dpo.health import condition, parts
from integrator.consoles.dpo.lists import as_csv
from integrator.consoles.looking import REASON
from integrator.consoles.rooms import Room
from integrator.consoles.visit import Visit
from integrator.consoles.web import PageRefused

room = Room("auditor", frozenset({"auditor", "hub_dpo"}))
_VERIFY = Path(str(resources.files("audit.verify")))
DOWNLOADS = {
    "verifier": ("hub_audit_verify.py", "text/x-python; charset=utf-8"),
    "page": ("verify.html", "application/octet-stream"),
}
_KEPT = 500  # differences of one kind that the session keeps


def tools_of(visit: Visit) -> AuditTools:
    """Raises `PageRefused` where there are none."""
    tools = visit.consoles.extras.get("auditor")
    if not isinstance(tools, AuditTools):
        raise PageRefused("not_there", 404)
    return tools


@room.get("/", menu="auditor.menu")
async def home(visit: Visit) -> Response:
    tools, found = tools_of(visit), await asking.look(visit, "health")
    now = visit.consoles.now()
    logs = [
        {**one, "age": max(0.0, now - one["signed_at"] / 1e6) if one["signed_at"] else None} for one in found.get("logs", ())
    ]  # fmt: skip
    runs = await tools.verifying.newest()
    return visit.page(
        "auditor/home.html", condition=condition(visit, found), parts_=parts(visit, found), logs=logs,
        shards=[name for name, size in found["ledger"].shards if size and not is_anchor(name)],
        quorum=found["quorum"] if found.get("witnesses") else 0, runs=runs, roots=bool(tools.roots),
    )  # fmt: skip


@room.post("/verify")
async def verify(visit: Visit) -> Response:
    """Start a verification, or go to the one that runs. Who started it is recorded first."""
    reach = "new" if visit.form["reach"] == "new" else "all"
    draft = Draft(
        type="admin", trace_id=os.urandom(16).hex(), span_id=os.urandom(8).hex(), name="audit.verify", retention="Y10",
        clear={"initiator": "official"}, agent={"id": visit.person.id},
    )  # fmt: skip
    await visit.consoles.desk.write(draft)
    id_ = await tools_of(visit).verifying.start(visit.person.name, reach)
    return visit.go(f"/auditor/verify/{id_}")


@room.get("/verify/{id}")
async def verification(visit: Visit) -> Response:
    """How far it is (the page comes again by itself, without script), then what it found."""
    verifying, id_ = tools_of(visit).verifying, visit.request.path_params["id"]
    progress, run = verifying.progress(id_), await verifying.run(id_)
    if run is None and progress is None:
        raise PageRefused("not_there", 404)
    say = hub_audit_verify.Words(visit.language)
    levels = [(one, say(str(one["level"]))) for one in (run.verdicts if run else ())]
    answer = visit.page("auditor/run.html", run=run, progress=progress, levels=levels, say=say)
    if progress is not None:
        answer.headers["refresh"] = "2"
    return answer


@room.get("/get/{name}")
async def get(visit: Visit) -> Response:
    """The verifier, the page that verifies in a browser, the roots of the time stamps: all that a stranger needs."""
    name = visit.request.path_params["name"]
    if name == "roots" and (roots := tools_of(visit).roots):
        return visit.file(roots, "application/x-pem-file", "roots.pem")
    if name not in DOWNLOADS:
        raise PageRefused("not_there", 404)
    file, kind = DOWNLOADS[name]
    return visit.file(await asyncio.to_thread((_VERIFY / file).read_bytes), kind, file)


# --- one day proved


@room.get("/days", menu="auditor.days")
async def days(visit: Visit) -> Response:
    tools = tools_of(visit)
    proved = visit.data.get("day") if "hub_dpo" in visit.person.roles else None
    if visit.query.get("format") == "json" and proved:
        return visit.file(json.dumps(proved, indent=1), "application/json", f"day-{proved['day']}.json")
    return visit.page(
        "auditor/days.html", days=await asyncio.to_thread(tools.days), proved=proved, wrong=visit.query.get("wrong", ""),
        proves="hub_dpo" in visit.person.roles,
    )  # fmt: skip


@room.post("/days", roles=frozenset({"hub_dpo"}))
async def prove(visit: Visit) -> Response:
    """That somebody had exactly these lines on a day. The number is typed here, and goes nowhere but into the question."""
    day, number, reason = _day(visit.form["day"]), visit.form["number"], visit.form["reason"]
    number = number.replace(".", "").replace("-", "").replace(" ", "")
    if day is None or not (number.isascii() and number.isdigit() and len(number) == 11) or not REASON[0] <= len(reason) <= REASON[1]:  # fmt: skip
        return visit.go("/auditor/days?wrong=1")
    subject, tools = Subject("nrn", number), tools_of(visit)
    evidence: list[DayEvidence] = await visit.consoles.desk.export(
        visit.person, "evidence", lambda right, seen: (tools.prove(subject, day), [subject]), reason, subject=subject
    )
    visit.data["day"] = _proved(day, evidence)
    return visit.go("/auditor/days")


def _proved(day: date, evidence: list[DayEvidence]) -> dict[str, Any]:
    """The proof as anybody can check it (audit/keeping/completeness.py): no tag, no number."""
    told = [
        {
            "entry": f"{one.shard}/{one.index}", "key": _b64(one.key), "salt": _b64(one.salt), "size": one.proof.size,
            "places": [f"{shard}/{index}" for shard, index in one.places],
            "erased": {f"{shard}/{index}": f"{by}/{order}" for (shard, index), (by, order) in one.erased},
            "leaves": [
                {"index": leaf.index, "key": _b64(leaf.key), "value": _b64(leaf.value), "proof": [_b64(node) for node in leaf.proof]}
                for leaf in one.proof.leaves
            ],
        }
        for one in evidence
    ]  # fmt: skip
    return {"day": day.isoformat(), "lines": sum(len(one.places) for one in evidence), "proofs": told}


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _b64(data: bytes) -> str:
    return b64encode(data).decode()


# --- beside a source's own list


@room.get("/compare", menu="auditor.compare")
async def beside(visit: Visit) -> Response:
    compared = visit.data.get("compared")
    if visit.query.get("format") == "csv" and compared:
        rows = [(name, number) for name in ("ours", "theirs") for number in compared[name]]
        heads = [visit.t("auditor.where"), visit.t("shell.trace")]
        return as_csv(visit, "compared", [heads, *((visit.t(f"auditor.only_{name}"), number) for name, number in rows)])
    chosen = asking.period(visit)
    heading = ""
    if compared:
        days = {name: visit.t.day(date.fromisoformat(compared[name])) for name in ("since", "until")}
        heading = str(visit.t("auditor.compared", source=_named(visit, compared["source"]), **days))
    return visit.page(
        "auditor/compare.html", compared=compared, heading=heading, wrong=visit.query.get("wrong", ""), since=chosen.first.isoformat(),
        until=chosen.last.isoformat(), sources=[(one, _named(visit, one)) for one in tools_of(visit).sources],
    )  # fmt: skip


@room.post("/compare")
async def compare(visit: Visit) -> Response:
    """A list of numbers of exchanges from a source, beside ours. Numbers of exchanges are about nobody."""
    tools, source = tools_of(visit), visit.form["source"]
    first, last = _day(visit.form["since"]), _day(visit.form["until"])
    theirs, unreadable = numbers_of(visit.form.raw("list"))
    if source not in tools.sources or first is None or last is None or first > last or not theirs:
        return visit.go("/auditor/compare?wrong=1")
    period = asking.Period(first, last)
    found = await visit.consoles.desk.export(
        visit.person, "reconcile",
        lambda right, seen: (tools.compare(theirs, source, period.since, period.until, unreadable), ()),
    )  # fmt: skip
    visit.data["compared"] = {
        "source": source, "since": first.isoformat(), "until": last.isoformat(), "both": found.both,
        "ours": list(found.ours[:_KEPT]), "theirs": list(found.theirs[:_KEPT]), "n_ours": len(found.ours),
        "n_theirs": len(found.theirs), "unreadable": found.unreadable, "cut": found.cut,
    }  # fmt: skip
    return visit.go("/auditor/compare")


def _named(visit: Visit, source: str) -> str:
    name = visit.consoles.book.sources.get(source)
    return str(name.in_(visit.language)) if name else source
