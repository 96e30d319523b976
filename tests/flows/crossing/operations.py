"""Every operation that the hub describes, and the requests that try what is another's in it, made from the description."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.flows.crossing.bodies import ACTS, BODIES, STEPS
from tests.flows.crossing.names import PLAIN, object_of

NOTHING = "nothing"  # kind of what an operation is tried with that names no object
DOCUMENTS = ("/openapi.json", "/audit/v1/openapi.json", "/policy/v1/openapi.json")


@dataclass(frozen=True, slots=True)
class Operation:
    """One method at one address. `properties`: dotted name in the body -> schema; `parameters` as described."""

    document: str
    method: str
    path: str
    parameters: tuple[Mapping[str, Any], ...]
    properties: Mapping[str, Mapping[str, Any]]
    required: frozenset[str]  # dotted names
    form: bool
    service: str | None

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    def names(self) -> list[str]:
        """Every name whose value a caller chooses; parts of an object stand for it."""
        return [one["name"] for one in self.parameters] + [dotted.rpartition(".")[2] for dotted in self.properties]

    def unclassified(self) -> list[str]:
        return [name for name in self.names() if not _known(self.path, name)]


@dataclass(frozen=True, slots=True)
class Attempt:
    """A request in which `$kind` stands where the object is named, as `$shard` does for what is not tried."""

    operation: Operation
    kind: str
    path: Mapping[str, str]
    query: Mapping[str, Any]
    headers: Mapping[str, str]
    body: Any
    note: str = field(default="")

    def __str__(self) -> str:
        return f"{self.operation} with {self.kind}{self.note and ' ' + self.note}"


def read(hub: str) -> list[Operation]:
    """Of all documents that the hub serves."""
    found = []
    for address in DOCUMENTS:
        document = httpx.get(hub + address, trust_env=False, timeout=60.0).raise_for_status().json()
        for path, methods in document["paths"].items():
            found += [_operation(document, address, path, method, one) for method, one in methods.items()]
    return found


def attempts(operation: Operation) -> Iterator[Attempt]:
    """One for each property that names an object; where none does, the operation as it is: lists tell much to who asks nothing."""
    found = list(_naming(operation))
    yield from found or [_attempt(operation, NOTHING, {}, _body(operation, {}))]


def _naming(operation: Operation) -> Iterator[Attempt]:
    """Written ones where a description cannot say what makes sense."""
    if operation.path in ACTS:
        for act, body in ACTS[operation.path].items():
            [kind] = _placeholders(body)
            yield Attempt(operation, kind, {"act": act}, {}, {}, body, act)
        return
    written = BODIES.get(str(operation))
    in_body = not any(object_of(operation.path, one["name"]) for one in operation.parameters if one.get("required"))
    for one in operation.parameters:
        kind = object_of(operation.path, one["name"])
        if kind is not None:
            for note, steps, body in _ways(operation, written):
                yield _attempt(operation, kind, {one["name"]: f"${kind}"} | steps, body, note)
    if written is not None:
        for body in written:
            for kind in _placeholders(body) or [NOTHING] * in_body:
                yield _attempt(operation, kind, {}, body)
        return
    for dotted in operation.properties:
        kind = object_of(operation.path, dotted.rpartition(".")[2])
        if kind is not None:
            yield _attempt(operation, kind, {}, _body(operation, {dotted: f"${kind}"}))


def _ways(operation: Operation, written: Any) -> Iterator[tuple[str, dict[str, str], Any]]:
    """Each step that an address may end with, and the body that goes with it."""
    if operation.path in STEPS:
        for step, body in STEPS[operation.path].items():
            name = operation.path.rpartition("{")[2].rstrip("}")
            yield step, {name: step}, body
    else:
        yield "", {}, written[0] if written else _body(operation, {})


def _attempt(operation: Operation, kind: str, chosen: Mapping[str, str], body: Any, note: str = "") -> Attempt:
    places: dict[str, dict[str, Any]] = {"path": {}, "query": {}, "header": {}}
    for one in operation.parameters:
        name, required = one["name"], one.get("required", False)
        own = object_of(operation.path, name)
        if name in chosen:
            places[one["in"]][name] = chosen[name]
        elif required and own is not None:
            places[one["in"]][name] = f"$own:{own}"
        elif required:
            places[one["in"]][name] = str(
                _plain(name, {**one["schema"], **({"example": one["example"]} if "example" in one else {})})
            )
    return Attempt(operation, kind, places["path"], places["query"], places["header"], body, note)


def _body(operation: Operation, chosen: Mapping[str, Any]) -> Any:
    """What is required and what is chosen; None where the operation takes no body."""
    if not operation.properties and operation.method == "GET":
        return None
    made: dict[str, Any] = {}
    beside = {dotted.rpartition(".")[0] for dotted in chosen} - {""}
    for dotted, schema in operation.properties.items():
        name = dotted.rpartition(".")[2]
        needed = dotted in operation.required or dotted.rpartition(".")[0] in beside
        if dotted in chosen:
            _put(made, dotted, chosen[dotted])
        elif needed or name == "reason":
            own = object_of(operation.path, name)
            value = f"$own:{own}" if own is not None else _plain(name, schema)
            if value is not None:
                _put(made, dotted, value)
    return made


def _plain(name: str, schema: Mapping[str, Any]) -> Any:
    value = PLAIN.get(name, ...)
    if value is not ... and value != "":
        return value
    for word in ("examples", "enum"):
        if word in schema:
            return schema[word][0]
    if "example" in schema or "default" in schema:
        return schema.get("example", schema.get("default"))
    kind = schema.get("type")
    if kind == "array":
        return [_plain("", schema.get("items") or {})]
    return {"integer": 1, "boolean": False, "object": {}}.get(str(kind), value if value == "" else "x")


def _put(body: dict[str, Any], dotted: str, value: Any) -> None:
    *outer, last = dotted.split(".")
    for name in outer:
        body = body.setdefault(name[:-2], [{}])[0] if name.endswith("[]") else body.setdefault(name, {})
    body[last] = value


def _placeholders(body: Any) -> list[str]:
    """Kinds that a written body names, in order."""
    text = str(body)
    return list(
        dict.fromkeys(
            part.split("'")[0].split('"')[0].split("/")[0]
            for part in text.split("$")[1:]
            if not part.startswith(("own:", "shard"))
        )
    )


def _known(path: str, name: str) -> bool:
    try:
        object_of(path, name)
    except KeyError:
        return False
    return True


# --- from the document ------------------------------------------------------------------------------------------------


def _operation(document: Any, address: str, path: str, method: str, one: Any) -> Operation:
    content = _resolved(document, one.get("requestBody") or {}).get("content") or {}
    properties: dict[str, Any] = {}
    required: set[str] = set()
    for media in content.values():
        _leaves(document, media["schema"], "", True, properties, required)
    parameters = tuple(_resolved(document, each) for each in one.get("parameters", ()))
    form = "application/x-www-form-urlencoded" in content
    return Operation(
        address, method.upper(), path, parameters, properties, frozenset(required), form, one.get("x-service")
    )


def _leaves(document: Any, schema: Any, before: str, needed: bool, found: dict[str, Any], required: set[str]) -> None:
    schema = _resolved(document, schema)
    either = next(iter(schema.get("oneOf") or schema.get("anyOf") or ()), {})
    must = {*schema.get("required", ()), *either.get("required", ())}
    for each in (*schema.get("allOf", ()), *schema.get("oneOf", ()), *schema.get("anyOf", ())):
        _leaves(document, each, before, needed, found, required)
    for name, inner in schema.get("properties", {}).items():
        inner, whole = _resolved(document, inner), needed and name in must
        parts = inner.get("items") if inner.get("type") == "array" else inner
        parts = _resolved(document, parts or {})
        if parts.get("properties") or parts.get("oneOf"):
            _leaves(
                document,
                parts,
                f"{before}{name}{'[]' if inner.get('type') == 'array' else ''}.",
                whole,
                found,
                required,
            )
            continue
        found[before + name] = inner
        if whole:
            required.add(before + name)


def _resolved(document: Any, schema: Any) -> Any:
    while "$ref" in schema:
        found = document
        for part in schema["$ref"].split("/")[1:]:
            found = found[part]
        schema = found
    return schema
