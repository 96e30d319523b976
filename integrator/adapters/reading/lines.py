"""Files of lines: fixed-width and delimited. One pass, one row in memory, every row with its byte offset.

A line may end with CR LF or LF (or only with what the layout says); a lone CR is a sign that no text has. A byte-order mark
of UTF-8 is passed over; one of another encoding means another file than the layout describes.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import BinaryIO, NamedTuple

from integrator.adapters.fieldtypes import Wrong
from integrator.adapters.findings import FileRefused
from integrator.adapters.layout import Ending, Field, Layout, Row

LONGEST = 64 * 1024  # bytes of a line, where the layout does not say
_QUOTED_LINES = 50  # physical lines that one quoted text may go over
_UTF8_MARK = b"\xef\xbb\xbf"
_OTHER_MARKS = (b"\xff\xfe", b"\xfe\xff")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_CONTROL_BUT_ENDS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|\r(?!\n)")


class Line(NamedTuple):
    """One physical line."""

    number: int
    offset: int
    body: bytes  # without its end; cut where it is too long
    end: bytes
    length: int  # bytes, with its end


def fixed(layout: Layout, path: Path, offset: int, number: int) -> Iterator[Row]:
    cuts = [(one.name, one.start, one.end, one.type.numeric) for one in layout.fields]
    with path.open("rb") as stream:
        rows = _Rows(layout, offset == 0)
        for line in _lines(stream, layout, offset, number, longest=layout.length * 4):
            row = Row(line.number, line.offset, line.length, {}, [], line.body)
            text = _decoded(layout, line, row, _CONTROL)
            if text is None:
                yield rows.wounded(row)
            elif rows.is_row(text, line):
                if len(text) != layout.length:
                    row.wounds.append((None, "ROW_TOO_LONG" if len(text) > layout.length else "ROW_TOO_SHORT"))
                else:
                    row.texts = {
                        name: text[start:end].strip() if numeric else text[start:end].rstrip()
                        for name, start, end, numeric in cuts
                    }
                yield rows.seen(row)
        rows.ended()


def delimited(layout: Layout, path: Path, offset: int, number: int) -> Iterator[Row]:
    with path.open("rb") as stream:
        rows = _Rows(layout, offset == 0)
        places: list[int] | None = None
        if not layout.header:
            places, width = [int(one.column) - 1 for one in layout.fields], len(layout.fields)
        elif offset:
            first = next(_lines(stream, layout, 0, 1, longest=LONGEST))
            places, width = _places(layout, _cells(layout, first.body.decode(layout.encoding, "replace")))
        for line in _records(stream, layout, offset, number):
            row = Row(line.number, line.offset, line.length, {}, [], line.body)
            text = _decoded(layout, line, row, _CONTROL_BUT_ENDS)
            if text is None:
                if places is None:
                    raise FileRefused("OTHER_LAYOUT", "the row with the names of the columns cannot be read")
                yield rows.wounded(row)
            elif places is None:
                places, width = _places(layout, _cells(layout, text))
            elif rows.is_row(text, line):
                cells = _cells(layout, text)
                if cells is None:
                    row.wounds.append((None, "QUOTES"))
                elif len(cells) != width:
                    row.wounds.append((None, "COLUMN_EXTRA" if len(cells) > width else "COLUMN_MISSING"))
                else:
                    row.texts = {one.name: cells[at].strip() for one, at in zip(layout.fields, places, strict=True)}
                yield rows.seen(row)
        rows.ended()


class _Rows:
    """Which lines are rows, and whether the file ends as it says it does."""

    def __init__(self, layout: Layout, whole: bool) -> None:
        """`whole`: read from the beginning, so that the ending's figures can be compared."""
        self._layout, self._ending, self._whole = layout, layout.ending, whole
        self._count = 0
        self._sums: dict[str, Decimal | None] = dict.fromkeys(layout.ending.sums if layout.ending else (), Decimal(0))
        self._over = False
        self._starts = layout.row_starts.encode(layout.encoding)
        self._fields = {one.name: one for one in layout.fields}

    def is_row(self, text: str, line: Line) -> bool:
        """Not an empty line, a heading, or the ending. Raises `FileRefused` for what stands behind the ending."""
        if not text or text.isspace():
            return False
        if self._over:
            raise FileRefused("NOT_WHOLE", "rows stand behind the last one")
        if self._ending is not None and text.startswith(self._ending.starts):
            self._over = True
            if self._whole:
                self._compare(self._ending, text)
            return False
        return not text.startswith(self._layout.skips)

    def seen(self, row: Row) -> Row:
        if not row.wounds and not row.piece.startswith(self._starts):
            row.wounds.append((None, "UNKNOWN_ROW"))
        self._count += 1
        for name in self._sums:
            self._add(name, row)
        return row

    def wounded(self, row: Row) -> Row:
        """A row that could not even be decoded counts, but its sums are not known."""
        self._count += 1
        self._sums = dict.fromkeys(self._sums)
        return row

    def ended(self) -> None:
        if self._ending is not None and not self._over:
            raise FileRefused("NOT_WHOLE", "the row that ends the file is not there")
        if self._whole and self._count == 0:
            raise FileRefused("EMPTY_FILE")

    def _add(self, name: str, row: Row) -> None:
        known = self._sums[name]
        if known is None:
            return
        try:
            value = self._fields[name].value(row.texts[name])
            self._sums[name] = known + Decimal(value or 0)
        except (KeyError, Wrong):
            self._sums[name] = None  # the row is reported; the sum cannot be compared any more

    def _compare(self, ending: Ending, text: str) -> None:
        if ending.count is not None and _said(self._layout, ending.count, text) != self._count:
            raise FileRefused("NOT_WHOLE", "the last row counts another number of rows")
        for name, place in ending.sums.items():
            known = self._sums[name]
            if known is not None and Decimal(_said(self._layout, place, text)) != known:
                raise FileRefused("SUM_DIFFERS", f"the total of {name} differs")


