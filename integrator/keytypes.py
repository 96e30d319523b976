"""The kinds of key a question may be asked by: how each is checked, and how it is shown in OpenAPI. No I/O.

A check returns the canonical form or an `Issue`'s words; the value itself never appears in either.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from stdnum.be import bis, nn

from integrator.errors import ConfigurationError, Issue, MalformedRequest

PREFIX = "ps_"  # what every pseudonym begins with (integrator/pseudonyms.py)

Spec = Mapping[str, Any]
Sandbox = frozenset[str] | None  # None = production; else the few real-looking numbers of named test cases (BIS)

_PSEUDONYM = re.compile(PREFIX + r"[A-Za-z0-9_-]{36}", re.ASCII)
_PLATE = re.compile(r"[A-Z0-9]{1,9}")
_VIN = re.compile(r"[A-HJ-NPR-Z0-9]{17}")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_QUARTER = re.compile(r"\d{4}Q[1-4]", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class Pseudonym(str):
    """Stands where a national number is asked for; the exchange finds whose it is, or refuses it as a wrong number."""

    __slots__ = ()


NO_NUMBER = "the check digits or the date part do not fit: look for a typing error"


class _Refused(ValueError):
    """Words for the caller: which belgif issue, and what to do about it."""

    def __init__(self, kind: str, advice: str) -> None:
        super().__init__(advice)
        self.kind, self.advice = kind, advice


@dataclass(frozen=True, slots=True)
class KeyType:
    """One key of a service, compiled from its data: `read` checks a value, `schema` shows it in OpenAPI."""

    name: str
    required: bool
    schema: Mapping[str, Any]
    _check: Callable[[Any], Any]

    def read(self, value: Any, pointer: str) -> Any:
        """The canonical value. Raises `MalformedRequest` naming the place, never the value."""
        try:
            return self._check(value)
        except _Refused as refused:
            raise MalformedRequest(Issue(refused.kind, "body", pointer, refused.advice)) from None


def ssin_world(digits: str) -> str | None:
    """Which world a national number belongs to: `test` (month 61–72, MAGDA's TST convention), `real`, or None.

    Real ones, BIS included, are python-stdnum's to judge. It rightly calls month 61–72 impossible, so for those the
    check is here: 97 − (first nine mod 97), with a 2 in front for those born from 2000 (royal decree of 3 April 1984).

    >>> ssin_world("85660812341"), ssin_world("85660812342")
    ('test', None)
    """
    if not 61 <= int(digits[2:4]) <= 72:
        return "real" if nn.is_valid(digits) or bis.is_valid(digits) else None
    number, check = int(digits[:9]), int(digits[9:])
    return "test" if check in (97 - number % 97, 97 - (2_000_000_000 + number) % 97) else None


def compile_key(name: str, spec: Spec, *, sandbox: Sandbox) -> KeyType:
    """A key type from its data. Raises `ConfigurationError` for a type we do not know."""
    make = _MAKERS.get(spec["type"])
    if make is None:
        raise ConfigurationError(f"key {name}: type {spec['type']!r} is not one of {', '.join(sorted(_MAKERS))}")
    check, schema = make(spec, sandbox)
    shown = {**schema, **{word: spec[word] for word in ("description",) if word in spec}}
    if "example" in spec:
        shown["examples"] = [spec["example"]]
    return KeyType(name, bool(spec.get("required")), shown, check)


def _string(value: Any) -> str:
    if not isinstance(value, str):
        raise _Refused("schemaViolation", "send this as a JSON string")
    return value


def _ssin(spec: Spec, sandbox: Sandbox) -> tuple[Callable[[Any], str], Spec]:
    def check(value: Any) -> str:
        digits = _string(value)
        if digits.startswith(PREFIX) and _PSEUDONYM.fullmatch(digits):
            return Pseudonym(digits)
        if len(digits) != 11 or not digits.isascii() or not digits.isdigit():
            raise _Refused("schemaViolation", "a national number is 11 digits without dots or spaces")
        world = ssin_world(digits)
        if world is None:
            raise _Refused("invalidInput", NO_NUMBER)
        if sandbox is None and world == "test":
            raise _Refused("rejectedInput", "a test number cannot be used in production")
        if sandbox is not None and world == "real" and digits not in sandbox:
            raise _Refused("rejectedInput", "this is the sandbox: use a test number (month 61 to 72)")
        return digits

    return check, {
        "type": "string",
        "pattern": r"^(\d{11}|ps_[A-Za-z0-9_-]{36})$",
        "description": "National number or BIS number (INSZ/NISS); or, where the purpose gives pseudonyms, one of those.",
    }


def _check97(value: str) -> bool:
    return int(value[8:]) == 97 - int(value[:8]) % 97


def _cbe(first: str, what: str) -> Callable[[Spec, Sandbox], tuple[Callable[[Any], str], Spec]]:
    pattern = re.compile(rf"[{first}]\d{{9}}")

    def make(spec: Spec, sandbox: Sandbox) -> tuple[Callable[[Any], str], Spec]:
        def check(value: Any) -> str:
            digits = _string(value).replace(".", "")
            if not pattern.fullmatch(digits):
                raise _Refused("schemaViolation", f"{what}: ten digits, the first one of [{first}]")
            if not _check97(digits):
                raise _Refused("invalidInput", "the check digits do not fit: look for a typing error")
            return digits

        return check, {"type": "string", "pattern": rf"^[{first}]\d{{9}}$", "description": what}

    return make


def _plate(spec: Spec, sandbox: Sandbox) -> tuple[Callable[[Any], str], Spec]:
    def check(value: Any) -> str:
        plate = re.sub(r"[-. ]", "", _string(value)).upper()
        if not _PLATE.fullmatch(plate):
            raise _Refused("schemaViolation", "letters and digits only, at most 9, for example 1ABC123")
        return plate

    return check, {
        "type": "string",
        "pattern": "^[A-Za-z0-9. -]{1,12}$",
        "description": "Number plate; punctuation is ignored.",
    }


def _vin(spec: Spec, sandbox: Sandbox) -> tuple[Callable[[Any], str], Spec]:
    def check(value: Any) -> str:
        vin = _string(value).upper()
        if not _VIN.fullmatch(vin):
            raise _Refused("schemaViolation", "17 letters and digits, without I, O and Q")
        return vin

    return check, {
        "type": "string",
        "pattern": "^[A-HJ-NPR-Z0-9]{17}$",
        "description": "Vehicle identification number.",
    }


def _digits(
    low: int, high: int, length: int, what: str
) -> Callable[[Spec, Sandbox], tuple[Callable[[Any], str], Spec]]:
    def make(spec: Spec, sandbox: Sandbox) -> tuple[Callable[[Any], str], Spec]:
        def check(value: Any) -> str:
            digits = _string(value)
            if len(digits) != length or not digits.isascii() or not digits.isdigit() or not low <= int(digits) <= high:
                raise _Refused("schemaViolation", f"{what}: {length} digits from {low} to {high}")
            return digits

        return check, {"type": "string", "pattern": rf"^\d{{{length}}}$", "description": what}

    return make


def valid_date(value: str, *, incomplete: bool = False) -> bool:
    """Whether an ISO date can exist; with `incomplete`, month and day may be 00.

    >>> valid_date("2023-02-29"), valid_date("2024-02-29"), valid_date("1961-00-00", incomplete=True)
    (False, True, True)
    """
    if not _DATE.fullmatch(value):
        return False
    year, month, day = int(value[:4]), int(value[5:7]), int(value[8:])
    if incomplete and ((month == 0 and day == 0) or (1 <= month <= 12 and day == 0)):
        return year > 0
    if not (year and 1 <= month <= 12 and 1 <= day <= _DAYS[month - 1]):
        return False
    return not (month == 2 and day == 29 and (year % 4 or (year % 100 == 0 and year % 400)))


def _date(spec: Spec, sandbox: Sandbox) -> tuple[Callable[[Any], str], Spec]:
    incomplete = bool(spec.get("incomplete"))

    def check(value: Any) -> str:
        if not valid_date(_string(value), incomplete=incomplete):
            raise _Refused(
                "invalidInput", "an existing date as YYYY-MM-DD" + (", -00 where unknown" if incomplete else "")
            )
        return str(value)

    return check, {"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}$"} if incomplete else {
        "type": "string",
        "format": "date",
    }


def _quarters(spec: Spec, sandbox: Sandbox) -> tuple[Callable[[Any], dict[str, str]], Spec]:
    """`{begin, end}`, both YYYYQn (belgif YearQuarter) and both in it; `max` quarters at most."""
    most = int(spec["max"])

    def check(value: Any) -> dict[str, str]:
        if not isinstance(value, dict) or set(value) != {"begin", "end"}:
            raise _Refused("schemaViolation", "a JSON object with begin and end, and nothing else")
        if not all(_QUARTER.fullmatch(_string(quarter)) for quarter in value.values()):
            raise _Refused("schemaViolation", "begin and end are quarters as 2026Q1")
        ranks = {name: 4 * int(quarter[:4]) + int(quarter[5]) for name, quarter in value.items()}
        if not 0 <= ranks["end"] - ranks["begin"] < most:
            raise _Refused("outOfRange", f"from begin to end, {most} quarters at most")
        return {"begin": value["begin"], "end": value["end"]}

    quarter = {"type": "string", "pattern": r"^\d{4}Q[1-4]$"}
    return check, {
        "type": "object",
        "additionalProperties": False,
        "properties": {"begin": quarter, "end": quarter},
        "required": ["begin", "end"],
    }


def _text(spec: Spec, sandbox: Sandbox) -> tuple[Callable[[Any], str], Spec]:
    longest, shortest = int(spec.get("max", 100)), int(spec.get("min", 1))
    pattern = re.compile(spec["pattern"]) if "pattern" in spec else None

    def check(value: Any) -> str:
        words = _string(value).strip()
        if not shortest <= len(words) <= longest:
            raise _Refused("outOfRange", f"between {shortest} and {longest} characters")
        if _CONTROL.search(words):
            raise _Refused("schemaViolation", "no control characters")
        if pattern is not None and not pattern.fullmatch(words):
            raise _Refused("schemaViolation", f"must match {pattern.pattern}")
        return words

    shown: dict[str, Any] = {"type": "string", "minLength": shortest, "maxLength": longest}
    return check, shown | ({"pattern": f"^{spec['pattern']}$"} if pattern else {})


def _integer(spec: Spec, sandbox: Sandbox) -> tuple[Callable[[Any], int], Spec]:
    low, high = int(spec.get("min", 0)), int(spec.get("max", 2**31 - 1))

    def check(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise _Refused("schemaViolation", "send this as a whole JSON number")
        if not low <= value <= high:
            raise _Refused("outOfRange", f"between {low} and {high}")
        return value

    return check, {"type": "integer", "minimum": low, "maximum": high}


def _boolean(spec: Spec, sandbox: Sandbox) -> tuple[Callable[[Any], bool], Spec]:
    def check(value: Any) -> bool:
        if not isinstance(value, bool):
            raise _Refused("schemaViolation", "send true or false")
        return value

    return check, {"type": "boolean"}


def _enum(spec: Spec, sandbox: Sandbox) -> tuple[Callable[[Any], str], Spec]:
    values = [str(value) for value in spec["values"]]

    def check(value: Any) -> str:
        if _string(value) not in values:
            raise _Refused("invalidInput", "one of: " + ", ".join(values))
        return str(value)

    return check, {"type": "string", "enum": values}


def _object(spec: Spec, sandbox: Sandbox) -> tuple[Callable[[Any], dict[str, Any]], Spec]:
    properties = {name: compile_key(name, inner, sandbox=sandbox) for name, inner in spec["properties"].items()}
    required = [name for name, key in properties.items() if key.required]

    def check(value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise _Refused("schemaViolation", "send this as a JSON object")
        if set(value) - set(properties):
            raise _Refused("unknownInput", "only these properties: " + ", ".join(properties))
        missing = [name for name in required if name not in value]
        if missing:
            raise _Refused("requiredInput", "add: " + ", ".join(missing))
        read = {}
        for name, inner in value.items():
            try:
                read[name] = properties[name]._check(inner)
            except _Refused as refused:
                raise _Refused(refused.kind, f"{name}: {refused.advice}") from None
        return read

    return check, {
        "type": "object",
        "additionalProperties": False,
        "properties": {name: key.schema for name, key in properties.items()},
    } | ({"required": required} if required else {})


def _list(spec: Spec, sandbox: Sandbox) -> tuple[Callable[[Any], list[Any]], Spec]:
    inner = compile_key("item", spec["of"] if isinstance(spec["of"], dict) else {"type": spec["of"]}, sandbox=sandbox)
    longest = int(spec.get("max", 20))

    def check(value: Any) -> list[Any]:
        if not isinstance(value, list) or not 1 <= len(value) <= longest:
            raise _Refused("schemaViolation", f"a JSON array of 1 to {longest} items")
        return [inner._check(item) for item in value]

    return check, {"type": "array", "items": inner.schema, "minItems": 1, "maxItems": longest}


_MAKERS: dict[str, Callable[[Spec, Sandbox], tuple[Callable[[Any], Any], Spec]]] = {
    "ssin": _ssin,
    "enterpriseNumber": _cbe("01", "Enterprise number (KBO/BCE)"),
    "establishmentUnitNumber": _cbe("2-8", "Establishment unit number (KBO/BCE)"),
    "plate": _plate,
    "vin": _vin,
    "nisCode": _digits(10000, 99999, 5, "NIS code of a municipality"),
    "postCode": _digits(1000, 9999, 4, "Belgian post code"),
    "date": _date,
    "quarters": _quarters,
    "text": _text,
    "integer": _integer,
    "boolean": _boolean,
    "enum": _enum,
    "object": _object,
    "list": _list,
}
