"""Whether the ledger is well: checkpoints, stamps, witnesses; and evidence that anybody can verify without us."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from audit.errors import LedgerError, NotPublished
from audit.log.anchor import is_anchor
from integrator.consoles.dpo import asking
from integrator.consoles.dpo.room import room
from integrator.consoles.visit import Visit
from integrator.consoles.web import PageRefused

_LATE = 15 * 60  # seconds without a stamp, as the stamper's own alarm


@dataclass(frozen=True, slots=True)
class Part:
    """One line of the state: what, how it is (good, odd, bad), and a sentence."""

    name: str
    state: str
    text: str


@room.get("/health", menu="dpo.health")
async def health(visit: Visit) -> Response:
    found = await asking.look(visit, "health")
    ledger = found["ledger"]
    signed = {one["origin"]: one["signed"] for one in found.get("logs", ())}
    shards = [(name, size, 0 if is_anchor(name) else signed.get(name)) for name, size in ledger.shards]
    return visit.page(
        "dpo/health.html", parts_=parts(visit, found), condition=condition(visit, found), shards=shards, ledger=ledger,
        evidence="proof" in visit.consoles.desk.questions(visit.person),
    )  # fmt: skip


@room.post("/evidence")
async def evidence(visit: Visit) -> Response:
    """The evidence bundle of one entry, to be verified anywhere. It is a look, so it asks a reason."""
    shard, index = visit.form["shard"], visit.form["index"]
    if not index.isdigit():
        raise PageRefused("malformed", 400)
    if asking.reason(visit, "proof") is None and not asking.say_why(visit, "proof", visit.form["reason"]):
        return visit.page("dpo/evidence.html", status=200, shard=shard, index=index, wrong=bool(visit.form["reason"]))
    try:
        bundle = await asking.look(visit, "proof", shard=shard, index=int(index))
    except NotPublished:
        visit.say("dpo.not_published")
        return visit.go("/dpo/health")
    except LedgerError as error:
        raise PageRefused("not_there", 404) from error
    if bundle is None:
        raise PageRefused("not_there", 404)
    return visit.file(bundle, "application/zip", f"evidence-{index}.zip")


def condition(visit: Visit, found: Mapping[str, Any]) -> Part:
    """All of it in one line: the worst part speaks."""
    order = {"bad": 0, "odd": 1, "good": 2}
    worst = min((part.state for part in parts(visit, found)), key=order.__getitem__, default="good")
    return Part("", worst, str(visit.t(f"dpo.condition_{worst}")))


def parts(visit: Visit, found: Mapping[str, Any]) -> list[Part]:
    """Every log, stamp and witness, in words."""
    t, now = visit.t, visit.consoles.now()
    told = []
    for one in found.get("logs", ()):
        state = "bad" if one["final"] else "odd" if one["failure"] or one["waiting"] > 30 else "good"
        age = t.length(max(0.0, now - one["signed_at"] / 1e6)) if one["signed_at"] else None
        word = "dpo.log_final" if one["final"] else "dpo.log_signed" if age else "dpo.log_quiet"
        told.append(Part(one["origin"], state, str(t(word, age=age or "", n=t.number(one["signed"])))))
    for one in found.get("stamps", ()):
        state = "bad" if one["alarm"] else "good" if one["age"] is not None else "odd"
        text = t("dpo.stamped", age=t.length(one["age"])) if one["age"] is not None else t("dpo.not_stamped")
        told.append(Part(str(t("dpo.stamps_of", name=one["name"])), state, str(text)))
    for one in found.get("witnesses", ()):
        state = "bad" if one["alarm"] else "odd" if one["reason"] else "good"
        at = one["cosigned_at"]
        text = (
            t("dpo.witness_alarm")
            if one["alarm"]
            else t("dpo.witnessed", age=t.length(now - at))
            if at
            else t("dpo.not_witnessed")
        )
        told.append(Part(str(t("dpo.witness_of", name=one["name"])), state, str(text)))
    dangling = found["ledger"].dangling
    told.append(Part(str(t("dpo.dangling")), "odd" if dangling else "good", str(t("dpo.dangling_count", n=dangling))))
    return told
