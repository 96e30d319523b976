"""Rows of a package's file to a few figures. Whoever is counted is known for as long as the file is read, and to nobody else.

A person in five rows is one person: the numbers lie side by side in memory until the last row, then only how many there were
is left. A file that is not whole, or in which a single row cannot be read, gives no figure: a figure that is a little wrong
is a wrong figure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from integrator.adapters.checking import judged
from integrator.adapters.findings import FileRefused
from integrator.adapters.layout import Layout
from integrator.errors import ConfigurationError
from integrator.figures.suppression import ALL, suppress
from integrator.indicators.definitions import Version, Words, days

FIELDS = (
    "person",
    "file",
    "kind",
    "from",
    "until",
    "born",
)  # what a layout calls the canonical fields of a welfare file


def figures_of(layout: Layout, words: Words, path: Path, version: Version, period: str) -> dict[str, int]:
    """What may leave the house: {"*": total, "0-24": …}, without the small ones and without what would tell them.

    Raises `FileRefused` (not whole, BAD_ROWS, CONTRADICTION) and `ConfigurationError`. Nothing of a row stands in either.
    """
    needed = {version.counts, *version.where, "from", *(("born",) if version.groups else ())}
    missing = needed - {one.name for one in layout.fields}
    if missing:
        raise ConfigurationError(
            f"{layout.adapter}: no field {', '.join(sorted(missing))} to count {version.indicator} by"
        )
    counts = count(_whole(layout, words, path), version, period)
    if not version.groups:
        total = counts.total()
        return {ALL: total} if total >= version.at_least else {}
    told = suppress({(group,): n for group, n in counts.items()}, [frozenset()], version.at_least)
    return {group: n for (group,), n in told.items()}


def count(rows: Iterable[Mapping[str, Any]], version: Version, period: str) -> Counter[str]:
    """How many different ones there are in each group ("all" where there are no groups), small ones too.

    Raises `FileRefused` (CONTRADICTION) when one of them would be in two groups.
    """
    first, last = days(period)
    start = last if version.during == "lastDay" else first
    found: dict[Any, str] = {}
    for row in rows:
        if any(row.get(name) != value for name, value in version.where.items()) or not _runs(row, start, last):
            continue
        group = _group(version, row, last)
        if found.setdefault(row[version.counts], group) != group:
            raise FileRefused("CONTRADICTION")
    return Counter(found.values())


def _whole(layout: Layout, words: Words, path: Path) -> list[Mapping[str, Any]]:
    """Every row in canonical words; the file is whole and every row of it can be read, or nothing is counted."""
    rows: list[Mapping[str, Any]] = []
    for one in judged(layout, path):
        if one.findings:
            raise FileRefused("BAD_ROWS")
        rows.append({name: _said(words, name, value) for name, value in one.values.items()})
    return rows


def _said(words: Words, name: str, value: Any) -> Any:
    """The canonical word for a code of the package. Raises `FileRefused` for one that nobody translated."""
    known = words.get(name)
    if known is None:
        return value
    if value not in known:
        raise FileRefused("NOT_IN_LIST")
    return known[value]


def _runs(row: Mapping[str, Any], start: date, last: date) -> bool:
    """Whether it runs on some day from start to last. Days are ISO texts, as adapters give them."""
    until = row.get("until")
    return bool(row["from"] <= last.isoformat() and (until is None or until >= start.isoformat()))


def _group(version: Version, row: Mapping[str, Any], last: date) -> str:
    if not version.groups:
        return "all"
    born = date.fromisoformat(row["born"])
    age = last.year - born.year - ((last.month, last.day) < (born.month, born.day))
    for label, (low, high) in version.groups.items():
        if low <= age <= high:
            return label
    raise FileRefused("CONTRADICTION")  # born after the month, or older than anybody
