"""Rows to bytes, as the package reads them: the inverse of reading. What cannot be written is refused, never cut.

b"".join(write(layout, rows))   # heading, rows and ending
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from integrator.adapters.findings import FileRefused
from integrator.adapters.layout import Field, Layout
from integrator.errors import Issue, MalformedRequest


def write(layout: Layout, rows: Iterable[Mapping[str, Any]], *, heading: str = "") -> Iterator[bytes]:
    """One piece a row. `heading`: a first line as it stands, where the package wants one.

    Raises `MalformedRequest` naming the field of a value that the layout cannot hold: nothing is shortened.
    """
    if layout.kind not in ("fixed", "delimited"):
        raise FileRefused("NOT_THIS_FORMAT", "only files of lines are written")
    end = layout.line_end or b"\r\n"
    if heading:
        yield heading.encode(layout.encoding) + end
    if layout.kind == "delimited" and layout.header:
        yield _joined(layout, [one.column for one in layout.fields]).encode(layout.encoding) + end
    count, sums = 0, dict.fromkeys(layout.ending.sums if layout.ending else (), Decimal(0))
    for number, row in enumerate(rows, start=1):
        yield _row(layout, row, number) + end
        count += 1
        for name in sums:
            sums[name] += Decimal(row.get(name) or 0)
    if layout.ending is not None:
        yield _ending(layout, count, sums) + end


def _row(layout: Layout, row: Mapping[str, Any], number: int) -> bytes:
    unknown = set(row) - {one.name for one in layout.fields}
    if unknown:
        raise MalformedRequest(Issue("unknownInput", "body", f"/{number}", "the layout has no such field"))
    texts = [_text(one, row.get(one.name), number) for one in layout.fields]
    fixed = layout.kind == "fixed"
    line = _laid(zip(layout.fields, texts, strict=True), layout.length, number) if fixed else _joined(layout, texts)
    if fixed and layout.row_starts and layout.fields[0].start >= len(layout.row_starts):  # else a field stands there
        line = _ends(layout.row_starts, line)
    try:
        return line.encode(layout.encoding)
    except UnicodeEncodeError:
        raise _refused("row", number, "a sign that the encoding of the package does not have") from None


def _text(field: Field, value: Any, number: int) -> str:
    if value is None:
        if field.required:
            raise _refused(field.name, number, "the row needs it")
        return min(field.empties, default="")
    try:
        text = field.type.render(value)
        again = field.value(text.strip() if field.type.numeric else text.rstrip())
    except (ValueError, KeyError, TypeError, AttributeError, ArithmeticError):
        raise _refused(field.name, number, "not a value of this field") from None
    if again != value or any(ord(sign) < 32 for sign in text):
        raise _refused(field.name, number, "it would be read back as something else")
    return text


def _laid(pairs: Iterable[tuple[Field, str]], length: int, number: int) -> str:
    line = [" "] * length
    for field, text in pairs:
        width = field.end - field.start
        if len(text) > width:
            raise _refused(field.name, number, "longer than its place")
        line[field.start : field.end] = text.rjust(width) if field.type.numeric else text.ljust(width)
    return "".join(line)


def _joined(layout: Layout, texts: list[str]) -> str:
    if not layout.quote:
        if any(layout.separator in text for text in texts):
            raise MalformedRequest(Issue("rejectedInput", "body", "/row", "a separator inside a text, and no quotes"))
        return layout.separator.join(texts)
    line = io.StringIO()
    csv.writer(line, delimiter=layout.separator, quotechar=layout.quote, lineterminator="").writerow(texts)
    return line.getvalue()


def _ending(layout: Layout, count: int, sums: Mapping[str, Decimal]) -> bytes:
    ending = layout.ending
    assert ending is not None  # noqa: S101 (the caller looked)
    figures = [(place, sums[name]) for name, place in ending.sums.items()]
    if ending.count is not None:
        figures.append((ending.count, Decimal(count)))
    texts = [(place, place.type.render(value)) for place, value in figures]
    if layout.kind == "fixed":
        return _ends(ending.starts, _laid(texts, layout.length, 0)).encode(layout.encoding)
    cells = [ending.starts] + [""] * (max([int(place.column) for place, _ in texts], default=1) - 1)
    for place, text in texts:
        cells[int(place.column) - 1] = text
    return _joined(layout, cells).encode(layout.encoding)


def _ends(starts: str, line: str) -> str:
    return starts + line[len(starts) :]


def _refused(field: str, number: int, advice: str) -> MalformedRequest:
    return MalformedRequest(Issue("rejectedInput", "body", f"/{number}/{field}", advice))
