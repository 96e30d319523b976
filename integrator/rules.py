"""The small language of a composition's checks: yes, no, unknown (Kleene). Data in, value out, no I/O.

    rule     = {all: [rule…]} | {any: [rule…]} | {not: rule} | {word: operands}        operands: see scope.py

A part whose subject was not found has no fields: what must be there is then "no", but `absent` is unknown, for nobody
is alive by not existing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from integrator import addresses
from integrator.errors import ConfigurationError
from integrator.scope import Scope, Unknown, operand

Verdict = bool | None  # None = unknown


Rule = Callable[[Scope], Verdict]
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


def compile_binding(spec: Mapping[str, Any]) -> Binding:
    """Keys of a part from request keys and earlier parts; a key whose operand is absent is left out."""
    operands = {name: operand(value) for name, value in spec.items()}

    def bind(scope: Scope) -> dict[str, Any]:
        bound = {name: read(scope) for name, read in operands.items()}
        return {name: value for name, value in bound.items() if value is not None}

    return bind


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
            least, most = _bounded(name, low, limit), _bounded(name, high, limit)
            results.append(least if least == most else None)
        return kleene_all(results)

    return count


def _bounded(name: str, number: int, limit: int) -> bool:
    return number >= limit if name == "atLeast" else number < limit if name == "below" else number <= limit


def _with_item(scope: Scope, item: Mapping[str, Any]) -> Scope:
    return Scope(
        scope.keys, scope.parameters, scope.today, scope.parts, item if isinstance(item, Mapping) else {"": item}
    )


def _one_of(operands: list[Any]) -> Rule:
    read, choices = operand(operands[0]), operands[1:]
    allowed = [
        operand(choice) if isinstance(choice, str) and choice.startswith("$") else operand({"value": choice})
        for choice in choices
    ]

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
            return place(first) == place(second) and bool(addresses.streets(first) & addresses.streets(second))

        return same

    return make


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
    "sameAddress": _same(addresses.door),
    "sameBuilding": _same(addresses.building),
}
