"""What `where` reads of an element, held against the names of the parts. Pure.

Inside `where` the name of a part comes before a field of the element (integrator.scope): where both are there, the rule reads
the part, compiles, and answers about something else. Nothing tells the two apart at run time, so such a service is refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from integrator.services import Service

Place = tuple[str | int, ...]
Said = tuple[str, Place]  # what is wrong, where in the service's file
Names = frozenset[str]  # dotted, of what an element may hold


def of_composition(data: Mapping[str, Any], service: Service, services: Mapping[str, Service]) -> Iterator[Said]:
    """Operands in a `where` that mean a part and a field of the element. `data`: the service's file, as read."""
    reader = _Reader(service, services)
    for name, part in (data.get("parts") or {}).items():
        yield from ((said, ("parts", name, "when")) for said in reader.hidden(part.get("when")))
    for number, check in enumerate(data.get("checks", ())):
        place = ("checks", number)
        yield from ((said, (*place, "when")) for said in reader.hidden(check.get("when")))
        for position, need in enumerate(check.get("needs", ())):
            yield from ((said, (*place, "needs", position, "rule")) for said in reader.hidden(need["rule"]))
        yield from ((said, (*place, "rule")) for said in reader.hidden(check["rule"]))


class _Reader:
    """Reads the rules of one composition. A rule was compiled before: its words and operands are known."""

    def __init__(self, service: Service, services: Mapping[str, Service]) -> None:
        self._service = service
        self._parts = {part.name: services[part.service] for part in service.parts}

    def hidden(self, spec: Mapping[str, Any] | None, element: Names | None = None, listed: str = "") -> Iterator[str]:
        """`element`: what the element looked at may hold, of the list `listed`; None outside of every `where`."""
        if spec is None:
            return
        word, said = next(iter(spec.items()))
        if word in ("all", "any", "not"):
            for one in [said] if word == "not" else said:
                yield from self.hidden(one, element, listed)
            return
        if word in ("some", "count"):
            inner = said["in" if word == "some" else "of"]
            yield from self.hidden(said.get("where"), self._element(inner, element), inner)
        if element is not None:
            for operand in _operands(word, said):
                yield from self._hidden(operand, element, listed)

    def _hidden(self, operand: Any, element: Names, listed: str) -> Iterator[str]:
        if not isinstance(operand, str) or operand.startswith("$"):
            return
        head = operand.split(".")[0]
        if head in self._parts and (head == "item" or head in {name.split(".")[0] for name in element}):
            what = "the element itself" if head == "item" else f"its field {head}"
            yield f"`where` over {listed}: {operand} reads the part {head} and hides {what}; give the part another name"

    def _element(self, listed: str, outer: Names | None) -> Names:
        """What an element of a list may hold, as far as data of ours say so."""
        head, *path = [name for name in listed.removeprefix("$").split(".") if not name.isdigit()]
        if listed.startswith("$parameters."):
            return _below(frozenset(_named(self._service.parameters)), path)
        if listed.startswith("$"):
            key = self._service.keys.get(head)
            return _below(frozenset(_described(key.schema)), path) if key is not None else frozenset()
        if head in self._parts:
            asked = self._parts[head]
            offers = asked.offers if asked.list_name is None else {f"{asked.list_name}.{name}" for name in asked.offers}
            return _below(frozenset(offers), path)
        return _below(outer or frozenset(), path if head == "item" else [head, *path])


def _operands(word: str, said: Any) -> list[Any]:
    if word in ("some", "count"):
        return [value for name, value in said.items() if name != "where"]
    if word == "oneOf":
        return [said[0]]  # the others are choices: literals, or $parameters
    return said if isinstance(said, list) else [said]


def _below(names: Names, path: list[str]) -> Names:
    prefix = "".join(f"{name}." for name in path)
    return frozenset(name.removeprefix(prefix) for name in names if name.startswith(prefix))


def _named(value: Any) -> Iterator[str]:
    """Dotted names inside a value of YAML, through its lists."""
    for one in value if isinstance(value, list) else [value]:
        for name, inner in one.items() if isinstance(one, Mapping) else ():
            yield from (str(name), *(f"{name}.{below}" for below in _named(inner)))


def _described(schema: Mapping[str, Any]) -> Iterator[str]:
    """Dotted names inside what a JSON schema describes, through its arrays."""
    for name, inner in schema.get("items", schema).get("properties", {}).items():
        yield from (name, *(f"{name}.{below}" for below in _described(inner)))
