"""The kinds of value that stand in a package's file, each with its two directions: `parse(render(x)) == x`.

`parse` gets the text without padding and never an empty one: what is empty is missing, which the layout judges.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from integrator.errors import ConfigurationError, MalformedRequest
from integrator.keytypes import Sandbox, compile_key

Spec = Mapping[str, Any]
_DAY_WORDS = {"yyyy": r"(?P<y>\d{4})", "mm": r"(?P<m>\d{2})", "dd": r"(?P<d>\d{2})"}
_OF_THE_HUB = ("ssin", "enterpriseNumber", "establishmentUnitNumber", "plate", "vin", "nisCode", "postCode")


class Wrong(ValueError):
    """The text is not such a value; `reason` is a code of `findings.ADVICE`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class FieldType:
    """Both directions of one field. `parse` raises `Wrong`; `render` takes what `parse` gives."""

    parse: Callable[[str], Any]
    render: Callable[[Any], str]
    numeric: bool = False  # stands at the right of a fixed field
    cell: Callable[[Any], str] | None = None  # what a workbook's cell holds, as text; None: its words as they stand


def compile_type(name: str, spec: Spec, *, sandbox: Sandbox) -> FieldType:
    """Raises `ConfigurationError` for a type or setting that we do not know."""
    kind = spec.get("type", "text")
    if kind in _OF_THE_HUB:
        return _known(name, kind, sandbox)
    make = _MAKERS.get(kind)
    if make is None:
        raise ConfigurationError(f"field {name}: type {kind!r} is not one of {', '.join([*_MAKERS, *_OF_THE_HUB])}")
    try:
        return make(spec)
    except (KeyError, TypeError, ValueError, re.error) as error:
        raise ConfigurationError(f"field {name}: {type(error).__name__}: {error}") from error


def _known(name: str, kind: str, sandbox: Sandbox) -> FieldType:
    """A key the hub can be asked by: one truth about what a national number is."""
    key = compile_key(name, {"type": kind}, sandbox=sandbox)

    def parse(text: str) -> str:
        try:
            return str(key.read(text.replace(".", "").replace("-", "").replace(" ", ""), name))
        except MalformedRequest as refused:
            said = refused.issues[0].kind
            reasons = {"invalidInput": "CHECK_DIGITS", "rejectedInput": "OTHER_WORLD"}
            raise Wrong(reasons.get(said, "NOT_THE_FORM")) from None

    return FieldType(parse, str)


def _text(spec: Spec) -> FieldType:
    shortest, longest = int(spec.get("min", 1)), int(spec.get("max", 4000))
    form = re.compile(spec["pattern"]).fullmatch if "pattern" in spec else None

    def parse(text: str) -> str:
        if not shortest <= len(text) <= longest:
            raise Wrong("OUT_OF_RANGE")
        if form is not None and form(text) is None:
            raise Wrong("NOT_THE_FORM")
        return text

    return FieldType(parse, str)


def _integer(spec: Spec) -> FieldType:
    low, high = int(spec.get("min", 0)), int(spec.get("max", 10**15))

    def parse(text: str) -> int:
        if not text.isascii() or not text.removeprefix("-").isdigit() or len(text) > 18:
            raise Wrong("NOT_A_NUMBER")
        value = int(text)
        if not low <= value <= high:
            raise Wrong("OUT_OF_RANGE")
        return value

    return FieldType(parse, str, numeric=True, cell=_whole)


def _decimal(spec: Spec) -> FieldType:
    """`decimals` behind the `separator`; with `implied: true` the last digits are the decimals and no sign separates them."""
    places, separator = int(spec.get("decimals", 2)), str(spec.get("separator", ","))
    implied, unit = bool(spec.get("implied")), Decimal(1).scaleb(-places)
    low, high = Decimal(str(spec.get("min", "-1e15"))), Decimal(str(spec.get("max", "1e15")))
    fraction = rf"(?:{re.escape(separator)}\d{{1,{places}}})?" if places else ""
    form = re.compile(r"-?\d{1,18}" if implied else rf"-?\d{{1,15}}{fraction}", re.ASCII).fullmatch

    @lru_cache(maxsize=256)  # asked twice of the same row: for itself, and for the sum at the end
    def parse(text: str) -> Decimal:
        if form(text) is None:
            raise Wrong("NOT_A_NUMBER")
        value = Decimal(text).scaleb(-places) if implied else Decimal(text.replace(separator, ".")).quantize(unit)  # exact
        if not low <= value <= high:
            raise Wrong("OUT_OF_RANGE")
        return value

    def render(value: Decimal) -> str:
        if implied:
            return str(int(value.scaleb(places)))
        return str(value.quantize(unit)).replace(".", separator)

    def cell(value: Any) -> str:
        # A workbook keeps 12.1 as the nearest binary fraction: its shortest writing is what the person typed.
        broken = isinstance(value, float) and not value.is_integer()
        return str(Decimal(repr(value)) if broken else _whole(value)).replace(".", separator)

    return FieldType(parse, render, numeric=True, cell=None if implied else cell)


def _date(spec: Spec) -> FieldType:
    """`form`: yyyy, mm and dd with signs between them; yyyymmdd unless said otherwise. The value is an ISO day."""
    written = str(spec.get("form", "yyyymmdd"))
    pattern = re.sub("yyyy|mm|dd", lambda word: _DAY_WORDS[word[0]], re.escape(written).replace(r"\-", "-"))
    form = re.compile(pattern, re.ASCII)
    if set(form.groupindex) != {"y", "m", "d"}:
        raise ValueError("form needs yyyy, mm and dd, each once")

    @lru_cache(maxsize=4096)  # the days of a file are few, and its rows many
    def parse(text: str) -> str:
        found = form.fullmatch(text)
        if found is None:
            raise Wrong("NOT_A_DATE")
        try:
            return date(int(found["y"]), int(found["m"]), int(found["d"])).isoformat()
        except ValueError:
            raise Wrong("NOT_A_DATE") from None

    def render(value: str) -> str:
        return written.replace("yyyy", value[:4]).replace("mm", value[5:7]).replace("dd", value[8:10])

    def cell(value: Any) -> str:
        if isinstance(value, datetime):
            if value.time() != datetime.min.time():
                raise Wrong("NOT_A_DATE")
            value = value.date()
        return render(value.isoformat()) if isinstance(value, date) else str(value)

    return FieldType(parse, render, cell=cell)


def _code(spec: Spec) -> FieldType:
    """`codes`: what stands in the file -> what it means (text, number or true/false); each meaning once."""
    codes = {str(code): meaning for code, meaning in spec["codes"].items()}
    back = {(type(meaning), meaning): code for code, meaning in codes.items()}
    if len(back) != len(codes):
        raise ValueError("two codes mean the same: what would be written back?")

    def parse(text: str) -> Any:
        if text not in codes:
            raise Wrong("NOT_IN_LIST")
        return codes[text]

    return FieldType(parse, lambda value: back[type(value), value])


def _whole(value: Any) -> str:
    """A number cell without decimals, as digits."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


_MAKERS: dict[str, Callable[[Spec], FieldType]] = {
    "text": _text,
    "integer": _integer,
    "decimal": _decimal,
    "date": _date,
    "code": _code,
}
