"""How many exchanges there were, per month: for each organisation, purpose and service, with what is small kept back.

    month over, some days passed ─► count what the ledger says in clear ─► suppress ─► round ─► publish, once

Counted is every question of a caller that was permitted; a composition is one, and refusals are none. Nobody's number is
opened for it: the ledger's clear part says organisation, purpose and service.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import orjson

from integrator.figures.suppression import ALL, rounded, suppress
from integrator.governing.looking_back import traffic_of
from integrator.governing.traffic import Traffic
from integrator.opened.published import Published

SERIES = "exchanges"
DIMENSIONS = ("organisation", "purpose", "service")
TOTALS = (frozenset({0}), frozenset({1}), frozenset({2}), frozenset[int]())
BACK = 12  # months: what is older was published, or never will be
_PURPOSE = re.compile(r"/([a-z][a-z0-9_]*)/v\d+")
MONTH = re.compile(r"20\d\d-(0[1-9]|1[0-2])")


@dataclass(frozen=True, slots=True)
class Rule:
    """How figures are made fit for everybody."""

    k: int  # a figure below is kept back
    rounding: int  # to multiples of this
    days: int  # after the end of a month, until it is published

    @classmethod
    def read(cls, said: Mapping[str, Any]) -> Rule:
        return cls(int(said.get("k", 10)), int(said.get("rounding", 5)), int(said.get("afterDays", 5)))


def counted(traffic: Traffic) -> Counter[tuple[str, ...]]:
    """Permitted questions by organisation (KBO number), purpose and service."""
    cells: Counter[tuple[str, ...]] = Counter()
    for shape, n in traffic.asked.items():
        purpose = _PURPOSE.search(shape.activity)
        if shape.outcome == "permit" and not shape.part and purpose is not None:
            cells[shape.org, purpose[1], shape.service] += n
    return cells


def table(month: str, cells: Mapping[tuple[str, ...], int], rule: Rule, at: float) -> bytes:
    """The month as it is published: JSON. A dimension that is not there is a total over it."""
    told = suppress(cells, TOTALS, rule.k)
    items = [
        {name: value for name, value in zip(DIMENSIONS, key, strict=True) if value != ALL} | {"exchanges": rounded(n, rule.rounding)}
        for key, n in told.items()
    ]  # fmt: skip
    published = datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds")
    return orjson.dumps(
        {"series": SERIES, "period": month, "publishedAt": published, "atLeast": rule.k, "roundedTo": rule.rounding, "items": items}
    )  # fmt: skip


def due(now: float, rule: Rule, published: frozenset[str]) -> list[str]:
    """Months that are over for long enough and were not published: the oldest first."""
    last = (datetime.fromtimestamp(now, UTC) - timedelta(days=rule.days)).date().replace(day=1)
    months = [before(last, n) for n in range(BACK, 0, -1)]
    return [month for month in (day.strftime("%Y-%m") for day in months) if month not in published]


def before(first: date, months: int) -> date:
    """The first day of so many months before.

    >>> before(date(2026, 1, 1), 1).isoformat()
    '2025-12-01'
    """
    year, month = divmod(first.year * 12 + first.month - 1 - months, 12)
    return date(year, month + 1, 1)


def publish(published: Published, ledger: str, rule: Rule, now: float) -> list[str]:
    """Every month that is due and in which something was recorded; returns those this call published. Blocks."""
    known = frozenset(period for period, _ in published.periods(SERIES))
    done = []
    for month in due(now, rule, known):
        since, until = span(month)
        cells = counted(traffic_of(ledger, since, until))
        if cells and published.publish(SERIES, month, table(month, cells, rule, now), now):
            done.append(month)
    return done


def span(month: str) -> tuple[float, float]:
    """From its first second to the first of the next, UTC, in epoch seconds."""
    first = datetime.strptime(month + "-01", "%Y-%m-%d").replace(tzinfo=UTC)
    return first.timestamp(), datetime.combine(before(first.date(), -1), first.timetz()).timestamp()
