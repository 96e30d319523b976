"""The small language of a composition's checks: yes, no, unknown (Kleene). Data in, value out, no I/O.

    rule     = {all: [rule…]} | {any: [rule…]} | {not: rule} | {word: operands}
    operand  = $key | $parameters.x | $today | part.path.0.to.value | {value: literal}
               inside `where`: a field of the element looked at, or `item` for the whole of it

A path through a list gives the list of what is found there. A part that failed is unknown, whatever is asked of it, and
so is a field that was withheld: only what is really absent is absent. A part whose subject was not found has no fields: what must be
there is then "no", but `absent` is unknown, for nobody is alive by not existing.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from integrator.errors import ConfigurationError

Verdict = bool | None  # None = unknown


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


_BOX = re.compile(r"^(bus|boite|bte|box|b)(?=[0-9])")
Rule = Callable[[Scope], Verdict]
Operand = Callable[[Scope], Any]
Binding = Callable[[Scope], dict[str, Any]]


def compile_rule(spec: Mapping[str, Any]) -> Rule:
    """A rule from its data. Raises `ConfigurationError` for a word we do not know."""
    if len(spec) != 1:
        raise ConfigurationError(f"a rule has one word, not {sorted(spec)}")
    word, operands = next(iter(spec.items()))
    make = _WORDS.get(word)
    if make is None:
        raise ConfigurationError(f"rule word {word!r} is not one of {', '.join(sorted(_WORDS))}")
    rule = make(operands)

    def guarded(scope: Scope) -> Verdict:
        try:
            return rule(scope)
        except Unknown:
            return None

    return guarded


def _overlaps(path: list[str], withheld: tuple[str, ...]) -> bool:
    dotted = ".".join(name for name in path if not name.isdigit()) + "."
    return any(dotted.startswith(name + ".") or (name + ".").startswith(dotted) for name in withheld)


def compile_binding(spec: Mapping[str, Any]) -> Binding:
    """Keys of a part from request keys and earlier parts; a key whose operand is absent is left out."""
    operands = {name: operand(value) for name, value in spec.items()}

    def bind(scope: Scope) -> dict[str, Any]:
        bound = {name: read(scope) for name, read in operands.items()}
        return {name: value for name, value in bound.items() if value is not None}

    return bind


def operand(written: Any) -> Operand:
    """One operand, see the module's grammar."""
    if isinstance(written, dict):
        literal = written["value"]
        return lambda scope: literal
    if not isinstance(written, str):
        return lambda scope: written
    if written == "$today":
        return lambda scope: scope.today
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


def kleene_all(verdicts: list[Verdict]) -> Verdict:
    """No wins, then unknown.

    >>> kleene_all([True, None]), kleene_all([None, False]), kleene_all([True])
    (None, False, True)
    """
    return False if False in verdicts else None if None in verdicts else True


def kleene_any(verdicts: list[Verdict]) -> Verdict:
    return True if True in verdicts else None if None in verdicts else False


def word(verdict: Verdict) -> str:
    return "unknown" if verdict is None else "yes" if verdict else "no"


# --- the words --------------------------------------------------------------------------------------------------------


def _all(specs: list[Mapping[str, Any]]) -> Rule:
    rules = _some_rules(specs, "all")
    return lambda scope: kleene_all([rule(scope) for rule in rules])


def _any(specs: list[Mapping[str, Any]]) -> Rule:
    rules = _some_rules(specs, "any")
    return lambda scope: kleene_any([rule(scope) for rule in rules])


def _some_rules(specs: list[Mapping[str, Any]], name: str) -> list[Rule]:
    if not specs:
        raise ConfigurationError(f"an empty `{name}` decides nothing")
    return [compile_rule(spec) for spec in specs]


def _not(spec: Mapping[str, Any]) -> Rule:
    rule = compile_rule(spec)

    def negated(scope: Scope) -> Verdict:
        verdict = rule(scope)
        return None if verdict is None else not verdict

    return negated


def _present(written: str) -> Rule:
    read = operand(written)
    return lambda scope: read(scope) is not None


def _absent(written: str) -> Rule:
    read, head = operand(written), written.split(".")[0]

    def absent(scope: Scope) -> Verdict:
        part = scope.parts.get(head)
        if part is not None and part.state == "notFound":
            return None
        return read(scope) is None

    return absent


def _not_empty(written: str) -> Rule:
    read = operand(written)
    return lambda scope: bool(read(scope))


def _compare(test: Callable[[Any, Any], Verdict]) -> Callable[[list[Any]], Rule]:
    def make(operands: list[Any]) -> Rule:
        left, right = (operand(written) for written in operands)

        def compare(scope: Scope) -> Verdict:
            first, second = left(scope), right(scope)
            return False if first is None or second is None else test(first, second)

        return compare

    return make


def _in_time(test: Callable[[str, str], bool]) -> Callable[[list[Any]], Rule]:
    """Dates: an incomplete one can be compared only where its known part decides."""

    def make(operands: list[Any]) -> Rule:
        left, right = (operand(written) for written in operands)

        def compare(scope: Scope) -> Verdict:
            first, second = left(scope), right(scope)
            if first is None or second is None:
                return False
            outcomes = {test(a, b) for a in _span(first) for b in _span(second)}
            return outcomes.pop() if len(outcomes) == 1 else None

        return compare

    return make


