"""Bodies that the cadastre reads: what is missing, unknown or malformed is named, its value never."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

FIRST_YEAR = 2018  # no situation of an earlier year is told
LEGAL_BASES = frozenset({"TAX:PROPERTY"})
_PARCEL = re.compile(r"\d{5}[A-Z]\d{4}/\d{2}[A-Z_]\d{3}P\d{4}")
_MEMBERS = {"onBehalfOf", "legalBasis", "taxYear", "parcelId", "holder"}


class Refused(Exception):
    """The body is not one that the cadastre reads; `names` are JSON pointers."""

    def __init__(self, kind: str, detail: str, *names: str) -> None:
        super().__init__(kind)
        self.kind, self.detail, self.names = kind, detail, names


class NotTold(Exception):
    """A question in order, to which there is no answer for whoever asks, or not yet."""

    def __init__(self, status: int, kind: str, title: str) -> None:
        super().__init__(kind)
        self.status, self.kind, self.title = status, kind, title


@dataclass(frozen=True, slots=True)
class Question:
    tax_year: int
    parcel: str
    ssin: str


def read(said: Any, this_year: int) -> Question:
    """Raises Refused, or NotTold for a basis that is not registered and a year that has not begun."""
    _object(said, "", _MEMBERS)
    _object(said["onBehalfOf"], "/onBehalfOf", {"enterpriseNumber"})
    _object(said["holder"], "/holder", {"ssin"})
    _number(said["onBehalfOf"]["enterpriseNumber"], "/onBehalfOf/enterpriseNumber", r"[01]\d{9}")
    _number(said["holder"]["ssin"], "/holder/ssin", r"\d{11}")
    year, parcel = said["taxYear"], said["parcelId"]
    if type(year) is not int or not FIRST_YEAR <= year <= 9999:
        raise Refused("outOfRange", f"a year from {FIRST_YEAR}", "/taxYear")
    if not isinstance(parcel, str) or not _PARCEL.fullmatch(parcel):
        raise Refused("schemaViolation", "a capakey and the number of its part", "/parcelId")
    if said["legalBasis"] not in LEGAL_BASES:
        raise NotTold(403, "legalBasisUnknown", "no right is told on this legal basis")
    if year > this_year:
        raise NotTold(409, "situationNotFixed", "the situation of a year is fixed on its first day")
    return Question(year, parcel, said["holder"]["ssin"])


def _object(said: Any, place: str, members: set[str]) -> None:
    if not isinstance(said, dict):
        raise Refused("schemaViolation", "an object", place)
    if unknown := sorted(set(said) - members):
        raise Refused("unknownInput", "not a member", *(f"{place}/{name}" for name in unknown))
    if missing := sorted(members - set(said)):
        raise Refused("requiredInput", "is missing", *(f"{place}/{name}" for name in missing))


def _number(said: Any, place: str, pattern: str) -> None:
    """Ten or eleven digits that fit: the last two are 97 minus the rest by 97, with a 2 before it for who is born since 2000."""
    fits = isinstance(said, str) and re.fullmatch(pattern, said) is not None
    if not fits or int(said[-2:]) not in {97 - int(born + said[:-2]) % 97 for born in ("", "2")}:
        raise Refused("schemaViolation", "a number whose check digits fit", place)
