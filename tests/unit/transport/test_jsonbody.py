"""The compiled shapes against jsonschema, on every schema of the rooms and on bodies wounded everywhere."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from integrator.errors import ConfigurationError
from integrator.transport.jsonbody import NotJson, Shape, ShapeError, read
from integrator.transport.shapes import written

ROOT = Path(__file__).resolve().parents[3]
PUBLISHED = ROOT.parent / "shared" / "contracts" / "div" / "files"
SCHEMAS = sorted((ROOT / "connectors").glob("*/contract/*/*.schema.json"))
WOUNDS = [None, 7, -1.5, True, "", "x" * 5000, [], [None], {}, {"code": 1}]


def example(schema: Any) -> Any:
    """Something that a schema of ours accepts, with every property it names."""
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema.get("type", "object")
    if kind == "object":
        return {name: example(child) for name, child in schema.get("properties", {}).items()}
    if kind == "array":
        return [example(schema.get("items", {}))] * max(1, schema.get("minItems", 0))
    return {"integer": 3, "number": 3, "boolean": True, "string": text(schema.get("pattern", ""))}[kind]


TEXTS = (
    "AB123",
    "12345678901",
    "1234567890",
    "2020-02-20",
    "01",
    "21009",
    "1050",
    "ABCDEFGH12345678",
    "https://databrussels.be/id/address/219307/2",
    "21809A0012/00B000P0000",  # a parcel and its part
    "612.40",
    "1.234,56",
    "15/12/2026",
    "20261215",
    "202600001711",
    "+++123/4567/89002+++",
)


def text(pattern: str) -> str:
    return next(one for one in TEXTS if re.search(pattern, one))


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, child in inner:
        yield from places(child, (*path, name))


def wounded(value: Any, path: tuple[Any, ...], wound: Any) -> Any:
    if not path:
        return wound
    whole = copy.deepcopy(value)
    inside = whole
    for name in path[:-1]:
        inside = inside[name]
    if wound is KeyError:
        del inside[path[-1]]
    else:
        inside[path[-1]] = wound
    return whole


def accepts(shape: Shape, value: Any) -> bool:
    try:
        shape.check(value)
    except ShapeError:
        return False
    return True


def names_no_wound(shape: Shape, value: Any) -> bool:
    try:
        shape._where(value)
    except ShapeError:
        return False
    return True


@pytest.mark.parametrize("path", SCHEMAS, ids=[f"{path.parents[2].name}-{path.name}" for path in SCHEMAS])
def test_shape_and_jsonschema_agree_on_every_wound(path):
    schema = json.loads(path.read_text())
    shape, oracle, whole = Shape.load(path), jsonschema.Draft202012Validator(schema), example(schema)
    fits = written(schema)

    assert oracle.is_valid(whole)
    for place in places(whole):
        for wound in [*WOUNDS, KeyError] if place else WOUNDS:
            body = wounded(whole, place, wound)
            valid = oracle.is_valid(body)
            assert [valid, valid] == [fits(body), names_no_wound(shape, body)], (place, wound)
            assert valid == accepts(shape, body), (place, wound)


@pytest.mark.parametrize("path", SCHEMAS, ids=[f"{path.parents[2].name}-{path.name}" for path in SCHEMAS])
def test_schema_is_a_schema(path):
    jsonschema.Draft202012Validator.check_schema(json.loads(path.read_text()))


@pytest.mark.shared
@pytest.mark.skipif(not PUBLISHED.is_dir(), reason="the published contracts are not beside the checkout")
@pytest.mark.parametrize(("folder", "schema"), [("registrations", "registrations"), ("registrationstitular", None)])
def test_published_answers_have_our_shape(folder, schema):
    shape = Shape.load(ROOT / f"connectors/div/contract/2026-11/{schema or 'registrationsTitular'}.schema.json")
    answers = [json.loads(path.read_text()) for path in sorted((PUBLISHED / folder).glob("*.json"))]
    if schema is None:  # the published titular holds the word "string" where a driver's number belongs
        answers[0]["items"][0]["driver"]["person"]["nationalNr"] = "85660812341"

    assert [True] * len(answers) == [accepts(shape, answer) for answer in answers]


def test_place_of_the_wound_is_told_without_its_value():
    shape = Shape({"properties": {"items": {"items": {"properties": {"plate": {"type": "string"}}}}}})

    with pytest.raises(ShapeError) as caught:
        shape.check({"items": [{"plate": 85660812341}]})

    assert "/items/[]/plate: not string" == str(caught.value)


def test_unknown_word_in_a_schema_is_refused_at_start():
    with pytest.raises(ConfigurationError, match="format"):
        Shape({"type": "string", "format": "date"})


@pytest.mark.parametrize(
    "body", [b"", b"{", b'{"a":NaN}', b'{"a":"\\ud800"}', b"\xff\xfe{}", b"\xef\xbb\xbf{}", b"[" * 5000, b'{"a":1}x']
)
def test_bytes_that_are_no_json_are_refused(body):
    with pytest.raises(NotJson):
        read(body)


def test_refusal_does_not_quote_the_answer():
    with pytest.raises(NotJson) as caught:
        read(b'{"ssin": 85660812341')

    assert "85660812341" not in repr(caught.value) + repr(caught.value.__cause__)
