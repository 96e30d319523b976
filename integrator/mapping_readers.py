"""How one value is read: pure functions from what stands in a source's document to a canonical value, None = absent.

XML readers take an lxml element, JSON readers the decoded value; `READERS` holds a pair for every word a sheet may use.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any

Reader = Callable[[Any], Any]

_ISO = re.compile(r"\d{4}-\d{2}-\d{2}")
_BOOLEAN = dict.fromkeys(("1", "true", "y", "yes", "j", "ja", "o", "oui"), True) | dict.fromkeys(("0", "false", "n", "no", "nee", "non"), False)


def text(value: str | None) -> str | None:
    """Text without the space around it; nothing left = absent.

    >>> text("  Elsene "), text("   ")
    ('Elsene', None)
    """
    stripped = (value or "").strip()
    return stripped or None


def upper(value: str | None) -> str | None:
    stripped = (value or "").strip().upper()
    return stripped or None


def integer(value: Any) -> int | None:
    """A whole number; anything else is absent rather than wrong.

    >>> integer("0042"), integer(7), integer("x")
    (42, 7, None)
    """
    try:
        return int(str(value).strip())
    except ValueError:
        return None


def integer_text(value: Any) -> str | None:
    """A number kept as text without leading zeros, for codes that sources pad differently.

    >>> integer_text("021009")
    '21009'
    """
    number = integer(value)
    return None if number is None else str(number)


def decimal(value: Any) -> str | None:
    """An amount, as text (belgif dec-type): never a float.

    >>> decimal("12.50"), decimal("a")
    ('12.50', None)
    """
    try:
        return str(Decimal(str(value).strip()))
    except InvalidOperation:
        return None


def boolean(value: Any) -> bool | None:
    """Yes or no in the ways the sources write it; anything else is absent.

    >>> boolean("Y"), boolean("0"), boolean("perhaps")
    (True, False, None)
    """
    return value if isinstance(value, bool) else _BOOLEAN.get(str(value).strip().lower())


def date(value: str | None) -> str | None:
    """An ISO date, incomplete parts kept as 00; a time behind it is cut off.

    >>> date("1961-00-00"), date("2020-05-01T10:00:00Z"), date("soon")
    ('1961-00-00', '2020-05-01', None)
    """
    found = _ISO.match((value or "").strip())
    return found.group() if found else None


def date_compact(value: str | None) -> str | None:
    """YYYYMMDD, as files write it.

    >>> date_compact("20260131"), date_compact("00000000")
    ('2026-01-31', None)
    """
    digits = (value or "").strip()
    if len(digits) != 8 or not digits.isdigit() or digits == "00000000":
        return None
    return f"{digits[:4]}-{digits[4:6]}-{digits[6:]}"


def split_date(century: str, year: str, month: str, day: str) -> str | None:
    """A date of the Rijksregister, whose four parts are each optional: incomplete dates are normal.

    >>> split_date("19", "61", "", ""), split_date("", "", "", "")
    ('1961-00-00', None)
    """
    if not (century or year):
        return None
    return f"{century or '00'}{year or '00'}-{month or '00'}-{day or '00'}"


def _rrn_date(element: Any) -> str | None:
    parts = {"Century": "", "Year": "", "Month": "", "Day": ""}
    for child in element:
        name = child.tag
        if isinstance(name, str):
            parts[name.rpartition("}")[2]] = (child.text or "").strip()
    return split_date(parts["Century"], parts["Year"], parts["Month"], parts["Day"])


def _localized(value: Any) -> dict[str, str] | None:
    names = {language: name for language, name in value.items() if language in ("nl", "fr", "de", "en") and name}
    return names or None


def _of_text(reader: Callable[[str | None], Any]) -> Reader:
    return lambda element: reader(element.text)


def _of_json(reader: Callable[[Any], Any]) -> Reader:
    return lambda value: reader(value if isinstance(value, str) else None if value is None else str(value))


READERS: dict[str, tuple[Reader | None, Reader | None]] = {
    "text": (_of_text(text), _of_json(text)),
    "upper": (_of_text(upper), _of_json(upper)),
    "integer": (_of_text(integer), integer),
    "integer_text": (_of_text(integer_text), integer_text),
    "decimal": (_of_text(decimal), decimal),
    "boolean": (_of_text(boolean), boolean),
    "date": (_of_text(date), _of_json(date)),
    "datetime": (_of_text(text), _of_json(text)),
    "date_compact": (_of_text(date_compact), _of_json(date_compact)),
    "present": (lambda element: True, lambda value: value not in (None, False, "", [], {})),
    "rrn_date": (_rrn_date, None),
    "localized": (None, _localized),
}
