"""What may be asked of DIV: one key, a moment, a page. Everything else is refused with a belgif issue.

The number in the query string is the real source's contract; nothing here logs or echoes it.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from urllib.parse import urlencode

from mock_sources.asgi import issue

KEYS = ("plateNr", "vin", "nationalNr", "companyNr")
"""Search keys; a question has exactly one of them."""

_ENRICHMENT = {"addressEnrichmentPerson": ("RR", "KSZ"), "addressEnrichmentOrganization": ("KBO",)}
_OTHERS = ("unifier", "dateTime", "pageSize", "after", *_ENRICHMENT)
_PAGE, _PAGE_MAX = 25, 100


class QuestionRefused(Exception):
    """The question is not one for this source; `issues` say which parameter and why."""

    def __init__(self, issues: list[dict[str, Any]]) -> None:
        super().__init__(f"{len(issues)} issue(s)")
        self.issues = issues


@dataclass(frozen=True, slots=True)
class Question:
    """A question that may be answered."""

    key: str  # one of KEYS
    value: str
    unifier: str | None
    moment: date | None  # None = now
    page_size: int
    after: str | None  # the last plate already seen
    asked: tuple[tuple[str, str], ...]  # the parameters as sent, without `after`

    def link(self, collection: str, after: str | None = None) -> str:
        """The question as the relative address that stands in `self` and `next`."""
        extra = () if after is None else (("after", self._cursor(after)),)
        return f"/{collection}?{urlencode((*self.asked, *extra), safe=':')}"

    def _cursor(self, plate: str) -> str:
        return _seal(self.asked, plate)


def read(pairs: list[tuple[str, str]]) -> Question:
    """Read the query parameters; raises QuestionRefused with every issue found, not only the first.

    >>> read([("plateNr", "1ABC123")]).key
    'plateNr'
    """
    issues = _form_issues(pairs)
    given = dict(pairs)
    keys = [key for key in KEYS if key in given]
    if len(keys) != 1:
        issues.append(issue("exactlyOneOfExpected", "query", ",".join(KEYS), "exactly one of these is needed"))
    if "unifier" in given and "vin" not in given:
        issues.append(issue("zeroOrAllOfExpected", "query", "vin,unifier", "unifier belongs to a vin"))
    if issues:
        raise QuestionRefused(issues)
    asked = tuple((name, value) for name, value in pairs if name != "after")
    return Question(
        key=keys[0],
        value=given[keys[0]],
        unifier=given.get("unifier"),
        moment=_moment(given["dateTime"]) if "dateTime" in given else None,
        page_size=int(given.get("pageSize", _PAGE)),
        after=_unseal(asked, given["after"]) if "after" in given else None,
        asked=asked,
    )


def _form_issues(pairs: list[tuple[str, str]]) -> list[dict[str, Any]]:
    issues, seen = [], set()
    for name, value in pairs:
        if name not in KEYS and name not in _OTHERS:
            issues.append(issue("unknownInput", "query", name, "not a parameter of this operation"))
        elif name in seen:
            issues.append(issue("invalidInput", "query", name, "given more than once"))
        elif name in _FORMS and not _FORMS[name](value):
            issues.append(issue("schemaViolation", "query", name, _HINTS[name]))
        seen.add(name)
    return issues


def _matches(pattern: str) -> Callable[[str], bool]:
    compiled = re.compile(pattern, re.ASCII)
    return lambda value: compiled.fullmatch(value) is not None


def _is_national_number(value: str) -> bool:
    """Eleven digits whose check digits hold, for birth before 2000 or since."""
    if re.fullmatch(r"\d{11}", value, re.ASCII) is None:
        return False
    first, check = int(value[:9]), int(value[9:])
    return check in (97 - first % 97, 97 - (2_000_000_000 + first) % 97)


def _is_company_number(value: str) -> bool:
    return re.fullmatch(r"[01]\d{9}", value, re.ASCII) is not None and int(value[8:]) == 97 - int(value[:8]) % 97


def _is_moment(value: str) -> bool:
    try:
        return datetime.fromisoformat(value).tzinfo is not None and "T" in value
    except ValueError:
        return False


def _moment(value: str) -> date:
    """The day of the moment, as its own offset tells it."""
    return datetime.fromisoformat(value).date()


def _is_page_size(value: str) -> bool:
    return re.fullmatch(r"[1-9]\d{0,2}", value, re.ASCII) is not None and int(value) <= _PAGE_MAX


_FORMS: dict[str, Callable[[str], bool]] = {
    "plateNr": _matches(r"[A-Z0-9]{1,8}"),
    "vin": _matches(r"[A-HJ-NPR-Z0-9]{3,17}"),
    "unifier": _matches(r"\d{2}"),
    "nationalNr": _is_national_number,
    "companyNr": _is_company_number,
    "dateTime": _is_moment,
    "pageSize": _is_page_size,
    **{name: allowed.__contains__ for name, allowed in _ENRICHMENT.items()},
}
_HINTS = {
    "plateNr": "1 to 8 capitals and digits, without whitespace or punctuation",
    "vin": "3 to 17 capitals and digits, without I, O and Q",
    "unifier": "two digits",
    "nationalNr": "11 digits with valid check digits",
    "companyNr": "10 digits with valid check digits",
    "dateTime": "an RFC 3339 date-time with offset",
    "pageSize": f"a whole number from 1 to {_PAGE_MAX}",
    **{name: " or ".join(allowed) for name, allowed in _ENRICHMENT.items()},
}

# A cursor is no secret: the key only makes sure that callers do not build cursors, and use each with its own question.
_CURSOR_KEY = b"div cursor"


def _tag(asked: tuple[tuple[str, str], ...], plate: bytes) -> bytes:
    return hmac.digest(_CURSOR_KEY, urlencode(asked).encode() + b"\x00" + plate, "sha256")[:6]


def _seal(asked: tuple[tuple[str, str], ...], plate: str) -> str:
    raw = plate.encode()
    return base64.urlsafe_b64encode(_tag(asked, raw) + raw).rstrip(b"=").decode()


def _unseal(asked: tuple[tuple[str, str], ...], cursor: str) -> str:
    """The plate in a cursor of this very question; raises QuestionRefused for any other."""
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    tag, plate = raw[:6], raw[6:]
    if not plate or not hmac.compare_digest(tag, _tag(asked, plate)):
        raise QuestionRefused([issue("invalidInput", "query", "after", "no cursor of this question")])
    return plate.decode()
