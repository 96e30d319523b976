"""Versions of authorisations: what was done under one exact text, and whose data were given under it (breach notice)."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

from starlette.responses import Response

from audit.reports import Row
from integrator.consoles.dpo import asking
from integrator.consoles.dpo.asking import with_reason
from integrator.consoles.dpo.lists import as_csv, listed, rows_as_csv
from integrator.consoles.dpo.room import OFFICERS, room
from integrator.consoles.visit import Visit

_VERSION = re.compile(r"sha256:[A-Za-z0-9_=+/-]{16,80}").fullmatch
_YEAR = timedelta(days=365)


@room.get("/policies", menu="dpo.policies", roles=OFFICERS)
async def policies(visit: Visit) -> Response:
    """Every authorisation with the version in force; an older one is typed or pasted from a row."""
    typed = visit.query.get("version", "")
    laws = sorted(visit.consoles.book.laws.values(), key=lambda law: law.authorisation)
    rows = [(law.authorisation, law.text.in_(visit.language) if law.text else "", law.version) for law in laws]
    return visit.page("dpo/policies.html", rows=rows, typed=typed)


@room.get("/policies/lines", roles=OFFICERS)
@with_reason("under_policy")
async def lines(visit: Visit) -> Response:
    version = visit.query.get("version", "")
    if not _VERSION(version):
        return visit.go("/dpo/policies")
    chosen = asking.period(visit, _YEAR)
    asked = {**asking.filters(visit), "version": version, "since": chosen.since, "until": chosen.until}
    if visit.query.get("format") == "csv":
        return await rows_as_csv(visit, "under_policy", **asked)
    page = listed(visit, await asking.look(visit, "under_policy", **asked))
    offers = asking.offers(visit, chosen, "org", "service", kept=("version",))
    return visit.page("dpo/under_policy.html", page=page, offers=offers, version=version)


@room.get("/policies/affected", roles=OFFICERS)
@with_reason("affected_subjects")
async def affected(visit: Visit) -> Response:
    """Whose data: each person finds this look in their own list."""
    version = visit.query.get("version", "")
    if not _VERSION(version):
        return visit.go("/dpo/policies")
    chosen = asking.period(visit, _YEAR)
    asked: dict[str, Any] = {
        "version": version,
        "since": chosen.since,
        "until": chosen.until,
        "org": visit.query.get("org"),
    }
    if visit.query.get("format") == "csv":
        return as_csv(visit, "affected", await _all(visit, asked))
    people, after = await asking.look(visit, "affected_subjects", cursor=visit.query.get("cursor"), **asked)
    offers = asking.offers(visit, chosen, "org", kept=("version",))
    rows = [_person(visit, subject.type, subject.id, given) for subject, given in people.items()]
    return visit.page("dpo/affected.html", rows=rows, next=after, offers=offers, version=version)


def _person(visit: Visit, kind: str, number: str, rows: list[Row]) -> tuple[str, str, str, int]:
    fields = dict.fromkeys(visit.consoles.book.field(name, visit.language) for row in rows for name in row.categories)
    return (
        str(visit.t(f"dpo.type_{kind}")) if visit.t.has(f"dpo.type_{kind}") else kind,
        number,
        ", ".join(fields),
        len(rows),
    )


async def _all(visit: Visit, asked: dict[str, Any]) -> list[list[object]]:
    """Everybody once, with all that was given; at most 100 pages."""
    people: dict[tuple[str, str], list[Row]] = {}
    cursor = None
    for _ in range(100):
        found, cursor = await asking.look(visit, "affected_subjects", cursor=cursor, limit=200, **asked)
        for subject, rows in found.items():
            people.setdefault((subject.type, subject.id), []).extend(rows)
        if cursor is None:
            break
    heads: list[object] = [visit.t("dpo." + name) for name in ("subject_type", "subject_number", "field", "exchanges")]
    return [heads, *([*_person(visit, kind, number, rows)] for (kind, number), rows in people.items())]
