"""What a rule may see: the request's keys, the service's parameters, today, and the answers of the parts.

    operand  = $key | $parameters.x | $today | $thisYear | part.path.0.to.value | {value: literal}
               inside `where`: a field of the element looked at, or `item` for the whole of it

A path through a list gives the list of what is found there. A part that failed is unknown, whatever is asked of it, and
so is a field that was withheld: only what is really absent is absent. The name of a part comes before a field of the element
that is called the same: `integrator check` refuses such a rule (integrator.checks_where).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from integrator.errors import ConfigurationError


class Unknown(Exception):
    """An operand rests on a part that gave no answer."""


@dataclass(frozen=True, slots=True)
class PartAnswer:
    """What a rule may see of a part: its values, or why there are none."""

    values: Mapping[str, Any] = field(default_factory=dict)
    state: str = "found"  # found | notFound | failed | incomplete
    withheld: tuple[str, ...] = ()  # dotted names that exist perhaps, but were not given to us


@dataclass(frozen=True, slots=True)
class Scope:
    """Everything a rule can name."""

    keys: Mapping[str, Any]
    parameters: Mapping[str, Any]
    today: str  # ISO date
    parts: Mapping[str, PartAnswer]
    item: Mapping[str, Any] | None = None  # inside some/count: the element looked at


Operand = Callable[[Scope], Any]


def operand(written: Any) -> Operand:
    """One operand, see the module's grammar."""
    if isinstance(written, dict):
        literal = written["value"]
        return lambda scope: literal
    if not isinstance(written, str):
        return lambda scope: written
    if written == "$today":
        return lambda scope: scope.today
    if written == "$thisYear":
        return lambda scope: int(scope.today[:4])
    head, *rest = written.removeprefix("$").split(".")
    if written.startswith("$parameters."):
        return lambda scope: _walk(scope.parameters, rest)
    if written.startswith("$"):
        return lambda scope: _walk(scope.keys.get(head), rest)

    def read(scope: Scope) -> Any:
        if scope.item is not None and head not in scope.parts:
            return _walk(scope.item, rest if head == "item" else [head, *rest])
        part = scope.parts.get(head)
        if part is None:
            raise ConfigurationError(f"a rule names {head!r}, which is no part of this composition")
        if part.state == "failed" or (part.withheld and _overlaps(rest, part.withheld)):
            raise Unknown
        return _walk(part.values, rest)

    return read


def operands_of(spec: Any) -> frozenset[str]:
    """The first name of every operand a rule (or binding) may look at: which parts it needs.

    >>> sorted(operands_of({"all": [{"absent": "person.deathDate"}, {"equal": ["ssin", "$ssin"]}]}))
    ['person', 'ssin']
    """
    if isinstance(spec, str):
        return frozenset() if spec.startswith("$") else frozenset({spec.split(".")[0]})
    if isinstance(spec, Mapping):
        return frozenset().union(*(operands_of(value) for name, value in spec.items() if name != "value"))
    return frozenset().union(*(operands_of(value) for value in spec)) if isinstance(spec, list) else frozenset()


def _overlaps(path: list[str], withheld: tuple[str, ...]) -> bool:
    dotted = ".".join(name for name in path if not name.isdigit()) + "."
    return any(dotted.startswith(name + ".") or (name + ".").startswith(dotted) for name in withheld)


def _walk(value: Any, path: list[str]) -> Any:
    for name in path:
        if isinstance(value, Mapping):
            value = value.get(name)
        elif isinstance(value, list) and name.isdigit():
            value = value[int(name)] if int(name) < len(value) else None
        elif isinstance(value, list):
            value = [found for element in value if (found := _walk(element, [name])) is not None]
        else:
            return None
    return value
