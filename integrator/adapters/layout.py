"""What adapter.yaml says of a package's file, compiled: its form, its fields, what makes a row itself, how the file ends."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from integrator.adapters.fieldtypes import FieldType, Wrong, compile_type
from integrator.adapters.findings import Finding
from integrator.adapters.gathering import Even, compile_even
from integrator.errors import ConfigurationError
from integrator.keytypes import Sandbox
from integrator.places import read_yaml

KINDS = ("fixed", "delimited", "workbook", "xml", "records")
# Bytes of a file, unless its layout says otherwise. An element of one byte takes thirty in memory until its record ends, and
# nobody can tell beforehand how many there are in one.
_LARGEST = dict.fromkeys(KINDS, 200_000_000) | {"xml": 20_000_000}
_MANY, _MANY_TOGETHER = 5_000_000, 100_000  # rows of a file; of one that is held in memory to be taken whole
WAYS = ("sftp", "view", "rest")  # how rows come; without any of them, by a folder
_ENDS = {"crlf": b"\r\n", "lf": b"\n", "any": b""}


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a row: where it stands and what may stand there."""

    name: str
    type: FieldType
    required: bool
    empties: frozenset[str]  # beside nothing at all: texts that mean there is no value, such as 00000000
    start: int = 0  # fixed: first byte or sign, from 0
    end: int = 0  # fixed: behind the last one
    column: str = ""  # delimited with header, workbook, records: its name; without header: its number, from 1
    sum: bool = False  # xml: the path finds many amounts, and this is their sum
    path: str = ""  # xml: from the record, in lxml's ElementPath with prefixes; records: names with dots between them

    def value(self, text: str) -> Any:
        """The value; None when there is none. Raises `Wrong`."""
        if not text or text in self.empties:
            if self.required:
                raise Wrong("MISSING")
            return None
        return self.type.parse(text)


@dataclass(frozen=True, slots=True)
class Ending:
    """The last row of a file that says how it ends; without it a half-written file would pass for a whole one."""

    starts: str  # first signs of that row
    count: Field | None  # how many rows there are
    sums: Mapping[str, Field]  # field of the rows -> the sum of it


@dataclass(frozen=True, slots=True)
class Balance:
    """Amounts of a row that add up: `total` = all of `plus` less all of `less`; one that is not there is nothing."""

    total: str
    plus: tuple[str, ...]
    less: tuple[str, ...]

    def holds(self, values: Mapping[str, Any]) -> bool:
        found = sum((values.get(name, 0) for name in self.plus), Decimal(0))
        return self.total not in values or bool(
            values[self.total] == found - sum(values.get(name, 0) for name in self.less)
        )


