"""A file held against its layout: every row judged, nothing loaded. What `judged` calls good is all that intake may take."""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

from integrator.adapters.findings import FileRefused, Finding
from integrator.adapters.layout import Layout, Row
from integrator.adapters.reading import rows

SHOWN = 1_000  # findings kept in a report; all are counted


class Judged(NamedTuple):
    """One row with its values, or with what is wrong with it (never both)."""

    number: int  # of the row, from 1
    row: Row
    values: dict[str, Any]
    findings: tuple[Finding, ...]


@dataclass(slots=True)
class Report:
    """What a check found."""

    rows: int = 0
    findings: list[Finding] = field(default_factory=list)
    found: int = 0  # findings, also those not kept
    bad: array[int] = field(default_factory=lambda: array("Q"))  # numbers of the rows that are not good, in order
    refusal: FileRefused | None = None

    @property
    def good(self) -> int:
        return 0 if self.refusal else self.rows - len(self.bad)

    @property
    def clean(self) -> bool:
        return self.refusal is None and not self.bad

    def json(self) -> dict[str, Any]:
        told: dict[str, Any] = {"rows": self.rows, "good": self.good, "bad": len(self.bad)}
        if self.refusal is not None:
            told["refused"] = {"reason": self.refusal.reason, "advice": self.refusal.hint}
        return told | {
            "findings": [one.json() for one in self.findings],
            "findingsNotShown": self.found - len(self.findings),
        }


def check(layout: Layout, path: Path) -> Report:
    """The whole file; memory grows with the keys of its rows only (about 60 bytes each)."""
    report = Report()
    totals: dict[tuple[Any, ...], Decimal] = {}
    try:
        for one in judged(layout, path):
            report.rows += 1
            if one.findings:
                report.bad.append(one.number)
                report.found += len(one.findings)
                report.findings += one.findings[: max(0, SHOWN - len(report.findings))]
            elif layout.even is not None:
                layout.even.add(one.values, totals)
    except FileRefused as refused:
        report.refusal = refused
    if report.refusal is None and layout.whole:
        report.refusal = _as_a_whole(layout, report, totals)
    return report


def _as_a_whole(layout: Layout, report: Report, totals: dict[tuple[Any, ...], Decimal]) -> FileRefused | None:
    if report.bad:
        return FileRefused("NOT_ALL_GOOD", about=", ".join(sorted({one.reason for one in report.findings})))
    return layout.even.judge(totals) if layout.even is not None else None


def judged(layout: Layout, path: Path) -> Iterator[Judged]:
    """Every row of the file, in order. Raises `FileRefused`, perhaps at the very end: nothing may be loaded before that."""
    seen: set[int] = set()
    for number, row in enumerate(rows(layout, path), start=1):
        if number > layout.max_rows:
            raise FileRefused("TOO_MANY_ROWS")
        values, findings = judge(layout, row)
        if layout.key and not findings:
            key = _key(layout, values)
            if key in seen:
                findings = (row.finding(None, "DOUBLE"),)
            seen.add(key)
        yield Judged(number, row, {} if findings else values, findings)


def judge(layout: Layout, row: Row) -> tuple[dict[str, Any], tuple[Finding, ...]]:
    """One row by itself: its values and what is wrong with it."""
    if row.wounds and any(name is None for name, _ in row.wounds):
        return {}, tuple(row.finding(name, reason) for name, reason in row.wounds)
    values, wounds = layout.values(row.texts)
    if not wounds and not row.wounds:
        return values, ()
    known = {name for name, _ in row.wounds}
    return values, tuple(
        row.finding(name, reason) for name, reason in (*row.wounds, *(one for one in wounds if one[0] not in known))
    )


def _key(layout: Layout, values: dict[str, Any]) -> int:
    """What makes a row itself, as 64 bits: of five million rows, two different ones meet once in a million files."""
    text = "\x1f".join([str(values.get(name, "")) for name in layout.key])
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")
