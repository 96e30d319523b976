"""Records: one JSON object a line. So packages write them, and so a page of a view or of an answer lies in work/.

Columns that no field names are passed over. A value is text as the layout writes it, or a number, true, false, null; of a
view's value that JSON cannot carry, {"!": reason} stands there.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from integrator.adapters.fieldtypes import Wrong
from integrator.adapters.findings import ADVICE, FileRefused
from integrator.adapters.layout import Field, Layout, Row

LONGEST = 256 * 1024  # bytes of a record
_MIDNIGHT = re.compile(r"(\d{4}-\d\d-\d\d)[T ]00:00:00(?:\.0+)?", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_WIDEST = 40  # figures of a number


def rows(layout: Layout, path: Path, offset: int, number: int) -> Iterator[Row]:
    """Raises `FileRefused`."""
    del offset, number  # counted through: where a record is itself, its place says nothing
    found, itself = 0, layout.way in ("view", "rest")
    with path.open("rb") as stream:
        at, line = 0, 0
        while piece := stream.readline(LONGEST + 1):
            line += 1
            row = Row(line, at, len(piece), {}, [], piece.rstrip(b"\r\n"))
            at += len(piece)
            while not piece.endswith(b"\n") and (more := stream.readline(LONGEST + 1)):
                at, piece = at + len(more), more
                row.wounds = [(None, "ROW_TOO_LONG")]
            if line == 1:
                row.piece = row.piece.removeprefix(b"\xef\xbb\xbf")
            if not row.piece.strip():
                continue
            found += 1
            if itself:
                row.itself = hashlib.sha256(row.piece + b"\n").hexdigest()
            if not row.wounds:
                _read(layout, row)
            yield row
    if not found:
        raise FileRefused("EMPTY_FILE")


def _read(layout: Layout, row: Row) -> None:
    try:
        text = row.piece.decode(layout.encoding)
        record = json.loads(text, parse_float=Decimal, parse_constant=_none, object_pairs_hook=_once)
    except UnicodeDecodeError:
        row.wounds.append((None, "ENCODING"))
        return
    except (ValueError, RecursionError, ArithmeticError):
        record = None
    if not isinstance(record, dict):
        row.wounds.append((None, "NOT_THIS_FORMAT"))
        return
    for one in layout.fields:
        try:
            row.texts[one.name] = text_of(
                one, found(one, record), layout.data["fields"][one.name].get("type") == "date"
            )
        except Wrong as wrong:
            row.texts[one.name] = ""
            row.wounds.append((one.name, wrong.reason))


def found(field: Field, record: Mapping[str, Any]) -> Any:
    """The value of a field; None when there is none."""
    value: Any = record
    for name in field.path.split(".") if field.path else (field.column,):
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def text_of(field: Field, value: Any, day: bool) -> str:
    """A value as the layout writes it; "" for none. Raises `Wrong`."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        if _CONTROL.search(value):
            raise Wrong("CONTROL_SIGN")
        if any("\ud800" <= sign <= "\udfff" for sign in value):
            raise Wrong("ENCODING")
        text = value.strip()
        return midnight[1] if day and (midnight := _MIDNIGHT.fullmatch(text)) else text
    if isinstance(value, int | Decimal):
        return _figures(field, value)
    reason = value.get("!") if isinstance(value, Mapping) and len(value) == 1 else None
    raise Wrong(reason if isinstance(reason, str) and reason in ADVICE else "NOT_THE_FORM")


def _figures(field: Field, value: int | Decimal) -> str:
    """A number in figures; a whole one without decimals."""
    if isinstance(value, int):
        text = str(value) if value.bit_length() < 128 else "9" * (_WIDEST + 1)
    elif not value.is_finite() or abs(int(value.as_tuple().exponent)) > _WIDEST:
        raise Wrong("NOT_A_NUMBER")
    else:
        text = format(value.to_integral_value() if value == value.to_integral_value() else value, "f")
    if len(text) > _WIDEST:
        raise Wrong("NOT_A_NUMBER")
    return field.type.cell(Decimal(text)) if field.type.numeric and field.type.cell is not None else text


def _none(word: str) -> Any:
    raise ValueError("a number that is none")


def _once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    record = dict(pairs)
    if len(record) != len(pairs):
        raise ValueError("a name that stands twice")
    return record
