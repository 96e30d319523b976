"""Refusals: how many for which reason, day by day, and each of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import timedelta

from starlette.responses import Response

from audit.reports import Tally
from integrator.consoles.dpo import asking
from integrator.consoles.dpo.asking import Period, with_reason
from integrator.consoles.dpo.lists import as_csv, listed, rows_as_csv
from integrator.consoles.dpo.room import OFFICERS, room
from integrator.consoles.visit import Visit


@room.get("/refusals", menu="dpo.refusals", roles=OFFICERS)
@with_reason("denied_by_reason")
async def refusals(visit: Visit) -> Response:
    chosen = asking.period(visit)
    asked = {"since": chosen.since, "until": chosen.until, "org": visit.query.get("org"), "app": visit.query.get("app")}
    tallies: list[Tally] = await asking.look(visit, "denied_by_reason", **asked)
    if visit.query.get("format") == "csv":
        heads = [visit.t("shell." + name) for name in ("reason", "organisation", "application", "service", "count")]
        return as_csv(visit, "refusals", [heads, *([t.reason, t.org, t.app, t.name, t.count] for t in tallies)])
    days = by_day(visit, await asking.look(visit, "denied_by_reason", by_day=True, **asked), chosen)
    book, language = visit.consoles.book, visit.language
    rows = [
        (reason_of(visit, t.reason), book.organisation(t.org or None, language), service_of(visit, t.name), t.count)
        for t in tallies
    ]
    return visit.page(
        "dpo/refusals.html", offers=asking.offers(visit, chosen, "org"), reasons=by_reason(visit, tallies), days=days,
        rows=rows, codes=sorted({t.reason for t in tallies}), names={t.reason: reason_of(visit, t.reason) for t in tallies},
    )  # fmt: skip


@room.get("/refusals/lines", roles=OFFICERS)
@with_reason("denied")
async def lines(visit: Visit) -> Response:
    chosen = asking.period(visit)
    asked = {
        **asking.filters(visit),
        "since": chosen.since,
        "until": chosen.until,
        "reason_code": visit.query.get("reason"),
    }
    if visit.query.get("format") == "csv":
        return await rows_as_csv(visit, "denied", **asked)
    page = listed(visit, await asking.look(visit, "denied", **asked))
    offers = asking.offers(visit, chosen, "org", "service", "purpose", kept=("reason",))
    return visit.page(
        "dpo/lines.html", page=page, offers=offers, title="dpo.refusals_lines", about="dpo.refusals_about"
    )


def by_reason(visit: Visit, tallies: Iterable[Tally]) -> list[tuple[str, int]]:
    """(reason in words, number), the most frequent first."""
    counted: Counter[str] = Counter()
    for tally in tallies:
        counted[tally.reason] += tally.count
    return [(reason_of(visit, reason), number) for reason, number in counted.most_common(10)]


def by_day(visit: Visit, tallies: Iterable[Tally], chosen: Period) -> list[tuple[str, int]]:
    """(day, number) for every day of the period, also those without any; at most the last 92."""
    counted: Counter[int] = Counter()
    for tally in tallies:
        counted[tally.day or 0] += tally.count
    span = min((chosen.last - chosen.first).days, 91)
    days = [chosen.last - timedelta(days=back) for back in range(span, -1, -1)]
    return [(visit.t.day(day), counted[int(f"{day:%Y%m%d}")]) for day in days]


def reason_of(visit: Visit, code: str) -> str:
    """A reason code as a sentence."""
    words = visit.consoles.book.words[visit.language]
    return str(words["reasons"].get(code) or words["other_reason"].format(code=code))


def service_of(visit: Visit, name: str) -> str:
    known = visit.consoles.book.services.get(name)
    return known.in_(visit.language) if known else name