def _span(date: str) -> tuple[str, ...]:
    """Earliest and latest day an incomplete date can mean."""
    year, month, day = date[:4], date[5:7], date[8:10]
    if year == "0000":
        return "0001-01-01", "9999-12-31"
    if month == "00":
        return f"{year}-01-01", f"{year}-12-31"
    return (f"{year}-{month}-01", f"{year}-{month}-31") if day == "00" else (date,)


def _items(written: str) -> Callable[[Scope], list[Mapping[str, Any]]]:
    read = operand(written)

    def items(scope: Scope) -> list[Mapping[str, Any]]:
        found = read(scope)
        return [] if found is None else found if isinstance(found, list) else [found]

    return items


def _incomplete(written: str, scope: Scope) -> bool:
    part = scope.parts.get(written.split(".")[0])
    return part is not None and part.state == "incomplete"


def _some(spec: Mapping[str, Any]) -> Rule:
    items, rule, written = _items(spec["in"]), compile_rule(spec["where"]), spec["in"]

    def some(scope: Scope) -> Verdict:
        verdict = kleene_any([rule(_with_item(scope, item)) for item in items(scope)])
        # A source that says "there may be more" turns "none found" into "not known".
        return None if verdict is False and _incomplete(written, scope) else verdict

    return some


def _count(spec: Mapping[str, Any]) -> Rule:
    items, written = _items(spec["of"]), spec["of"]
    rule = compile_rule(spec["where"]) if "where" in spec else None
    bounds = [(name, operand(spec[name])) for name in ("atLeast", "below", "atMost") if name in spec]
    if not bounds:
        raise ConfigurationError("`count` needs atLeast, atMost or below")

    def count(scope: Scope) -> Verdict:
        verdicts = [True if rule is None else rule(_with_item(scope, item)) for item in items(scope)]
        low = sum(verdict is True for verdict in verdicts)
        high = 10**9 if _incomplete(written, scope) else low + sum(verdict is None for verdict in verdicts)
        results = []
        for name, read in bounds:
            limit = int(read(scope))
            test = {"atLeast": lambda n: n >= limit, "below": lambda n: n < limit, "atMost": lambda n: n <= limit}[name]  # noqa: B023
            results.append(test(low) if test(low) == test(high) else None)
        return kleene_all(results)

    return count


def _with_item(scope: Scope, item: Mapping[str, Any]) -> Scope:
    return Scope(scope.keys, scope.parameters, scope.today, scope.parts, item if isinstance(item, Mapping) else {"": item})


def _one_of(operands: list[Any]) -> Rule:
    read, choices = operand(operands[0]), operands[1:]
    allowed = [operand(choice) if isinstance(choice, str) and choice.startswith("$") else operand({"value": choice}) for choice in choices]

    def one_of(scope: Scope) -> Verdict:
        value = read(scope)
        wanted: list[Any] = []
        for choice in allowed:
            found = choice(scope)
            wanted.extend(found if isinstance(found, list) else [found])
        return value in wanted

    return one_of


def _among(operands: list[Any]) -> Rule:
    read, choices = (operand(written) for written in operands)

    def among(scope: Scope) -> Verdict:
        value = read(scope)
        if value is None:
            return False
        found = choices(scope)
        return value in (found if isinstance(found, list) else [found])

    return among


def _same(place: Callable[[Mapping[str, Any]], tuple[str, ...]]) -> Callable[[list[Any]], Rule]:
    def make(operands: list[Any]) -> Rule:
        left, right = (operand(written) for written in operands)

        def same(scope: Scope) -> Verdict:
            first, second = left(scope), right(scope)
            if not first or not second:
                return False
            return place(first) == place(second) and bool(_streets(first) & _streets(second))

        return same

    return make


def _building(address: Mapping[str, Any]) -> tuple[str, ...]:
    return str(address.get("postCode", "")), _plain(address.get("houseNumber", "")).lstrip("0")


def _door(address: Mapping[str, Any]) -> tuple[str, ...]:
    box = _BOX.sub("", _plain(address.get("boxNumber", "")))
    return (*_building(address), box.lstrip("0"))


def _streets(address: Mapping[str, Any]) -> set[str]:
    name = address.get("streetName")
    names = name.values() if isinstance(name, Mapping) else [name] if name else []
    return {_plain(one) for one in names} - {""}


def _plain(value: Any) -> str:
    """Lower case without accents, spaces or punctuation: sources write one street in many ways.

    >>> _plain("Rue de l’Été, 12") == _plain("RUE DE L'ETE 12")
    True
    """
    letters = unicodedata.normalize("NFKD", str(value)).casefold()
    return "".join(letter for letter in letters if letter.isalnum())


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


_WORDS: dict[str, Callable[[Any], Rule]] = {
    "all": _all,
    "any": _any,
    "not": _not,
    "present": _present,
    "absent": _absent,
    "notEmpty": _not_empty,
    "equal": _compare(lambda a, b: a == b),
    "notEqual": _compare(lambda a, b: a != b),
    "below": _compare(lambda a, b: a < b),
    "atMost": _compare(lambda a, b: a <= b),
    "atLeast": _compare(lambda a, b: a >= b),
    "before": _in_time(lambda a, b: a < b),
    "after": _in_time(lambda a, b: a > b),
    "some": _some,
    "count": _count,
    "oneOf": _one_of,
    "among": _among,
    "sameAddress": _same(_door),
    "sameBuilding": _same(_building),
}
