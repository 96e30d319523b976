"""Bytes of a package's file to rows, each with its place. `rows(layout, path)` is the one way in, whatever the kind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from integrator.adapters.findings import FileRefused
from integrator.adapters.layout import Layout, Row
from integrator.adapters.reading import lines, records, workbook, xmlrows


@dataclass(frozen=True, slots=True)
class Position:
    """How far a file was read: up to and with `rows` rows. `offset` and `line`: where the next one begins, for files of lines."""

    rows: int = 0
    offset: int = 0
    line: int = 1


_READERS: dict[str, Callable[[Layout, Path, int, int], Iterator[Row]]] = {
    "fixed": lines.fixed,
    "delimited": lines.delimited,
    "workbook": workbook.rows,
    "xml": xmlrows.rows,
    "records": records.rows,
}


def rows(layout: Layout, path: Path, after: Position = Position()) -> Iterator[Row]:
    """Every row behind a position, wounded ones too, in the order of the file; memory does not grow with it.

    Raises `FileRefused` as soon as it is known that the file as a whole cannot be used.
    """
    size = path.stat().st_size
    if size == 0:
        raise FileRefused("EMPTY_FILE")
    if size > layout.max_bytes:
        raise FileRefused("TOO_LARGE")
    read = _READERS[layout.kind]
    by_offset = layout.kind in ("fixed", "delimited") and after.rows > 0
    count = after.rows
    for row in read(layout, path, after.offset if by_offset else 0, after.line if by_offset else 1):
        if not by_offset and count:
            count -= 1  # kinds whose bytes have no order are counted through
            continue
        yield row
