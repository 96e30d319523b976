"""JSON as a stranger may send it: one meaning only, or refused. Used for bodies, token requests and signed claims.

Refused: bytes that are not UTF-8, a byte order mark, duplicate keys (two readers would see two documents), NaN and
Infinity, numbers too large for a double, lone surrogates, nesting deeper than `depth`, a top level that is no object.
"""

from __future__ import annotations

import json
from typing import Any

import orjson

DEPTH = 16


class NotStrict(ValueError):
    """The text is not JSON that can be read in one way only. The words never hold a part of the text."""


def loads(data: bytes, *, depth: int = DEPTH) -> dict[str, Any]:
    """One JSON object. Raises `NotStrict`.

    >>> loads(b'{"a": [1, true]}')
    {'a': [1, True]}
    >>> loads(b'{"a": 1, "a": 2}')
    Traceback (most recent call last):
    ...
    integrator.strict_json.NotStrict: a property stands twice in one object
    """
    try:
        value = orjson.loads(data)  # refuses bad UTF-8, BOM, NaN, 1e400 and lone surrogates; stops at 1 024 levels
    except orjson.JSONDecodeError:
        raise NotStrict(_why(data)) from None  # its own words may quote the text
    if type(value) is not dict:
        raise NotStrict("the top level must be a JSON object")
    # Every property has a colon. As many colons as properties kept = none was swallowed as a duplicate; more colons
    # (a text holds one, or a duplicate) = look with the slow reader. 3 µs instead of 6 for an ordinary body.
    if data.count(b":") != _properties(value, depth):
        _refuse_duplicates(data)
    return value


def _properties(value: Any, depth: int) -> int:
    """Properties in all, at every level. Raises `NotStrict` below `depth`."""
    if depth == 0:
        raise NotStrict("nested too deep")
    if type(value) is dict:
        count = len(value)
        inner = value.values()
    else:
        count = 0
        inner = value
    for item in inner:
        kind = type(item)
        if kind is dict or kind is list:
            count += _properties(item, depth - 1)
    return count


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise NotStrict("a property stands twice in one object")
    return found


_DUPLICATES = json.JSONDecoder(object_pairs_hook=_unique)


def _refuse_duplicates(data: bytes) -> None:
    _DUPLICATES.decode(data.decode())


def _why(data: bytes) -> str:
    """Words that help without quoting."""
    if data[:3] == b"\xef\xbb\xbf":
        return "send UTF-8 without a byte order mark"
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return "send UTF-8"
    return "this is not JSON (RFC 8259); NaN, Infinity, lone surrogates and numbers beyond a double do not exist in it"
