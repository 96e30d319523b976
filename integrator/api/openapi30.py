"""OpenAPI 3.1 as 3.0.3, for the tools (belgif's validator, code generators) that read no other. Ours only: no nulls."""

from __future__ import annotations

from typing import Any

_SCHEMA_WORDS = frozenset({"type", "properties", "items", "enum", "const", "pattern", "allOf", "oneOf", "anyOf"})


def downgrade(document: dict[str, Any]) -> dict[str, Any]:
    """The same description in 3.0.3; the input is not changed.

    >>> downgrade({"openapi": "3.1.0", "info": {"title": "t", "summary": "s"}, "x": {"type": "string", "examples": ["a"]}})
    {'openapi': '3.0.3', 'info': {'title': 't'}, 'x': {'type': 'string', 'example': 'a'}}
    """
    older = _convert(document)
    older["openapi"] = "3.0.3"
    older["info"].pop("summary", None)  # info.summary came with 3.1
    return older  # type: ignore[no-any-return]


def _convert(value: Any) -> Any:
    if isinstance(value, list):
        return [_convert(item) for item in value]
    if not isinstance(value, dict):
        return value
    if "$ref" in value:
        return {"$ref": value["$ref"]}  # 3.0: nothing may stand beside a reference
    older = {name: _convert(inner) for name, inner in value.items()}
    if isinstance(value.get("examples"), list) and _SCHEMA_WORDS & value.keys():
        older["example"] = older.pop("examples")[0]
    if "const" in older:
        older["enum"] = [older.pop("const")]
    if isinstance(value.get("type"), list):
        raise ValueError("a type of several kinds cannot be said in OpenAPI 3.0: write oneOf")
    return older
