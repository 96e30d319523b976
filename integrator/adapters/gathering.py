"""Rows that only mean something together: a file that must come out even, rows that are added up to one message.

    even: {by: [article], amount: amount, side: side, plus: debit, minus: credit}      beside the layout
    deposit:
      gather:
        by: [period]                                            one message for each; what makes it itself
        same: [employer]                                        one value within such a message
        sums: {cost: {of: hours, times: rate, decimals: 2}}     exact; rounded once, half up, after adding
        lines: {name: entries, by: [article, side], sums: {amount: {of: amount}}}

What `by` names is told when something is wrong and becomes a key, so it can be no number of a person. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal, localcontext
from typing import Any

from integrator.adapters.findings import FileRefused
from integrator.errors import ConfigurationError

Row = Mapping[str, Any]
Specs = Mapping[str, Mapping[str, Any]]  # field of the layout -> as adapter.yaml says it
_EXACT = Context(prec=100)  # two figures of 15 digits multiplied, and five million of those added
_SHOWN = 5  # groups that a refusal names


@dataclass(frozen=True, slots=True)
class Sum:
    """One figure of many rows."""

    of: str
    times: str  # "" = the field itself
    decimals: int | None  # None = as many as the rows have
    where: Mapping[str, Any]  # only rows with these values

    def over(self, rows: Iterable[Row]) -> Decimal:
        """
        >>> str(Sum("hours", "rate", 2, {}).over([{"hours": Decimal("0.5"), "rate": Decimal("8.33")}] * 3))
        '12.50'
        """
        with localcontext(_EXACT):
            total = sum((self._figure(row) for row in rows if self._counts(row)), Decimal(0))
            unit = None if self.decimals is None else Decimal(1).scaleb(-self.decimals)
            return total if unit is None else total.quantize(unit, ROUND_HALF_UP)

    def _figure(self, row: Row) -> Decimal:
        return Decimal(row.get(self.of) or 0) * (Decimal(row.get(self.times) or 0) if self.times else 1)

    def _counts(self, row: Row) -> bool:
        return all(row.get(name) == value for name, value in self.where.items())


@dataclass(frozen=True, slots=True)
class Gather:
    """What rows become one message, and what is added up for it. Its lines are sorted: another order says nothing else."""

    by: tuple[str, ...]
    same: tuple[str, ...]
    sums: Mapping[str, Sum]
    lines: str  # name of the list; "" = none
    lines_by: tuple[str, ...]
    line_sums: Mapping[str, Sum]

    @property
    def names(self) -> set[str]:
        """What a message may carry."""
        return {*self.by, *self.same, *self.sums} | ({self.lines} if self.lines else set())

    def messages(self, rows: Iterable[Row]) -> list[dict[str, Any]]:
        """In the order in which each first appears. Raises `FileRefused` NOT_THE_SAME, naming the message."""
        return [self._message(key, some) for key, some in _groups(rows, self.by)]

    def _message(self, key: tuple[Any, ...], rows: Sequence[Row]) -> dict[str, Any]:
        made = _named(self.by, key)
        for name in self.same:
            values = {row.get(name) for row in rows}
            if len(values) > 1:
                raise FileRefused("NOT_THE_SAME", about=_words(key))
            made |= _named((name,), tuple(values))
        made |= {name: one.over(rows) for name, one in self.sums.items()}
        if self.lines:
            made[self.lines] = [
                _named(self.lines_by, line) | {name: one.over(some) for name, one in self.line_sums.items()}
                for line, some in sorted(_groups(rows, self.lines_by), key=lambda one: tuple(map(str, one[0])))
            ]
        return made


class Even:
    """Per group, what stands on one side is what stands on the other."""

    def __init__(self, by: tuple[str, ...], amount: str, side: str, plus: Any, minus: Any) -> None:
        self.by, self._amount, self._side, self._signs = by, amount, side, {plus: 1, minus: -1}

    def add(self, row: Row, totals: dict[tuple[Any, ...], Decimal]) -> None:
        key = tuple(row.get(name) for name in self.by)
        with localcontext(_EXACT):
            figure = Decimal(row.get(self._amount) or 0) * self._signs[row[self._side]]
            totals[key] = totals.get(key, Decimal(0)) + figure

    def judge(self, totals: Mapping[tuple[Any, ...], Decimal]) -> FileRefused | None:
        """None when all is even; else a refusal that names what is not."""
        off = sorted(_words(key) for key, total in totals.items() if total)
        if not off:
            return None
        return FileRefused("NOT_BALANCED", about=", ".join(off[:_SHOWN]) + (" …" if len(off) > _SHOWN else ""))


def compile_even(said: Mapping[str, Any] | None, fields: Specs) -> Even | None:
    """Raises `ConfigurationError`."""
    if said is None:
        return None
    by = _bounded("even.by", said["by"], fields)
    codes = fields.get(said["side"], {}).get("codes", {})
    if set(codes.values()) != {said["plus"], said["minus"]} or not fields[said["side"]].get("required"):
        raise ConfigurationError("even.side is a required field whose codes mean plus or minus, and nothing else")
    _known("even.amount", [said["amount"]], fields)
    return Even(by, said["amount"], said["side"], said["plus"], said["minus"])


def compile_gather(said: Mapping[str, Any], fields: Specs) -> Gather:
    """Raises `ConfigurationError`."""
    lines = said.get("lines") or {}
    by, same = _bounded("gather.by", said["by"], fields), _known("gather.same", said.get("same", ()), fields)
    lines_by = _known("gather.lines.by", lines.get("by", ()), fields)
    made = Gather(
        by,
        same,
        _sums(said.get("sums"), fields),
        str(lines.get("name", "")),
        lines_by,
        _sums(lines.get("sums"), fields),
    )
    if len(made.names) != len(by) + len(same) + len(made.sums) + bool(made.lines):
        raise ConfigurationError("gather: one name for two things")
    return made


def _sums(said: Mapping[str, Any] | None, fields: Specs) -> dict[str, Sum]:
    made = {}
    for name, one in (said or {}).items():
        figures = [one["of"], *([one["times"]] if "times" in one else [])]
        _known(f"gather: {name}", [*figures, *one.get("where", {})], fields)
        if any(fields[figure].get("type") not in ("decimal", "integer") for figure in figures):
            raise ConfigurationError(f"gather: {name} adds up what is no number")
        if "times" in one and "decimals" not in one:
            raise ConfigurationError(f"gather: {name}: say to how many decimals a product is rounded")
        made[name] = Sum(one["of"], one.get("times", ""), one.get("decimals"), one.get("where", {}))
    return made


def _known(what: str, names: Sequence[str], fields: Specs) -> tuple[str, ...]:
    unknown = set(names) - set(fields)
    if unknown:
        raise ConfigurationError(f"{what}: {', '.join(sorted(unknown))} is no field")
    return tuple(names)


def _bounded(what: str, names: Sequence[str], fields: Specs) -> tuple[str, ...]:
    """Fields whose form says that no person stands in them, always there."""
    for name in _known(what, names, fields):
        spec = fields[name]
        kind = spec.get("type", "text")
        if not spec.get("required") or not (
            kind in ("code", "date", "integer") or (kind == "text" and "pattern" in spec)
        ):
            raise ConfigurationError(
                f"{what}: {name} must be required, and a code, a day, an integer or a text with a pattern"
            )
    return tuple(names)


def keyed(what: str, names: Sequence[str], fields: Specs) -> tuple[str, ...]:
    """Fields that together make a key: always there, and no number of a person, which a key would let one guess."""
    for name in _known(what, names, fields):
        if not fields[name].get("required") or fields[name].get("type") in ("ssin", "plate", "vin"):
            raise ConfigurationError(f"{what}: {name} must be required, and no number of a person or a vehicle")
    return tuple(names)


def _groups(rows: Iterable[Row], by: Sequence[str]) -> Iterator[tuple[tuple[Any, ...], list[Row]]]:
    found: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        found.setdefault(tuple(row.get(name) for name in by), []).append(row)
    yield from found.items()


def _named(names: Sequence[str], values: Sequence[Any]) -> dict[str, Any]:
    return {name: value for name, value in zip(names, values, strict=True) if value is not None}


def _words(key: Sequence[Any]) -> str:
    return " ".join(map(str, key))
