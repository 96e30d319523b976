"""What may be asked of BeSt, per collection; unknown parameters are refused, as belgif wants (`unknownInput`)."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mock_sources.asgi import issue
from mock_sources.sources.best.ids import number_of

PAGE_SIZE = 100
"""Items on a page when nothing is asked, and at most."""

_PLACE = ("xLong", "yLat", "radius")
_PAGING = ("page", "pageSize", "limit", "embed")
PARAMETERS: dict[str, tuple[str, ...]] = {
    "municipalities": ("name", "nisCode", "postCode", *_PAGING),
    "postalInfos": ("postCode", "nisCode", "name", *_PAGING),
    "streets": ("name", "nisCode", "postCode", "municipalityId", *_PAGING),
    "addresses": (
        *("streetId", "postCode", "nisCode", "municipalityName", "streetName", "houseNumber", "boxNumber"),
        *(*_PLACE, "crs", *_PAGING),
    ),
}
_NARROWING = ("streetId", "streetName", "postCode", "nisCode", "municipalityName")


class QuestionRefused(Exception):
    """The question is not one for this source; `issues` say which parameter and why."""

    def __init__(self, issues: list[dict[str, Any]]) -> None:
        super().__init__(f"{len(issues)} issue(s)")
        self.issues = issues


@dataclass(frozen=True, slots=True)
class Question:
    """A question that may be answered."""

    given: dict[str, str]  # parameters as sent, decoded
    page: int  # from 1
    page_size: int
    embed: bool

    def get(self, name: str) -> str | None:
        """A parameter, or None when it was not given."""
        return self.given.get(name)

    def place(self) -> tuple[float, float, float] | None:
        """x, y and radius in metres; None when no place was asked."""
        if "radius" not in self.given:
            return None
        x, y, radius = (float(self.given[name]) for name in _PLACE)
        return x, y, radius


def read(collection: str, pairs: list[tuple[str, str]]) -> Question:
    """Read the query parameters; raises QuestionRefused with every issue found, not only the first."""
    given = dict(pairs)
    issues = _form_issues(PARAMETERS[collection], pairs) + _joint_issues(collection, given)
    if issues:
        raise QuestionRefused(issues)
    size = int(given.get("pageSize", given.get("limit", PAGE_SIZE)))
    return Question(given, int(given.get("page", 1)), size, given.get("embed") == "true")


def _form_issues(known: tuple[str, ...], pairs: list[tuple[str, str]]) -> list[dict[str, Any]]:
    issues, seen = [], set()
    for name, value in pairs:
        if name not in known:
            issues.append(issue("unknownInput", "query", name, "not a parameter of this operation"))
        elif name in seen:
            issues.append(issue("invalidInput", "query", name, "given more than once"))
        elif not _FORMS[name][0](value):
            issues.append(issue("schemaViolation", "query", name, _FORMS[name][1]))
        seen.add(name)
    return issues


def _joint_issues(collection: str, given: dict[str, str]) -> list[dict[str, Any]]:
    if collection != "addresses":
        return []
    issues = []
    if 0 < sum(name in given for name in _PLACE) < len(_PLACE):
        issues.append(issue("zeroOrAllOfExpected", "query", ",".join(_PLACE), "a place is a point and a radius"))
    if "crs" in given and not any(name in given for name in _PLACE):
        issues.append(issue("zeroOrAllOfExpected", "query", ",".join((*_PLACE, "crs")), "crs belongs to a point"))
    if not any(name in given for name in _NARROWING):
        # The real one takes ten seconds for the whole country, its gateway gives up after three.
        issues.append(issue("anyOfExpected", "query", ",".join(_NARROWING), "say at least where to look"))
    return issues


def _matches(pattern: str) -> Callable[[str], bool]:
    compiled = re.compile(pattern, re.ASCII)
    return lambda value: compiled.fullmatch(value) is not None


def _is_name(value: str) -> bool:
    """Something is left to look for when the signs of the search are taken away."""
    return 1 <= len(value) <= 100 and any(character.isalnum() for character in value)


_WHOLE = _matches(r"[1-9]\d{0,6}")
_NUMBER = _matches(r"-?\d{1,7}(\.\d{1,9})?")
_NAME = (_is_name, "a name, *part* or ~fuzzy, up to 100 characters")
_SIZE = (lambda value: _WHOLE(value) and int(value) <= PAGE_SIZE, f"a whole number from 1 to {PAGE_SIZE}")
_FORMS: dict[str, tuple[Callable[[str], bool], str]] = {
    "name": _NAME,
    "streetName": _NAME,
    "municipalityName": _NAME,
    "nisCode": (_matches(r"\d{5}"), "five digits"),
    "postCode": (_matches(r"\d{4}"), "four digits"),
    "municipalityId": (lambda value: number_of("municipality", value) is not None, "the id of a municipality"),
    "streetId": (lambda value: number_of("streetname", value) is not None, "the id of a street"),
    "houseNumber": (_matches(r"[0-9A-Za-z][0-9A-Za-z /_.-]{0,11}"), "a house number, up to 12 characters"),
    "boxNumber": (_matches(r"[0-9A-Za-z][0-9A-Za-z /_.-]{0,34}"), "a box number, up to 35 characters"),
    "xLong": (_NUMBER, "a number"),
    "yLat": (_NUMBER, "a number"),
    "radius": (lambda value: _NUMBER(value) and 0 < float(value) <= 1000, "metres, up to 1000"),
    "crs": (lambda value: value in ("wgs84", "lam72", "lam08"), "wgs84, lam72 or lam08"),
    "page": (_WHOLE, "a whole number from 1"),
    "pageSize": _SIZE,
    "limit": _SIZE,
    "embed": (lambda value: value in ("true", "false"), "true or false"),
}
