"""The fast strict reader against the slow one: whatever the text, both accept or both refuse, and read the same."""

from __future__ import annotations

import json
import math
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from integrator.strict_json import NotStrict, loads

KEYS = st.sampled_from(["a", "b", "a:", '"', "\\", "é", ":", '":"', "a\n"]) | st.text(max_size=3)
LEAVES = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8)


def objects(values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """JSON objects as text, in which a key may well stand twice."""
    pairs = st.lists(st.tuples(KEYS, values, st.sampled_from([":", " : ", ":\n"])), max_size=4)
    return pairs.map(lambda found: "{" + ",".join(json.dumps(key) + colon + value for key, value, colon in found) + "}")


TEXTS = objects(
    st.recursive(LEAVES.map(json.dumps), lambda inner: objects(inner) | st.lists(inner, max_size=3).map(lambda items: "[" + ",".join(items) + "]"))
)


class Twice(ValueError):
    pass


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) != len(pairs):
        raise Twice
    return dict(pairs)


def reference(text: bytes) -> Any:
    """The standard library, told to refuse what we refuse; None = refused."""
    try:
        return json.loads(text.decode("utf-8"), object_pairs_hook=_unique)
    except (Twice, ValueError):
        return None


@given(TEXTS)
def test_objects_are_read_as_the_standard_library_reads_them_and_duplicates_never_pass(text: str) -> None:
    data = text.encode("utf-8", "surrogatepass")
    expected = reference(data)
    try:
        found = loads(data, depth=100)
    except NotStrict:
        found = None
    if expected is not None and _holds_surrogate(expected):
        expected = None

    assert expected == found


def _holds_surrogate(value: Any) -> bool:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return True
    return False


@given(st.binary(max_size=60))
def test_any_bytes_are_an_object_or_refused_and_nothing_else_happens(data: bytes) -> None:
    try:
        found = loads(data)
    except NotStrict as error:
        assert error.__cause__ is None
    else:
        assert isinstance(found, dict)
        assert all(math.isfinite(value) for value in found.values() if isinstance(value, float))
