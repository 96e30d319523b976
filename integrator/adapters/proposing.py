"""A layout proposed from a sample: encoding, line ends, columns, kinds of value and a key. A person reads it before it counts.

Nothing of the sample's values gets into the proposal, only forms.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from integrator.adapters.findings import FileRefused
from integrator.adapters.reading.packed import inspect
from integrator.keytypes import ssin_world, valid_date

_READ = 1_000_000  # bytes of the sample that are looked at
_SEPARATORS = (";", "\t", ",", "|")
_DAYS = (
    ("yyyymmdd", r"\d{8}"),
    ("dd/mm/yyyy", r"\d\d/\d\d/\d{4}"),
    ("yyyy-mm-dd", r"\d{4}-\d\d-\d\d"),
    ("dd.mm.yyyy", r"\d\d\.\d\d\.\d{4}"),
)
_WORD = re.compile(r"[^a-zA-Z0-9]+")


def propose(path: Path, name: str) -> dict[str, Any]:
    """adapter.yaml as data. Raises `FileRefused` for a sample in which nothing repeats."""
    start = path.read_bytes()[:_READ]
    if start[:2] == b"PK":
        inspect(path)
        return _workbook(path, name)
    if start.lstrip()[:1] == b"<":
        raise FileRefused(
            "NOT_THIS_FORMAT", "for XML, write the paths from the schema; a sample does not tell what may repeat"
        )
    text, encoding = _decoded(start)
    lines = [line for line in re.split(r"\r?\n", text) if line.strip("\x1a ")]
    if len(start) == _READ:
        lines = lines[:-1]
    if not lines:
        raise FileRefused("EMPTY_FILE")
    form = {"encoding": encoding, "lineEnd": "crlf" if "\r\n" in text else "lf"}
    separator = _separator(lines)
    proposed = _delimited(lines, separator) if separator else _fixed(lines)
    proposed["format"] = {**proposed["format"], **form}
    return {"adapter": name, **proposed}


def propose_records(rows: Sequence[Mapping[str, Any]], name: str) -> dict[str, Any]:
    """adapter.yaml of rows that have names already (a view's, an answer's), but for the way. Raises `FileRefused`: no rows."""
    if not rows:
        raise FileRefused("EMPTY_FILE")
    flat = [dict(_flat(row)) for row in rows]
    columns = list(dict.fromkeys(column for row in flat for column in row))
    values = [[_words(row.get(column)) for row in flat] for column in columns]
    fields = {
        field: {("path" if "." in column else "column"): column, **_kind(some)}
        for field, column, some in zip(_named(columns), columns, values, strict=True)
    }
    return {"adapter": name, "format": {"kind": "records"}, "fields": fields, "key": _key(fields, values)}


def _flat(row: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    """Values by path; lists are left out, a field holds one value."""
    for name, value in row.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{before}{name}.")
        elif not isinstance(value, list):
            yield f"{before}{name}", value


def _words(value: Any) -> str:
    return "" if value is None else ("true" if value else "false") if isinstance(value, bool) else str(value)


def _decoded(start: bytes) -> tuple[str, str]:
    if start[:3] == b"\xef\xbb\xbf":
        return start[3:].decode("utf-8", "ignore"), "utf-8"
    try:
        return start.decode("utf-8"), "utf-8" if any(byte > 127 for byte in start) else "ascii"
    except UnicodeDecodeError as error:
        if error.start >= len(start) - 4:  # the sample was cut in the middle of a sign
            return start.decode("utf-8", "ignore"), "utf-8"
        return start.decode("cp1252", "replace"), "cp1252"


def _separator(lines: Sequence[str]) -> str | None:
    """The sign that stands equally often, at least once, in nearly every line."""
    for sign in _SEPARATORS:
        widths = [len(row) for row in csv.reader(io.StringIO("\n".join(lines[:200])), delimiter=sign)]
        if widths and widths[0] > 1 and sum(width == widths[0] for width in widths) >= 0.9 * len(widths):
            return sign
    return None


def _delimited(lines: Sequence[str], separator: str) -> dict[str, Any]:
    rows = list(csv.reader(io.StringIO("\n".join(lines)), delimiter=separator))
    width = len(rows[0])
    rows = [row for row in rows if len(row) == width]
    header = (
        all(cell.strip() and not re.fullmatch(r"[\d.,/-]+", cell.strip()) for cell in rows[0])
        and len(set(rows[0])) == width
    )
    names = [cell.strip() for cell in rows[0]] if header else [str(number + 1) for number in range(width)]
    body = rows[1:] if header else rows
    columns = [[row[at].strip() for row in body] for at in range(width)]
    fields = {
        field: {"column": column, **_kind(values)}
        for field, column, values in zip(_named(names), names, columns, strict=True)
    }
    form = {"kind": "delimited", "separator": separator, "header": header}
    return {"format": form, "fields": fields, "key": _key(fields, columns)}


def _fixed(lines: Sequence[str]) -> dict[str, Any]:
    """Columns begin where a blank stands in every line before a sign; figures and words that touch are for a person to part."""
    lengths = sorted(len(line) for line in lines)
    length = lengths[len(lengths) // 2]
    body = [line for line in lines if len(line) == length]
    if len(body) < 0.8 * len(lines):
        raise FileRefused("NOT_THIS_FORMAT", "the lines have neither a separator nor one length")
    blank = [all(line[at] == " " for line in body) for at in range(length)]
    starts = [at for at in range(length) if not blank[at] and (at == 0 or blank[at - 1])]
    ends = [*starts[1:], length]
    fields: dict[str, Any] = {}
    columns = []
    for number, (start, end) in enumerate(zip(starts, ends, strict=True), start=1):
        values = [line[start:end].strip() for line in body]
        columns.append(values)
        fields[f"field{number}"] = {"at": start + 1, "length": end - start, **_kind(values)}
    return {"format": {"kind": "fixed", "length": length}, "fields": fields, "key": _key(fields, columns)}


def _workbook(path: Path, name: str) -> dict[str, Any]:
    from openpyxl import load_workbook

    stream = path.open("rb")
    book = load_workbook(stream, read_only=True, data_only=False, keep_links=False)
    sheet = book.worksheets[0]
    found = [
        [("" if cell is None else str(cell)) for cell in row]
        for row in sheet.iter_rows(max_row=2_000, values_only=True)
    ]
    title = sheet.title
    book.close()
    stream.close()
    if len(found) < 2:
        raise FileRefused("EMPTY_FILE")
    names = [cell.strip() for cell in found[0] if cell.strip()]
    columns = [[row[at].strip() for row in found[1:] if at < len(row)] for at in range(len(names))]
    fields = {
        field: {"column": column, **_kind(values)}
        for field, column, values in zip(_named(names), names, columns, strict=True)
    }
    return {
        "adapter": name,
        "format": {"kind": "workbook", "sheet": title},
        "fields": fields,
        "key": _key(fields, columns),
    }


def _kind(values: Sequence[str]) -> dict[str, Any]:
    """The narrowest kind that fits every value, and whether one is always there."""
    there = [value for value in values if value]
    required = {"required": True} if there and len(there) == len(values) else {}
    return {**next(_fitting(there)), **required}


def _fitting(values: Sequence[str]) -> Iterator[dict[str, Any]]:
    if values and all(re.fullmatch(r"\d{11}", value) and ssin_world(value) for value in values):
        yield {"type": "ssin"}
    if values and all(
        re.fullmatch(r"[01]\d{9}", value) and int(value[8:]) == 97 - int(value[:8]) % 97 for value in values
    ):
        yield {"type": "enterpriseNumber"}
    for form, pattern in _DAYS:
        if values and all(re.fullmatch(pattern, value) and valid_date(_iso(value, form)) for value in values):
            yield {"type": "date", "form": form}
    if values and all(re.fullmatch(r"-?\d{1,15},\d{1,2}", value) for value in values):
        yield {"type": "decimal", "separator": ",", "decimals": 2}
    if values and all(re.fullmatch(r"-?\d{1,15}\.\d{1,2}", value) for value in values):
        yield {"type": "decimal", "separator": ".", "decimals": 2}
    if values and all(
        re.fullmatch(r"0|[1-9]\d{0,14}", value) for value in values
    ):  # 007 is no number: its zeros mean something
        yield {"type": "integer"}
    yield {"type": "text", "max": max(40, *(2 * len(value) for value in values))} if values else {"type": "text"}


def _iso(value: str, form: str) -> str:
    return "".join(
        [value[form.index("yyyy") :][:4], "-", value[form.index("mm") :][:2], "-", value[form.index("dd") :][:2]]
    )


def _key(fields: dict[str, Any], columns: Sequence[Sequence[str]]) -> list[str]:
    """The first column whose values are all there and all different; two together where one is not enough."""
    names = list(fields)
    whole = [at for at, values in enumerate(columns) if values and all(values)]
    for at in whole:
        if len(set(columns[at])) == len(columns[at]):
            return [names[at]]
    for first in whole:
        for second in whole:
            if first < second and len(set(zip(columns[first], columns[second], strict=True))) == len(columns[first]):
                return [names[first], names[second]]
    return []


def _named(columns: Sequence[str]) -> list[str]:
    """camelCase names of ours for the columns of theirs, each once."""
    names: list[str] = []
    for number, column in enumerate(columns, start=1):
        words = [word for word in _WORD.sub(" ", _plain(column)).split() if word]
        name = (words[0].lower() + "".join(word.capitalize() for word in words[1:])) if words else ""
        if not name or name[0].isdigit():
            name = f"field{number}"
        names.append(name if name not in names else f"{name}{number}")
    return names


def _plain(text: str) -> str:
    import unicodedata

    return "".join(sign for sign in unicodedata.normalize("NFD", text) if not unicodedata.combining(sign))
