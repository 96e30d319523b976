"""Makes the workbooks of config/scenarios/workbooks: `python -m tests.flows.make_workbooks`. Invented hours, test numbers."""

from __future__ import annotations

import io
import zipfile
from datetime import date
from pathlib import Path
from typing import Any

from openpyxl import Workbook

FOLDER = Path(__file__).resolve().parents[2] / "config" / "scenarios" / "workbooks"
HEAD = ["Mois", "Facture", "Date facture", "NISS", "Aidant", "Jour", "Aide", "Heures", "Tarif"]
ONE, TWO = "84651797654", "94641897237"


def visit(month: int, invoice: int, client: str, day: int, kind: str, hours: Any, rate: float) -> list[Any]:
    number, last = f"AD-2026-{month}-{invoice}", date(2026, month, 31 if month in (10, 12) else 30)
    return [f"2026-{month}", number, last, client, "Anna Peeters", date(2026, month, day), kind, hours, rate]


def workbook(*rows: list[Any]) -> bytes:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "Heures"
    for row in [HEAD, *rows]:
        sheet.append(row)
    made = io.BytesIO()
    book.save(made)
    return made.getvalue()


def with_macros(content: bytes) -> bytes:
    made = io.BytesIO(content)
    with zipfile.ZipFile(made, "a") as packed:
        packed.writestr("xl/vbaProject.bin", b"Attribute VB_Name")
    return made.getvalue()


OCTOBER = workbook(
    visit(10, 1, ONE, 1, "AF", 0.25, 8.33),
    visit(10, 1, ONE, 2, "AF", 0.25, 8.33),
    visit(10, 1, ONE, 1, "AM", 2, 10.1),
    visit(10, 2, TWO, 5, "AF", 1.5, 8.33),
)
NOVEMBER = workbook(visit(11, 1, ONE, 3, "GM", 1.75, 8.33))
FORMULA = workbook(visit(12, 1, ONE, 1, "AF", 1, 8.33), visit(12, 1, ONE, 2, "AF", "=H2*2", 8.33))

if __name__ == "__main__":
    for name, content in {
        "homehelp-october": OCTOBER, "homehelp-november": NOVEMBER, "homehelp-formula": FORMULA,
        "homehelp-macros": with_macros(NOVEMBER),
    }.items():  # fmt: skip
        (FOLDER / f"{name}.xlsx").write_bytes(content)
