"""One row written anew by a person, read as a file of its own would be, without heading and ending."""

from __future__ import annotations

import json
import tempfile
from dataclasses import replace
from pathlib import Path

from integrator.adapters.findings import FileRefused
from integrator.adapters.layout import Layout, Row
from integrator.adapters.reading import rows

_LONGEST = 100_000  # bytes of a heading


def row_of(layout: Layout, text: str) -> Row:
    """The row; of a workbook a JSON array of its cells as text. Wounds say what is wrong, one row or not.

    Of a file whose first line names the columns: that line and the row; the row alone has the layout's fields in order.
    """
    if layout.kind == "workbook":
        return _cells(layout, text)
    alone = replace(layout, ending=None, header=False, line_end=b"", fields=layout.fields)
    if layout.kind == "delimited" and layout.header and "\n" in text.strip():
        alone = replace(alone, header=True)
    elif layout.kind == "delimited" and layout.header:
        alone = replace(alone, fields=tuple(replace(one, column=str(at)) for at, one in enumerate(layout.fields, 1)))
    with tempfile.NamedTemporaryFile(suffix=".row") as aside:
        aside.write(text.encode(layout.encoding, "replace").rstrip(b"\r\n") + b"\n")
        aside.flush()
        try:
            found = list(rows(alone, Path(aside.name)))
        except FileRefused as refused:
            return Row(1, None, None, {}, [(None, refused.reason)])
    return found[0] if len(found) == 1 else Row(1, None, None, {}, [(None, "ROW_TOO_LONG")])


def _cells(layout: Layout, text: str) -> Row:
    try:
        cells = json.loads(text)
    except ValueError:
        cells = None
    if not isinstance(cells, list) or not all(isinstance(one, str) for one in cells):
        return Row(1, None, None, {}, [(None, "NOT_THIS_FORMAT")])
    if len(cells) != len(layout.fields):
        return Row(1, None, None, {}, [(None, "COLUMN_EXTRA" if len(cells) > len(layout.fields) else "COLUMN_MISSING")])
    return Row(1, None, None, {one.name: cell.strip() for one, cell in zip(layout.fields, cells, strict=True)})


def heading(layout: Layout, path: Path) -> bytes:
    """The line that names the columns, for rows that wait: without it nobody knows which column is which. b"" = none."""
    if layout.kind != "delimited" or not layout.header:
        return b""
    with path.open("rb") as stream:
        return stream.readline(_LONGEST).removeprefix(b"\xef\xbb\xbf").rstrip(b"\r\n") + b"\n"


def under_its_heading(text: str, before: str) -> str:
    """A row as a person wrote it, below the line that stood above it when it came to wait."""
    above, _, row = before.partition("\n")
    return f"{above}\n{text}" if row and "\n" not in text.strip() else text
