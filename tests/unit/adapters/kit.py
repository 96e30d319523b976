"""Layouts and files of invented packages, one of each kind; people have numbers with month 61 to 72."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

from openpyxl import Workbook

from integrator.adapters.layout import Layout, compile_layout

SANDBOX: frozenset[str] = frozenset()
PEOPLE = ("84651797654", "94641897237", "62720696678")

FIXED: dict[str, Any] = {
    "adapter": "payroll",
    "format": {"kind": "fixed", "encoding": "cp1252", "lineEnd": "crlf", "length": 44, "rows": "D", "skip": ["H"]},
    "fields": {
        "ssin": {"at": 2, "length": 11, "type": "ssin", "required": True},
        "name": {"at": 13, "length": 12},
        "day": {"at": 25, "length": 8, "type": "date", "empty": ["00000000"]},
        "amount": {"at": 33, "length": 10, "type": "decimal", "implied": True, "required": True},
        "kind": {"at": 43, "length": 1, "type": "code", "codes": {"S": "salary", "B": "bonus"}},
    },
    "key": ["ssin", "day", "kind"],
    "ending": {
        "starts": "T",
        "count": {"at": 2, "length": 6},
        "sums": {"amount": {"at": 33, "length": 10, "type": "decimal", "implied": True}},
    },
}
DELIMITED: dict[str, Any] = {
    "adapter": "resthome",
    "format": {"kind": "delimited", "encoding": "utf-8", "separator": ";"},
    "fields": {
        "invoice": {"column": "Facture", "required": True, "pattern": "F\\d{4}"},
        "resident": {"column": "NISS", "type": "ssin", "required": True},
        "amount": {"column": "Montant", "type": "decimal", "min": 0},
        "remark": {"column": "Remarque", "max": 60},
    },
    "key": ["invoice"],
    "ignore": ["Utilisateur"],
}
WORKBOOK: dict[str, Any] = {
    "adapter": "homehelp",
    "format": {"kind": "workbook", "sheet": "Heures"},
    "fields": {
        "helper": {"column": "Aide", "required": True},
        "day": {"column": "Jour", "type": "date", "form": "dd/mm/yyyy", "required": True},
        "hours": {"column": "Heures", "type": "decimal", "required": True, "max": 24},
    },
    "key": ["helper", "day"],
}
XML: dict[str, Any] = {
    "adapter": "einvoice",
    "format": {"kind": "xml", "record": "i:line", "namespaces": {"i": "urn:invented:invoice"}},
    "fields": {
        "id": {"path": "i:id", "required": True},
        "amount": {"path": "i:amount", "type": "decimal", "separator": ".", "required": True},
        "currency": {"path": "i:amount/@currency", "type": "code", "codes": {"EUR": "EUR"}},
    },
    "key": ["id"],
}
RECORDS: dict[str, Any] = {
    "adapter": "desk",
    "format": {"kind": "records"},
    "fields": {
        "id": {"column": "id", "required": True, "max": 20},
        "resident": {"path": "person.ssin", "type": "ssin", "required": True},
        "fee": {"column": "fee", "type": "decimal", "separator": "."},
        "day": {"column": "day", "type": "date", "form": "yyyy-mm-dd"},
        "paid": {"column": "paid", "type": "code", "codes": {"true": "paid", "false": "open"}},
    },
    "key": ["id"],
}


def layout(data: dict[str, Any], room: Path = Path()) -> Layout:
    return compile_layout(data, room, sandbox=SANDBOX)


def fixed_row(ssin: str, name: str, day: str, amount: int, kind: str = "S") -> str:
    return f"D{ssin}{name:<12}{day}{amount:>10}{kind} "


def fixed_file(rows: list[str], *, count: int | None = None, total: int | None = None, end: str = "\r\n") -> bytes:
    known = sum(int(row[32:42]) for row in rows) if total is None else total
    ending = f"T{len(rows) if count is None else count:>6}".ljust(32) + f"{known:>10}".ljust(12)
    return end.join(["H payroll of November".ljust(44), *rows, ending, ""]).encode("cp1252")


def three_rows() -> list[str]:
    return [
        fixed_row(PEOPLE[0], "Eekhoorn", "20261101", 123456),
        fixed_row(PEOPLE[1], "Mésange", "00000000", 5, "B"),
        fixed_row(PEOPLE[2], "Mandarine", "20261102", 99),
    ]


def records() -> list[dict[str, Any]]:
    return [
        {"id": f"Q{at}", "person": {"ssin": one}, "fee": 12.5, "day": "2026-11-20", "paid": True}
        for at, one in enumerate(PEOPLE)
    ]


def records_file() -> bytes:
    return "".join(f"{json.dumps(one)}\n" for one in records()).encode()


def workbook(
    rows: list[list[Any]], header: tuple[str, ...] = ("Aide", "Jour", "Heures"), sheet: str = "Heures"
) -> bytes:
    book = Workbook()
    page = book.active
    page.title = sheet
    for row in (list(header), *rows):
        page.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def repacked(data: bytes, **parts: bytes) -> bytes:
    """A workbook with parts added or replaced; `__` in a name stands for /."""
    out = io.BytesIO()
    new = {name.replace("__", "/").replace("_dot_", "."): value for name, value in parts.items()}
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for one in old.infolist():
            if one.filename not in new:
                packed.writestr(one.filename, old.read(one))
        for name, value in new.items():
            packed.writestr(name, value)
    return out.getvalue()
