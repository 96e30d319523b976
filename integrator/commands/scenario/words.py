"""`${name}` in a step, and whether an answer holds what a step expects."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from integrator.errors import ConfigurationError

_NAME = re.compile(r"\$\{([a-zA-Z][A-Za-z0-9.]*)(?:([+-]\d+))?\}")


def filled(value: Any, known: Mapping[str, Any], today: date) -> Any:
    """The same with every `${a.b}` replaced; one that is a whole text keeps its type. `${today+30}` is a day,
    `${quarter-2}` the quarter so many before this one, `${year-1}` the year before this one.

    >>> filled({"a": "${n}", "b": "x-${p.q}", "c": "${today+1}"}, {"n": 7, "p": {"q": "y"}}, date(2026, 1, 31))
    {'a': 7, 'b': 'x-y', 'c': '2026-02-01'}
    >>> filled("${quarter-2}", {}, date(2026, 1, 31))
    '2025Q3'
    """
    if isinstance(value, Mapping):
        return {name: filled(inner, known, today) for name, inner in value.items()}
    if isinstance(value, list):
        return [filled(inner, known, today) for inner in value]
    if not isinstance(value, str):
        return value
    whole = _NAME.fullmatch(value)
    if whole:
        return _said(whole, known, today)
    return _NAME.sub(lambda found: str(_said(found, known, today)), value)


def at(path: str, value: Any) -> Any:
    """What stands at `a.0.b`. Raises `ConfigurationError` when nothing does.

    >>> at("a.0.b", {"a": [{"b": 3}]})
    3
    """
    for name in path.split("."):
        if isinstance(value, Mapping) and name in value:
            value = value[name]
        elif isinstance(value, Sequence) and not isinstance(value, str) and name.isdigit() and int(name) < len(value):
            value = value[int(name)]
        else:
            raise ConfigurationError(f"nothing stands at {path!r}: there is no {name!r}")
    return value


def differences(expected: Any, found: Any, where: str = "") -> Iterator[str]:
    """How `found` does not hold what is expected: mappings by name and lists item by item; `~…` is a regular expression.

    >>> list(differences({"a": [1, "~x+"]}, {"a": [1, "xx"], "b": 2}))
    []
    >>> list(differences({"a": [1]}, {"a": []}))
    ['a: expected 1 items, found 0']
    """
    if isinstance(expected, Mapping):
        if not isinstance(found, Mapping):
            yield f"{where or 'answer'}: expected {', '.join(expected)}, found {found!r}"
            return
        for name, inner in expected.items():
            path = f"{where}.{name}" if where else name
            if inner is None:
                if name in found:
                    yield f"{path}: expected to be left out, found {found[name]!r}"
            elif name not in found:
                yield f"{path}: left out"
            else:
                yield from differences(inner, found[name], path)
    elif isinstance(expected, list):
        if not isinstance(found, list) or len(expected) != len(found):
            yield f"{where}: expected {len(expected)} items, found {len(found) if isinstance(found, list) else found!r}"
            return
        for number, (one, other) in enumerate(zip(expected, found, strict=True)):
            yield from differences(one, other, f"{where}.{number}")
    elif isinstance(expected, str) and expected.startswith("~"):
        if not re.fullmatch(expected[1:], str(found)):
            yield f"{where}: expected {expected[1:]}, found {found!r}"
    elif expected != found:
        yield f"{where}: expected {expected!r}, found {found!r}"


def _said(found: re.Match[str], known: Mapping[str, Any], today: date) -> Any:
    name, days = found.group(1), int(found.group(2) or 0)
    if name == "quarter":
        year, rank = divmod(today.year * 4 + (today.month - 1) // 3 + days, 4)
        return f"{year}Q{rank + 1}"
    if name == "year":
        return today.year + days
    value = today if name == "today" else at(name, known)
    if isinstance(value, date):
        return (value + timedelta(days)).isoformat()
    return value
