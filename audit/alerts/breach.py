"""A key was in the wrong hands from t1 to t2: whose data, which data, asked of whom. What a notification has to say (GDPR art. 33, 34)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from audit.draft import Subject
from audit.exports.view import View
from audit.exports.walk import Processing


@dataclass(frozen=True, slots=True)
class Scope:
    """What went through one application in a time."""

    exchanges: int  # in which data were given, or nobody knows whether they were
    unknown: int  # of these: nobody knows
    refused: int
    subjects: dict[Subject, int]  # exchanges about each; blind tags where the view opens nobody
    categories: dict[str, int]  # exchanges in which each was given
    services: dict[str, int]
    recipients: dict[tuple[str, str], int]  # (organisation, application) that received
    sources: dict[str, int]
    first: int | None  # µs since 1970
    last: int | None


def breach(processings: Iterable[Processing], view: View, app: str) -> Scope:
    """The scope of one application's leaked key, over a walk of that time (`Walk(…, since, until, org=…)`)."""
    subjects: Counter[Subject] = Counter()
    categories: Counter[str] = Counter()
    services: Counter[str] = Counter()
    recipients: Counter[tuple[str, str]] = Counter()
    sources: Counter[str] = Counter()
    times: list[int] = []
    unknown = refused = 0
    for one in processings:
        consumer, source = one.entry.get("consumer") or {}, one.entry.get("source") or {}
        if consumer.get("app") != app or one.kind == "audit.read":
            continue
        if one.kind == "denied" or one.entry.get("status") == "Error":
            refused += 1
            continue
        unknown += one.kind == "unknown"
        times = [min(times[0], one.began), max(times[1], one.ts)] if times else [one.began, one.ts]
        subjects.update({Subject(who.type, who.id) for who in view.see(one).subjects})
        categories.update(one.entry.get("categories") or ())
        services[one.entry["name"]] += 1
        recipients[consumer.get("org", ""), app] += 1
        sources[str(source.get("service", ""))] += 1
    first, last = times or (None, None)
    return Scope(
        services.total(), unknown, refused, dict(subjects.most_common()), dict(categories.most_common()), dict(services),
        dict(recipients), dict(sources), first, last,
    )  # fmt: skip
