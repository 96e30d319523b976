"""JSON answers of a source: read strictly, and held against a schema of ours before anything is taken out of them.

`Shape` compiles the small part of JSON Schema that our own schemas use, twice: into one flat function that says yes or no
(`shapes`), and into nested ones that say where a value is wrong. A test holds both against the jsonschema library on
every case. It says nothing about properties it does not name: a source may add what it likes, it is never read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import orjson

from integrator.errors import ConfigurationError
from integrator.transport.shapes import written

Check = Callable[[Any], None]
_TYPES: Final[dict[str, tuple[type, ...]]] = {
    "object": (dict,), "array": (list,), "string": (str,), "boolean": (bool,), "integer": (int,),
    "number": (int, float), "null": (type(None),),
}  # fmt: skip
_SILENT: Final = frozenset({"$schema", "$id", "title", "description", "$comment", "examples"})


class NotJson(ValueError):
    """The bytes are no JSON. Never holds a part of them."""


class ShapeError(ValueError):
    """An answer does not have the shape agreed; `where` names the place by property names, never a value."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what, self.path = what, [""]

    def inside(self, name: str) -> ShapeError:
        self.path.insert(1, name)
        self.args = (f"{'/'.join(self.path)}: {self.what}",)
        return self


def read(body: bytes) -> Any:
    """Decode; refuses what is not UTF-8, NaN, lone surrogates and nesting beyond 1 024 levels.

    >>> read(b'{"a": NaN}')
    Traceback (most recent call last):
    integrator.transport.jsonbody.NotJson: not JSON
    """
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:  # its own text may quote the answer
        raise NotJson("not JSON") from None


class Shape:
    """A compiled schema; `check(value)` raises `ShapeError`.

    >>> Shape({"type": "object", "required": ["items"]}).check({})
    Traceback (most recent call last):
    integrator.transport.jsonbody.ShapeError: items is missing
    """

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self.schema = schema
        self._where = _compile(schema)
        self._fits = written(schema)

    def check(self, value: Any) -> None:
        """Raise `ShapeError` when the value does not fit."""
        if not self._fits(value):
            self._where(value)
            raise ShapeError("not of the shape agreed")  # the two compilers disagree: refused all the same

    @classmethod
    def load(cls, path: Path) -> Shape:
        """From a file of a room's contract folder. Raises `ConfigurationError` for a word it does not know."""
        try:
            return cls(orjson.loads(path.read_bytes()))
        except (orjson.JSONDecodeError, KeyError, TypeError) as error:
            raise ConfigurationError(f"{path.name}: {error}") from error


def _compile(schema: Mapping[str, Any]) -> Check:
    unknown = set(schema) - _SILENT - {word for _, words in _MAKERS for word in words}
    if unknown:
        raise ConfigurationError(f"schema: {', '.join(sorted(unknown))} is not a word that Shape understands")
    checks = [make(schema) for make, words in _MAKERS if words & set(schema)]
    if not checks:
        return lambda value: None
    if len(checks) == 1:
        return checks[0]

    def check(value: Any) -> None:
        for one in checks:
            one(value)

    return check


def _type(schema: Mapping[str, Any]) -> Check:
    named = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    allowed = frozenset(kind for name in named for kind in _TYPES[name])
    words = " or ".join(named)

    def check(value: Any) -> None:
        if type(value) not in allowed:
            raise ShapeError(f"not {words}")

    return check


def _properties(schema: Mapping[str, Any]) -> Check:
    required = tuple(schema.get("required", ()))
    inner = tuple((name, _compile(child)) for name, child in schema.get("properties", {}).items())

    def check(value: Any) -> None:
        if type(value) is not dict:
            return
        for name in required:
            if name not in value:
                raise ShapeError(f"{name} is missing")
        name = ""
        try:
            for name, one in inner:
                if name in value:
                    one(value[name])
        except ShapeError as error:
            raise error.inside(name)  # noqa: B904 (the same error, told where)

    return check


def _items(schema: Mapping[str, Any]) -> Check:
    one = _compile(schema.get("items", {}))
    least, most = schema.get("minItems", 0), schema.get("maxItems", float("inf"))

    def check(value: Any) -> None:
        if type(value) is not list:
            return
        if not least <= len(value) <= most:
            raise ShapeError(f"between {least} and {most} items")
        try:
            for item in value:
                one(item)
        except ShapeError as error:
            raise error.inside("[]")  # noqa: B904

    return check


def _text(schema: Mapping[str, Any]) -> Check:
    least, most = schema.get("minLength", 0), schema.get("maxLength", float("inf"))
    found = re.compile(schema.get("pattern", ""), re.ASCII).search

    def check(value: Any) -> None:
        if type(value) is str and not (least <= len(value) <= most and found(value)):
            raise ShapeError("not a text of that form")

    return check


def _enum(schema: Mapping[str, Any]) -> Check:
    allowed = tuple(schema["enum"])

    def check(value: Any) -> None:
        if not any(type(value) is type(one) and value == one for one in allowed):
            raise ShapeError("not one of the values agreed")

    return check


def _any_of(schema: Mapping[str, Any]) -> Check:
    ways = [_compile(way) for way in schema["anyOf"]]

    def check(value: Any) -> None:
        for way in ways:
            try:
                return way(value)
            except ShapeError:
                continue
        raise ShapeError("none of the forms agreed")

    return check


_MAKERS: Final[tuple[tuple[Callable[[Mapping[str, Any]], Check], frozenset[str]], ...]] = (
    (_type, frozenset({"type"})),
    (_properties, frozenset({"properties", "required"})),
    (_items, frozenset({"items", "minItems", "maxItems"})),
    (_text, frozenset({"pattern", "minLength", "maxLength"})),
    (_enum, frozenset({"enum"})),
    (_any_of, frozenset({"anyOf"})),
)