def _said(layout: Layout, place: Field, text: str) -> Decimal:
    """A figure of the ending. Raises `FileRefused` when there is none."""
    try:
        if layout.kind == "fixed":
            return Decimal(place.value(_unpadded(text[place.start : place.end], place)) or 0)
        return Decimal(place.value((_cells(layout, text) or [])[int(place.column) - 1].strip()) or 0)
    except (Wrong, IndexError, ValueError):
        raise FileRefused("NOT_WHOLE", "the last row cannot be read") from None


def _unpadded(text: str, field: Field) -> str:
    return text.strip() if field.type.numeric else text.rstrip()


def _lines(stream: BinaryIO, layout: Layout, offset: int, number: int, *, longest: int) -> Iterator[Line]:
    """Physical lines from an offset on. A line beyond `longest` is cut, its length told whole."""
    stream.seek(offset)
    if offset == 0:
        mark = stream.read(3)
        if mark[:2] in _OTHER_MARKS:
            raise FileRefused("NOT_THIS_FORMAT", "a byte-order mark of another encoding")
        if mark != _UTF8_MARK:
            stream.seek(0)
        else:
            offset = 3
    limit = max(longest, 16) + 2
    while piece := stream.readline(limit):
        length, end = len(piece), b"\n"
        if piece.endswith(b"\r\n"):
            end = b"\r\n"
        elif not piece.endswith(b"\n"):
            if not piece.strip(b"\x1a"):  # some packages end with a SUB, as MS-DOS did
                return
            end = b""
            while more := stream.readline(limit):  # too long: passed over, not kept
                length += len(more)
                if more.endswith(b"\n"):
                    break
        yield Line(number, offset, piece[: len(piece) - len(end)], end, length)
        offset += length
        number += 1


def _records(stream: BinaryIO, layout: Layout, offset: int, number: int) -> Iterator[Line]:
    """Lines joined where a quoted text goes on; a quote that never closes ends after some lines, as one wounded row."""
    quote = layout.quote.encode(layout.encoding) if layout.quote else None
    held: Line | None = None
    lines = 0
    for line in _lines(stream, layout, offset, number, longest=LONGEST):
        if held is not None:
            line = Line(held.number, held.offset, held.body + held.end + line.body, line.end, held.length + line.length)
        lines += 1
        if quote is None or line.body.count(quote) % 2 == 0 or lines >= _QUOTED_LINES or len(line.body) > LONGEST:
            held, lines = None, 0
            yield line
        else:
            held = line
    if held is not None:
        yield held


def _decoded(layout: Layout, line: Line, row: Row, control: re.Pattern[str]) -> str | None:
    """The text, or None with the wound noted."""
    if line.length > len(line.body) + len(line.end):
        row.wounds.append((None, "ROW_TOO_LONG"))
        return None
    if layout.line_end and line.end != layout.line_end:
        row.wounds.append((None, "LINE_END"))
        return None
    try:
        text = line.body.decode(layout.encoding)
    except UnicodeDecodeError:
        row.wounds.append((None, "ENCODING"))
        return None
    if not text.isprintable() and control.search(text):
        row.wounds.append((None, "CONTROL_SIGN"))
        return None
    return text


def _cells(layout: Layout, text: str) -> list[str] | None:
    """The cells of a record; None when its quotes do not close."""
    lines = io.StringIO(text, newline="")  # only CR and LF end a line here
    try:
        if layout.quote:
            found = list(csv.reader(lines, delimiter=layout.separator, quotechar=layout.quote, strict=True))
        else:
            found = list(csv.reader(lines, delimiter=layout.separator, quoting=csv.QUOTE_NONE, strict=True))
    except csv.Error:
        return None
    return found[0] if len(found) == 1 else None


def _places(layout: Layout, names: list[str] | None) -> tuple[list[int], int]:
    """Where each field's column stands. Raises `FileRefused`: the columns are exactly those of the layout, in any order."""
    known = [name.strip() for name in names or ()]
    wanted = [one.column for one in layout.fields]
    extra = set(layout.data.get("ignore") or ())
    if len(set(known)) != len(known) or not set(wanted) <= set(known) or set(known) - set(wanted) - extra:
        raise FileRefused("OTHER_LAYOUT", "the names of the columns are not those of the layout")
    return [known.index(one) for one in wanted], len(known)
