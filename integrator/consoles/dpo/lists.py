"""Rows of the ledger made ready for a page: each told in words, with its outcome, and as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from starlette.responses import Response

from audit.reports import Details, Page, Row
from integrator.consoles.dpo.asking import look
from integrator.consoles.explain import Explanation, Viewer, explain
from integrator.consoles.rendering import iso
from integrator.consoles.visit import BASE, Visit

CSV_ROWS = 500  # asked at a time
CSV_PAGES = 40
_LOOKS = frozenset({"outcome", "denied", "unknown", "intent"})
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class Act:
    """A link under a row."""

    href: str
    word: str


@dataclass(frozen=True, slots=True)
class Line:
    """One row as parts.lines shows it."""

    shard: str
    index: int
    ts: int
    trace_id: str
    organisation: str
    app: str | None
    look: str  # outcome, failed, denied, unknown, intent or other
    told: Explanation
    version: str | None = None
    acts: list[Act] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Listed:
    """One page of a list."""

    lines: list[Line]
    next: str | None = None
    behind: int = 0


def listed(visit: Visit, page: Page, *, viewer: Viewer = "person", opens: bool = True) -> Listed:
    """A page of the reports, told in the reader's language. `opens`: each line leads to its own page."""
    return Listed([line(visit, row, viewer=viewer, opens=opens) for row in page.rows], page.next, page.behind)


def line(
    visit: Visit, row: Row, *, viewer: Viewer = "person", opens: bool = False, details: Details | None = None
) -> Line:
    """One row."""
    told = explain(row, visit.consoles.book, visit.language, viewer=viewer, details=details)
    organisation = visit.consoles.book.organisation(row.org, visit.language) if row.org else ""
    entry = f"{BASE}/dpo/entry?" + urlencode({"shard": row.shard, "index": row.index})
    may_open = opens and bool(visit.person.roles & {"dpo", "hub_dpo"})
    return Line(
        row.shard, row.index, row.ts, row.trace_id, organisation, row.app, look_of(row), told, row.policy.get("ver"),
        [Act(entry, "dpo.open_entry")] if may_open else [],
    )  # fmt: skip


def look_of(row: Row) -> str:
    """How a row ended, in one of the words that have a badge."""
    if row.kind == "outcome" and row.status == "Error":
        return "failed"
    return row.kind if row.kind in _LOOKS else "other"


async def rows_as_csv(visit: Visit, question: str, **asked: Any) -> Response:
    """The list with its filters as a file, its newest 20 000 lines; every page of it is a look like any other.

    Where that was not all, the file says so: in its name, in its first line and in its last.
    """
    rows: list[Row] = []
    cursor = None
    for _ in range(CSV_PAGES):
        page: Page = await look(visit, question, **(asked | {"cursor": cursor, "limit": CSV_ROWS}))
        rows += page.rows
        cursor = page.next
        if cursor is None:
            break
    cut = [[str(visit.t("shell.csv_cut", n=len(rows)))]] if cursor is not None else []
    heads = [
        str(visit.t("shell." + name)) for name in ("when", "organisation", "application", "what", "reason", "outcome")
    ]
    heads += [str(visit.t("shell." + name)) for name in ("purpose", "law", "fields", "version", "entry", "trace")]
    name = f"{question}-newest-{len(rows)}" if cut else question
    return as_csv(visit, name, [*cut, heads, *(_cells(visit, line(visit, row)) for row in rows), *cut])


def as_csv(visit: Visit, name: str, rows: Iterable[Sequence[object]]) -> Response:
    """A file that spreadsheets read: UTF-8 with its mark, and no cell that one would take for a formula."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";")
    for row in rows:
        writer.writerow([_harmless(str(value)) for value in row])
    return visit.file("\ufeff" + text.getvalue(), "text/csv; charset=utf-8", f"{name.replace('_', '-')}.csv")


def _cells(visit: Visit, one: Line) -> list[str]:
    told = one.told
    return [
        iso(one.ts), one.organisation, one.app or "", told.headline, told.reason or "", str(visit.t("shell.kind_" + one.look)),
        told.purpose or "", told.law_text or "", ", ".join(told.fields), one.version or "", f"{one.shard}/{one.index}", one.trace_id,
    ]  # fmt: skip


def _harmless(cell: str) -> str:
    return "'" + cell if cell.startswith(_FORMULA) else cell
