"""What an indicator counts, as config/indicators/<indicator>.yaml says it; every change of meaning is a new version.

A figure names its version and the digest of its text, so that two figures are compared only where they mean the same.
"""

from __future__ import annotations

import hashlib
import re
from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

import orjson

from integrator.errors import ConfigurationError
from integrator.model import LocalizedString
from integrator.places import read_yaml

PERIOD = re.compile(r"20\d\d-(0[1-9]|1[0-2])")
DURING = ("month", "lastDay")
Words = Mapping[str, Mapping[str, str]]  # field of a layout -> code of the package -> canonical word


@dataclass(frozen=True, slots=True)
class Version:
    """One meaning of an indicator."""

    indicator: str
    number: int
    since: str  # first month it is used for, 2026-01
    text: LocalizedString
    counts: str  # field of a row whose different values are counted: person, file
    where: Mapping[str, str]  # field of a row -> the canonical value it must have
    during: str  # one of DURING: a row counts when it runs on some day of the month, or on its last one
    groups: Mapping[str, tuple[int, int]]  # of ages on the last day of the month, both ends included; {} = no groups
    at_least: int  # a figure below is kept back where it is made
    digest: str  # sha256:… of everything above


@dataclass(frozen=True, slots=True)
class Indicator:
    """An indicator with all its meanings, the oldest first."""

    name: str
    title: LocalizedString
    versions: tuple[Version, ...]

    def version(self, number: int) -> Version | None:
        return next((one for one in self.versions if one.number == number), None)

    def at(self, period: str) -> Version | None:
        """The one that a month is counted by; None for a month before the first."""
        return next((one for one in reversed(self.versions) if one.since <= period), None)


def load_indicators(folder: Path) -> dict[str, Indicator]:
    """Every indicator by name. Raises `ConfigurationError` naming the file."""
    found = {}
    for path in sorted(folder.glob("*.yaml")):
        try:
            found[path.stem] = _indicator(read_yaml(path), path.stem)
        except (KeyError, TypeError, ValueError) as error:
            raise ConfigurationError(f"config/indicators/{path.name}: {type(error).__name__}: {error}") from error
    return found


def load_words(room: Path) -> Words:
    """connectors/<package>/indicators.yaml: a package's codes in canonical words. Raises `ConfigurationError`."""
    path = room / "indicators.yaml"
    data = read_yaml(path) if path.exists() else {}
    if data.get("package") != room.name:
        raise ConfigurationError(
            f"connectors/{room.name} has no indicators.yaml of its own", advice="Say there what its codes mean."
        )
    return {field: {str(code): str(word) for code, word in known.items()} for field, known in data["words"].items()}


def days(period: str) -> tuple[date, date]:
    """The first and the last day of a month.

    >>> [day.isoformat() for day in days("2028-02")]
    ['2028-02-01', '2028-02-29']
    """
    year, month = int(period[:4]), int(period[5:])
    return date(year, month, 1), date(year, month, monthrange(year, month)[1])


def _indicator(data: Mapping[str, Any], name: str) -> Indicator:
    if data["indicator"] != name:
        raise ValueError("`indicator:` is not the file's name")
    versions = tuple(_version(name, one) for one in data["versions"])
    numbers, since = [one.number for one in versions], [one.since for one in versions]
    if numbers != list(range(1, len(versions) + 1)) or since != sorted(set(since)):
        raise ValueError("versions are numbered from 1, each used from a later month than the one before")
    return Indicator(name, LocalizedString.read(data["title"]), versions)


def _version(name: str, data: Mapping[str, Any]) -> Version:
    groups = {str(label): (int(low), int(high)) for label, (low, high) in (data.get("ageGroups") or {}).items()}
    if data["during"] not in DURING or not PERIOD.fullmatch(data["since"]) or int(data["atLeast"]) < 2:
        raise ValueError("during: month or lastDay; since: a month; atLeast: 2 or more")
    ends = sorted(groups.values())
    if groups and (ends[0][0] != 0 or any(high + 1 != low for (_, high), (low, _) in pairwise(ends))):
        raise ValueError("ageGroups: from 0 on, without gaps")
    digest = "sha256:" + hashlib.sha256(orjson.dumps([name, data], option=orjson.OPT_SORT_KEYS)).hexdigest()
    return Version(
        name, int(data["version"]), data["since"], LocalizedString.read(data["text"]), data["counts"], data["where"],
        data["during"], groups, int(data["atLeast"]), digest,
    )  # fmt: skip
