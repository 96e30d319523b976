"""The small part of JSON Schema that `jsonbody.Shape` understands, written out as one Python function.

Nested checks say where a value is wrong, and cost a call for every text in it. Nearly every answer is right: a flat
function says only yes or no, at a quarter of the price, and the nested ones are asked when it says no. Tests hold the
two, and the jsonschema library, against each other. Schemas are files of our own rooms; nothing of an answer is run.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

Fits = Callable[[Any], bool]
_TYPES: Final = {
    "object": "dict", "array": "list", "string": "str", "boolean": "bool", "integer": "int", "null": "NoneType",
}  # fmt: skip
_ABSENT: Final = object()


def written(schema: Mapping[str, Any]) -> Fits:
    """A function that says whether a value, as JSON is read, fits the schema. Raises KeyError for an unknown type.

    >>> fits = written({"required": ["a"], "properties": {"a": {"type": "string", "pattern": "^x"}}})
    >>> fits({"a": "xy"}), fits({"a": "y"}), fits({}), fits("no object, so nothing is asked of it")
    (True, False, False, True)
    """
    return _Writer().function(schema)


class _Writer:
    def __init__(self) -> None:
        self._names: dict[str, Any] = {"ABSENT": _ABSENT, "NoneType": type(None)}
        self._lines: list[str] = []
        self._count = 0

    def function(self, schema: Mapping[str, Any]) -> Fits:
        self._lines = ["def fits(v0):"]
        self._value(schema, "v0", 1)
        self._say(1, "return True")
        exec("\n".join(self._lines), self._names)  # noqa: S102 (made of our own schema; texts go in by name or repr)
        fits: Fits = self._names["fits"]
        return fits

    def _say(self, depth: int, line: str) -> None:
        self._lines.append("    " * depth + line)

    def _name(self, value: Any) -> str:
        self._count += 1
        self._names[f"c{self._count}"] = value
        return f"c{self._count}"

    def _variable(self) -> str:
        self._count += 1
        return f"v{self._count}"

    def _value(self, schema: Mapping[str, Any], value: str, depth: int) -> None:
        before = len(self._lines)
        known = self._type(schema, value, depth)
        self._object(schema, value, depth, known)
        self._array(schema, value, depth, known)
        self._text(schema, value, depth, known)
        if "enum" in schema:
            allowed = self._name(frozenset((type(one), one) for one in schema["enum"]))
            kinds = self._name(
                frozenset(type(one) for one in schema["enum"])
            )  # texts and numbers: all can be looked up
            self._say(
                depth, f"if type({value}) not in {kinds} or (type({value}), {value}) not in {allowed}: return False"
            )
        if "anyOf" in schema:
            ways = [self._name(written(way)) for way in schema["anyOf"]]
            self._say(depth, f"if not ({' or '.join(f'{way}({value})' for way in ways)}): return False")
        if len(self._lines) == before:
            self._say(depth, "pass")

    def _type(self, schema: Mapping[str, Any], value: str, depth: int) -> str | None:
        """What the value's type is from here on, where the schema leaves no choice."""
        if "type" not in schema:
            return None
        named = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        kinds = [kind for name in named for kind in (("int", "float") if name == "number" else (_TYPES[name],))]
        wrong = " and ".join(f"type({value}) is not {kind}" for kind in kinds)
        self._say(depth, f"if {wrong}: return False")
        return kinds[0] if len(kinds) == 1 else None

    def _where(self, kind: str, value: str, depth: int, known: str | None) -> int:
        if known == kind:
            return depth
        self._say(depth, f"if type({value}) is {kind}:")
        return depth + 1

    def _object(self, schema: Mapping[str, Any], value: str, depth: int, known: str | None) -> None:
        required, properties = schema.get("required", ()), schema.get("properties", {})
        if not (required or properties) or known not in (None, "dict"):
            return
        depth = self._where("dict", value, depth, known)
        for name in required:
            self._say(depth, f"if {name!r} not in {value}: return False")
        for name, child in properties.items():
            inner = self._variable()
            self._say(depth, f"{inner} = {value}.get({name!r}, ABSENT)")
            self._say(depth, f"if {inner} is not ABSENT:")
            self._value(child, inner, depth + 1)

    def _array(self, schema: Mapping[str, Any], value: str, depth: int, known: str | None) -> None:
        if not {"items", "minItems", "maxItems"} & schema.keys() or known not in (None, "list"):
            return
        depth = self._where("list", value, depth, known)
        self._size(schema.get("minItems"), schema.get("maxItems"), value, depth)
        inner = self._variable()
        self._say(depth, f"for {inner} in {value}:")
        self._value(schema.get("items", {}), inner, depth + 1)

    def _text(self, schema: Mapping[str, Any], value: str, depth: int, known: str | None) -> None:
        if not {"pattern", "minLength", "maxLength"} & schema.keys() or known not in (None, "str"):
            return
        depth = self._where("str", value, depth, known)
        self._size(schema.get("minLength"), schema.get("maxLength"), value, depth)
        if "pattern" in schema:
            found = self._name(re.compile(schema["pattern"], re.ASCII).search)
            self._say(depth, f"if {found}({value}) is None: return False")

    def _size(self, least: int | None, most: int | None, value: str, depth: int) -> None:
        if least:
            self._say(depth, f"if len({value}) < {int(least)}: return False")
        if most is not None:
            self._say(depth, f"if len({value}) > {int(most)}: return False")
        if not least and most is None:
            self._say(depth, "pass")
