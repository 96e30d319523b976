"""The routes of the consoles that are no questions, described for OpenAPI from describing.yaml."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from integrator.places import read_yaml

Json = dict[str, Any]
_PARAMETER = re.compile(r"\{(\w+)\}")
_FILES = {"readPaper": "application/octet-stream", "export": "text/plain"}


def paths(problem: Mapping[str, Any]) -> Json:
    """Every path with its methods. `problem`: the response that says what is wrong."""
    found: dict[str, Json] = {}
    for tag, rows in read_yaml(Path(__file__).with_suffix(".yaml")).items():
        for method, path, name, what, body in rows:
            found.setdefault(path, {})[method] = _operation(tag, method, path, name, what, body, problem)
    return found


def _operation(tag: str, method: str, path: str, name: str, what: str, body: str, problem: Mapping[str, Any]) -> Json:
    kind = _FILES.get(name, "application/json")
    answer = {
        "description": "The answer.",
        "content": {kind: {"schema": {"type": "object"} if kind == "application/json" else {}}},
    }
    operation: Json = {
        "operationId": name, "summary": what[0].upper() + what[1:], "tags": [tag],
        "responses": {"200": answer, **dict.fromkeys(("400", "401", "403", "404", "503"), problem)},
    }  # fmt: skip
    if names := _PARAMETER.findall(path):
        operation["parameters"] = [
            {
                "name": one,
                "in": "path",
                "required": True,
                "schema": {"type": "string", "pattern": "^[A-Za-z0-9_.-]{1,64}$"},
            }
            for one in names
        ]
    if body and method == "get":
        asked = [{"name": one, "in": "query", "schema": schema} for one, (schema, _) in _properties(body)]
        operation["parameters"] = [*operation.get("parameters", ()), *asked]
    elif body:
        properties = dict(_properties(body))
        needed = [name for name, (_, must) in properties.items() if must]
        schema: Json = {
            "type": "object", "additionalProperties": False, "properties": {name: one for name, (one, _) in properties.items()},
        }  # fmt: skip
        operation["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": schema | ({"required": needed} if needed else {})}},
        }
    return operation


def _properties(body: str) -> Iterator[tuple[str, tuple[Json, bool]]]:
    for word in body.split():
        name, _, kind = word.rstrip("!").partition(":")
        schema = {"type": "array", "items": {}} if kind == "list" else {"type": kind or "string"}
        yield name, (schema, word.endswith("!"))
