"""The bytes of an entry: canonical for everybody, or refused."""

from __future__ import annotations

import json
from typing import Any
from unicodedata import normalize

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from audit.canonical import b64url, canonical, leaf_hash
from audit.errors import EntryRefused

_TEXT = st.text(st.characters(exclude_categories=["Cs"])).map(lambda text: normalize("NFC", text))
_KEYS = st.text(st.characters(max_codepoint=127))
_SCALARS = st.one_of(_TEXT, st.booleans(), st.integers(-(2**53) + 1, 2**53 - 1))
_VALUES = st.recursive(_SCALARS, lambda inner: st.lists(inner) | st.dictionaries(_KEYS, inner), max_leaves=20)


@given(st.dictionaries(_KEYS, _VALUES))
def test_bytes_are_those_of_rfc_8785(value: dict[str, Any]) -> None:
    assert rfc8785.dumps(value) == canonical(value)


@given(st.dictionaries(_KEYS, _VALUES))
def test_bytes_are_those_of_the_standard_library_with_sorted_keys(value: dict[str, Any]) -> None:
    written = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)

    assert written.encode() == canonical(value)


@given(st.dictionaries(_KEYS, _VALUES))
def test_reading_gives_back_what_was_written(value: dict[str, Any]) -> None:
    assert value == json.loads(canonical(value))


_WOUNDS = {
    "float": ({"a": {"b": 1.5}}, "a.b: a float"),
    "float_without_fraction": ({"a": 2.0}, "a: a float"),
    "float_in_list_after_integer": ({"a": [1, 2e300]}, "a.1: a float"),
    "float_below_one": ({"a": -1e-9}, "a: a float"),
    "nan": ({"a": float("nan")}, "a: a float"),
    "infinity": ({"a": float("inf")}, "a: a float"),
    "null": ({"a": [None]}, "a.0: null"),
    "integer_above_2_53": ({"a": 2**53}, "an integer"),
    "integer_below_minus_2_53": ({"a": -(2**53)}, "an integer"),
    "decomposed_text": ({"a": "e\u0301"}, "a: text must be in Unicode form NFC"),
    "lone_surrogate": ({"a": ["\ud800"]}, "a.0: a lone surrogate"),
    "key_not_ascii": ({"a": {"é": 1}}, "a: a key that is not ASCII"),
    "key_not_text": ({"a": {1: 1}}, "a: a key that is not ASCII"),
    "bytes": ({"a": b"x"}, "a: not one of"),
    "text_of_a_subclass": ({"a": type("Name", (str,), {})("x")}, "a: not one of"),
}


@pytest.mark.parametrize("wound", list(_WOUNDS))
def test_outside_the_subset_is_refused_and_the_place_named(wound: str) -> None:
    value, message = _WOUNDS[wound]
    with pytest.raises(EntryRefused) as refusal:
        canonical(value)

    assert str(refusal.value).startswith(message)


def test_a_value_that_contains_itself_is_refused() -> None:
    endless: list[Any] = []
    endless.append(endless)

    with pytest.raises(EntryRefused, match="nested"):
        canonical(endless)


def test_a_refusal_never_repeats_the_value() -> None:
    with pytest.raises(EntryRefused) as refusal:
        canonical({"name": ["Ame\u0301lie"], "number": 1.5})

    assert "lie" not in str(refusal.value)


def test_text_that_only_looks_like_null_or_a_float_is_text() -> None:
    assert b'{"a":"null","b":":1.5","c":"[2e5"}' == canonical({"a": "null", "b": ":1.5", "c": "[2e5"})


def test_leaf_hash_is_that_of_rfc_6962() -> None:
    # The hash of the empty leaf, as in the test vectors of Certificate Transparency.
    assert "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d" == leaf_hash(b"").hex()


def test_base64url_has_no_padding_and_is_safe_in_urls() -> None:
    assert b"--__-w" == b64url(bytes([0xFB, 0xEF, 0xFF, 0xFB]))
