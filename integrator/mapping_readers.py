"""How one value is read: pure functions from what stands in a source's document to a canonical value, None = absent.

XML readers take an lxml element, JSON readers the decoded value; `READERS` holds a pair for every word a sheet may use.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any

Reader = Callable[[Any], Any]

UNKNOWN_DATE = "0000-00-00"
_ISO = re.compile(r"\d{4}-\d{2}-\d{2}")
_QUARTER = re.compile(r"(\d{4})Q([1-4])", re.ASCII)
_QUARTER_ENDS = {"1": "03-31", "2": "06-30", "3": "09-30", "4": "12-31"}
_BOOLEAN = dict.fromkeys(("1", "true", "y", "yes", "j", "ja", "o", "oui"), True) | dict.fromkeys(
    ("0", "false", "n", "no", "nee", "non"), False
)


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


def hundredths(value: Any) -> str | None:
    """A whole number of hundredths (cents, hundredths of an hour) as an amount.

    >>> hundredths("141250"), hundredths("50"), hundredths("1.5")
    ('1412.50', '0.50', None)
    """
    number = integer(value)
    return None if number is None else str(Decimal(number).scaleb(-2))


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


def _rrn_event_date(element: Any) -> str:
    return _rrn_date(element) or UNKNOWN_DATE


def _rrn_end_date(element: Any) -> str | None:
    """When a piece of information of the Rijksregister ended: its DelDate, else when the next newer one began.

    Published files list newest first and leave DelDate out of what was merely overtaken by something newer.
    """
    name = element.tag
    end = element.find("{*}DelDate")
    if end is None:
        newer = element.getprevious()
        if newer is None or newer.tag != name:
            return None
        end = newer.find("{*}Date")
    return UNKNOWN_DATE if end is None else _rrn_event_date(end)


def _rrn_home_end_date(element: Any) -> str | None:
    """When a main address (TI 020) ended: also when TI 001 says that since then no municipality keeps the file."""
    end = _rrn_end_date(element)
    main = end is None and element.get("Type") == "020"
    keeper = element.find("../../{*}FileOwner/{*}Residences") if main else None
    if keeper is None or municipality_code(keeper.findtext("{*}Residence/{*}Code")):
        return end
    return _rrn_event_date(keeper.find("{*}Date"))


def _rrn_last_names(element: Any) -> str | None:
    labels = (child.findtext("{*}Label") for child in element.iterchildren("{*}LastName"))
    return " ".join(label.strip() for label in labels if label and label.strip()) or None


def municipality_code(value: str | None) -> str | None:
    """A NIS code of a municipality; countries and the Rijksregister's 992, 9999x (abroad, struck off, dead) are none.

    >>> municipality_code("21009"), municipality_code("111"), municipality_code("99991")
    ('21009', None, None)
    """
    code = (value or "").strip()
    return code if len(code) == 5 and code.isdigit() and "10000" <= code < "99000" else None


def street_code(value: str | None) -> str | None:
    """The Rijksregister's number of a street: four digits, alone, without zeros in front, or behind the postcode.

    >>> street_code("47001761"), street_code("6001"), street_code("42")
    ('1761', '6001', '0042')
    """
    code = (value or "").strip()
    return code[-4:].zfill(4) if code.isdigit() else None


def _ksz_register(element: Any) -> str | None:
    """RR, BIS or RAD of a person that the KSZ tells: it names itself for both of its own registers.

    A BIS number has 20 or 40 added to the month of birth; the RAD register keeps numbers of the Rijksregister.
    """
    origin = element.get("origin")
    if origin != "BCSS_KSZ":
        return "RR" if origin == "RN_RR" else None
    number = (element.findtext("{*}Basic/{*}SocialSecurityUser") or "").strip()
    return "BIS" if "20" <= number[2:4] <= "52" else "RAD"


def quarter_end(quarter: str | None) -> str:
    """The last day of a quarter; of what is none an unknown day, which is too old for everybody.

    >>> quarter_end("2026Q2"), quarter_end("2025Q4"), quarter_end("20264")
    ('2026-06-30', '2025-12-31', '0000-00-00')
    """
    found = _QUARTER.fullmatch((quarter or "").strip())
    return f"{found[1]}-{_QUARTER_ENDS[found[2]]}" if found else UNKNOWN_DATE


def _ksz_quarter_end(element: Any) -> str:
    return quarter_end(element.findtext("employerDeclaration/quarter"))


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
    "hundredths": (_of_text(hundredths), hundredths),
    "boolean": (_of_text(boolean), boolean),
    "date": (_of_text(date), _of_json(date)),
    "datetime": (_of_text(text), _of_json(text)),
    "date_compact": (_of_text(date_compact), _of_json(date_compact)),
    "present": (lambda element: True, lambda value: value not in (None, False, "", [], {})),
    "rrn_date": (_rrn_date, None),
    "rrn_event_date": (_rrn_event_date, None),  # it happened: an unknown day is 0000-00-00, never absent
    "rrn_end_date": (_rrn_end_date, None),  # of a whole piece of information, also as `current:` or `ended:`
    "rrn_home_end_date": (_rrn_home_end_date, None),  # of a main address: abroad or struck off since, it is over
    "ksz_register": (_ksz_register, None),  # of a LimitedLegalData
    "ksz_quarter_end": (_ksz_quarter_end, None),  # of a DMFA attestation: when the quarter that it is about ended
    "rrn_last_names": (_rrn_last_names, None),  # several LastName/Label as one family name
    "municipality_code": (_of_text(municipality_code), _of_json(municipality_code)),
    "street_code": (_of_text(street_code), _of_json(street_code)),
    "localized": (None, _localized),
}
