"""Workbooks (.xlsx): one sheet, the first row names the columns, values only. Read row by row by openpyxl."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

from integrator.adapters.fieldtypes import Wrong
from integrator.adapters.findings import FileRefused
from integrator.adapters.layout import Field, Layout, Row
from integrator.adapters.reading.packed import BROKEN, inspect

COLUMNS = 500
# What openpyxl raises while it reads on in a broken document.
_BROKEN = (*BROKEN, SyntaxError, TypeError, AttributeError, ArithmeticError)


def rows(layout: Layout, path: Path, offset: int, number: int) -> Iterator[Row]:
    """Raises `FileRefused`."""
    del offset, number  # a sheet has no byte order
    inspect(path)
    from openpyxl import load_workbook  # late: it takes a quarter of a second

    stream = path.open("rb")  # handed over open: openpyxl judges a path by its name
    try:
        book = load_workbook(stream, read_only=True, data_only=False, keep_links=False)
    except _BROKEN as error:
        stream.close()
        raise FileRefused("NOT_WELL_FORMED", "the workbook cannot be opened") from error
    try:
        yield from _sheet(layout, book)
    except (FileRefused, GeneratorExit):
        raise
    except _BROKEN as error:
        raise FileRefused("NOT_WELL_FORMED", "the sheet cannot be read to its end") from error
    finally:
        book.close()
        stream.close()


def _sheet(layout: Layout, book: Any) -> Iterator[Row]:
    if layout.sheet and layout.sheet not in book.sheetnames:
        raise FileRefused("OTHER_LAYOUT", "the workbook has no sheet of that name")
    sheet = book[layout.sheet] if layout.sheet else book.worksheets[0]
    sheet.reset_dimensions()  # what a sheet says of its own size need not be true
    found = sheet.iter_rows(max_col=COLUMNS)
    names = [str(cell.value).strip() if cell.value is not None else "" for cell in next(found, ())]
    while names and not names[-1]:
        names.pop()
    places = {name: at for at, name in enumerate(names)}
    wanted = [one.column for one in layout.fields]
    extra = set(layout.data.get("ignore") or ())
    if len(places) != len(names) or not set(wanted) <= set(names) or set(names) - set(wanted) - extra:
        raise FileRefused("OTHER_LAYOUT", "the names of the columns are not those of the layout")
    empty = 0
    rows = 0
    for number, cells in enumerate(islice(found, layout.max_rows + 1_000), start=2):
        if all(cell.value is None for cell in cells):
            empty += 1
            if empty > 1_000:  # a sheet that was formatted down to its last row
                break
            continue
        rows += 1
        yield _row(layout, places, number, cells)
    if not rows:
        raise FileRefused("EMPTY_FILE")


def _row(layout: Layout, places: dict[str, int], number: int, cells: tuple[Any, ...]) -> Row:
    """Its piece is what mending reads: a JSON array of texts in the layout's order, whatever the sheet's is."""
    row = Row(number, None, None, {}, [])
    beyond = [str(cell.value) for cell in cells[len(places) :] if cell.value is not None]
    if beyond:
        row.wounds.append((None, "COLUMN_EXTRA"))
    texts = []
    for one in layout.fields:
        at = places[one.column]
        cell = cells[at] if at < len(cells) else None
        try:
            text = _text(one, cell)
        except Wrong as wrong:
            text = ""
            row.wounds.append((one.name, wrong.reason))
        row.texts[one.name] = text
        texts.append(text or ("" if cell is None or cell.value is None else str(cell.value)))
    return replace(row, piece=json.dumps([*texts, *beyond], ensure_ascii=False).encode())


def _text(field: Field, cell: Any) -> str:
    if cell is None or cell.value is None:
        return ""
    if cell.data_type == "f" or (isinstance(cell.value, str) and cell.value.startswith("=")):
        raise Wrong("FORMULA")
    if cell.data_type == "e":
        raise Wrong("CELL_ERROR")
    if isinstance(cell.value, str):
        text = cell.value.strip()
        if any(ord(sign) < 32 and sign not in "\n\t\r" for sign in text):
            raise Wrong("CONTROL_SIGN")
        return text
    try:
        return field.type.cell(cell.value) if field.type.cell else _plain(cell.value)
    except (ArithmeticError, ValueError, TypeError) as error:
        raise error if isinstance(error, Wrong) else Wrong("NOT_THE_FORM") from error


def _plain(value: Any) -> str:
    """A number that is text for us (a national number without its zero is none: look at the column's format)."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