@dataclass(frozen=True, slots=True)
class Layout:
    """One kind of file of one package."""

    adapter: str
    kind: str  # one of KINDS
    encoding: str
    line_end: bytes  # b"" = either
    length: int  # fixed: bytes (or signs) of a row, without its end
    separator: str
    quote: str
    header: bool  # the first row names the columns
    row_starts: str  # rows begin with this; "" = every row is one
    skips: tuple[str, ...]  # rows that begin with one of these are no rows (a heading)
    sheet: str
    record: str  # xml: the element that is a row, {namespace}name
    namespaces: Mapping[str, str]
    schema: Path | None
    fields: tuple[Field, ...]
    key: tuple[str, ...]
    ending: Ending | None
    balances: tuple[Balance, ...]
    either: tuple[tuple[str, ...], ...]  # of each of these, at least one is there
    even: Even | None  # of the whole file
    max_bytes: int
    max_rows: int
    data: Mapping[str, Any] = field(repr=False, default_factory=dict)
    # What a file of a million rows asks of its fields a million times, laid ready: (name, parse, required, empties).
    judges: tuple[tuple[str, Callable[[str], Any], bool, frozenset[str]], ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        ready = tuple((one.name, one.type.parse, one.required, one.empties) for one in self.fields)
        object.__setattr__(self, "judges", ready)

    @property
    def whole(self) -> bool:
        """Taken whole or not at all: its rows mean something together only."""
        return _whole(self.data)

    @property
    def way(self) -> str:
        """folder, or one of WAYS."""
        return next((one for one in WAYS if one in self.data), "folder")

    def values(self, raw: Mapping[str, str]) -> tuple[dict[str, Any], list[tuple[str, str]]]:
        """(values without those that are missing, [(field, reason)]) of a row's texts."""
        values: dict[str, Any] = {}
        wounds: list[tuple[str, str]] = []
        for name, parse, required, empties in self.judges:
            text = raw[name]
            if not text or text in empties:
                if required:
                    wounds.append((name, "MISSING"))
                continue
            try:
                values[name] = parse(text)
            except Wrong as wrong:
                wounds.append((name, wrong.reason))
        return values, wounds or self._together(values)

    def _together(self, values: Mapping[str, Any]) -> list[tuple[str, str]]:
        """What is wrong with values that are right one by one."""
        if not self.either and not self.balances:
            return []
        missing = [(some[0], "MISSING") for some in self.either if not any(name in values for name in some)]
        return missing + [(one.total, "TOTALS_DIFFER") for one in self.balances if not one.holds(values)]


@dataclass(slots=True)
class Row:
    """One row as it stands in the file: its place, and its texts by field; or why it has none."""

    line: int
    offset: int | None
    length: int | None
    texts: dict[str, str]
    wounds: list[tuple[str | None, str]] = field(default_factory=list)  # field, reason
    piece: bytes = b""  # what stands there, for quarantine
    itself: str = (
        ""  # digest of a row that is the same one wherever it is met (a view's, an answer's); "" = its place says it
    )

    def finding(self, name: str | None, reason: str) -> Finding:
        return Finding(self.line, self.offset, self.length, name, reason)


def load(path: Path, *, sandbox: Sandbox) -> Layout:
    """Raises `ConfigurationError` naming the file."""
    data = read_yaml(path)
    try:
        layout = compile_layout(data, path.parent, sandbox=sandbox)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ConfigurationError(f"{path.parent.name}/{path.name}: {type(error).__name__}: {error}") from error
    if layout.adapter != path.parent.name:
        raise ConfigurationError(f"{path.parent.name}/{path.name}: `adapter:` is not the folder's name")
    return layout


def deposits(data: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """What `deposit:` says: one thing, or several."""
    said = data.get("deposit") or []
    return said if isinstance(said, list) else [said]


def _whole(data: Mapping[str, Any]) -> bool:
    return "even" in data or any("gather" in one for one in deposits(data))


def compile_layout(data: Mapping[str, Any], room: Path, *, sandbox: Sandbox) -> Layout:
    """A layout from what was read. Raises `ConfigurationError` or the errors of a missing member."""
    form, limits = data["format"], data.get("limits") or {}
    kind = form["kind"]
    if kind not in KINDS:
        raise ConfigurationError(f"format.kind is one of {', '.join(KINDS)}")
    fields = tuple(_field(name, spec, kind, sandbox) for name, spec in data["fields"].items())
    _apart(fields, kind, int(form.get("length", 0)))
    key = tuple(data.get("key") or ())
    unknown = set(key) - {one.name for one in fields}
    if unknown:
        raise ConfigurationError(f"key: {', '.join(sorted(unknown))} is no field")
    _one_way(data, kind)
    namespaces = form.get("namespaces") or {}
    even = compile_even(data.get("even"), data["fields"])
    return Layout(
        adapter=data["adapter"], kind=kind, encoding=codecs.lookup(form.get("encoding", "utf-8")).name,
        line_end=_ENDS[form.get("lineEnd", "any")], length=int(form.get("length", 0)),
        separator=form.get("separator", ";"), quote=form.get("quote", '"'), header=bool(form.get("header", True)),
        row_starts=str(form.get("rows", "")), skips=tuple(str(one) for one in form.get("skip") or ()),
        sheet=str(form.get("sheet", "")), record=_clark(str(form.get("record", "")), namespaces), namespaces=namespaces,
        schema=room / form["schema"] if "schema" in form else None, fields=fields, key=key,
        ending=_ending(data.get("ending"), kind, sandbox), balances=_balances(data, fields), either=_either(data, fields),
        even=even, max_bytes=int(limits.get("bytes", _LARGEST[kind])),
        max_rows=int(limits.get("rows", _MANY_TOGETHER if _whole(data) else _MANY)), data=data,
    )  # fmt: skip


def _field(name: str, spec: Mapping[str, Any], kind: str, sandbox: Sandbox) -> Field:
    place: dict[str, Any] = {}
    if kind == "fixed":
        start = int(spec["at"]) - 1
        place = {"start": start, "end": start + int(spec["length"])}
    elif kind == "xml":
        place = {"path": str(spec["path"]), "sum": bool(spec.get("sum"))}
    else:
        place = {"column": str(spec.get("column", name)), "path": str(spec.get("path", ""))}
    empties = frozenset(str(one) for one in spec.get("empty") or ())
    made = compile_type(name, spec, sandbox=sandbox)
    return Field(name, made, bool(spec.get("required", False)), empties, **place)


def _balances(data: Mapping[str, Any], fields: tuple[Field, ...]) -> tuple[Balance, ...]:
    found = tuple(
        Balance(one["total"], tuple(one["plus"]), tuple(one.get("less") or ())) for one in data.get("balance") or ()
    )
    amounts = {one.name for one in fields if one.type.numeric}
    unknown = {name for one in found for name in (one.total, *one.plus, *one.less)} - amounts
    if unknown:
        raise ConfigurationError(f"balance: {', '.join(sorted(unknown))} is no field with an amount")
    return found


def _either(data: Mapping[str, Any], fields: tuple[Field, ...]) -> tuple[tuple[str, ...], ...]:
    found = tuple(tuple(some) for some in data.get("either") or ())
    unknown = {name for some in found for name in some} - {one.name for one in fields}
    if unknown:
        raise ConfigurationError(f"either: {', '.join(sorted(unknown))} is no field")
    return found


def _one_way(data: Mapping[str, Any], kind: str) -> None:
    ways = [one for one in ("drop", *WAYS) if one in data]
    if len(ways) > 1:
        raise ConfigurationError(f"rows come one way: {' or '.join(ways)}")
    if ways and ways[0] in ("view", "rest") and _whole(data):
        raise ConfigurationError(f"what comes by {ways[0]} comes in pages: no page is a whole")
    if ways and ways[0] in ("view", "rest") and kind != "records":
        raise ConfigurationError(f"format.kind: what comes by {ways[0]} is records")


def _apart(fields: tuple[Field, ...], kind: str, length: int) -> None:
    """Fixed fields lie beside each other, in order, inside the row."""
    if not fields:
        raise ConfigurationError("fields: a layout without fields reads nothing")
    if kind != "fixed":
        return
    taken = 0
    for one in fields:
        if one.start < taken or one.end > length or one.end <= one.start:
            raise ConfigurationError(f"field {one.name} lies over its neighbour or beyond the row")
        taken = one.end


def _ending(spec: Mapping[str, Any] | None, kind: str, sandbox: Sandbox) -> Ending | None:
    if spec is None:
        return None
    if kind not in ("fixed", "delimited"):
        raise ConfigurationError("ending: only files of lines end with a row of their own")
    count = _field("count", {"type": "integer", **spec["count"]}, kind, sandbox) if "count" in spec else None
    sums = {name: _field(name, one, kind, sandbox) for name, one in (spec.get("sums") or {}).items()}
    return Ending(str(spec["starts"]), count, sums)


def _clark(name: str, namespaces: Mapping[str, str]) -> str:
    prefix, colon, local = name.partition(":")
    return f"{{{namespaces[prefix]}}}{local}" if colon else name
