"""Bodies that Dimona reads: what is missing, unknown or malformed is named, its value never."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

WORKERS = frozenset({"OTH", "STU", "FLX", "EXT"})
_ENTERPRISE, _PERSON, _COMMISSION = re.compile(r"[01]\d{9}"), re.compile(r"\d{11}"), re.compile(r"\d{3}(\.\d{2})?|XXX")


class Refused(Exception):
    """The body is not one that Dimona reads; `names` are JSON pointers."""

    def __init__(self, kind: str, detail: str, *names: str) -> None:
        super().__init__(kind)
        self.kind, self.detail, self.names = kind, detail, names


def declaration(said: Any) -> tuple[str, str, dict[str, Any]]:
    """(employer, ssin, dimonaIn). Raises Refused."""
    employer, ssin = _parties(said, {"employer", "worker", "dimonaIn"})
    entry = said.get("dimonaIn")
    _object(entry, "/dimonaIn", {"startDate", "endDate", "features"}, {"startDate", "features"})
    for name in ("startDate", "endDate"):
        if name in entry:
            _day(entry[name], f"/dimonaIn/{name}")
    if "endDate" in entry and entry["endDate"] < entry["startDate"]:
        raise Refused("invalidInput", "ends before it starts", "/dimonaIn/endDate")
    features = entry["features"]
    _object(features, "/dimonaIn/features", {"workerType", "jointCommissionNumber"}, {"workerType"})
    if features["workerType"] not in WORKERS:
        raise Refused("schemaViolation", f"one of {', '.join(sorted(WORKERS))}", "/dimonaIn/features/workerType")
    if not _COMMISSION.fullmatch(str(features.get("jointCommissionNumber", "XXX"))):
        raise Refused("schemaViolation", "a joint commission", "/dimonaIn/features/jointCommissionNumber")
    return employer, ssin, entry


def search(said: Any) -> tuple[str, str, str | None]:
    """(employer, ssin, first day). Raises Refused."""
    employer, ssin = _parties(said, {"employer", "worker", "startDate"})
    start = said.get("startDate")
    if start is not None:
        _day(start, "/startDate")
    return employer, ssin, start


def _parties(said: Any, known: set[str]) -> tuple[str, str]:
    _object(said, "", known, {"employer", "worker"})
    _object(said["employer"], "/employer", {"enterpriseNumber"}, {"enterpriseNumber"})
    _object(said["worker"], "/worker", {"ssin"}, {"ssin"})
    employer, ssin = str(said["employer"]["enterpriseNumber"]), str(said["worker"]["ssin"])
    if not _ENTERPRISE.fullmatch(employer):
        raise Refused("schemaViolation", "ten digits", "/employer/enterpriseNumber")
    if not _PERSON.fullmatch(ssin):
        raise Refused("schemaViolation", "eleven digits", "/worker/ssin")
    return employer, ssin


def _object(value: Any, at: str, known: set[str], needed: set[str]) -> None:
    if not isinstance(value, dict):
        raise Refused("schemaViolation", "an object", at or "/")
    if missing := sorted(needed - value.keys()):
        raise Refused("requiredInput", "add it", *(f"{at}/{name}" for name in missing))
    if value.keys() - known:
        raise Refused("unknownInput", "there is something that we do not know", at or "/")


def _day(value: Any, at: str) -> None:
    try:
        date.fromisoformat(str(value))
    except ValueError:
        raise Refused("schemaViolation", "a day: YYYY-MM-DD", at) from None
