"""Rules as data: what to look for, from where on, what explains it, and what to do, in three languages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

KINDS = frozenset(
    ("protected", "flag", "after", "enumeration", "breadth", "outlier", "search", "sample", "told")
)  # told: written by the hub itself
EXPLANATIONS = ("open_case", "registration", "own_session", "recent_mutation")
LANGUAGES = frozenset(("nl", "fr", "en"))


class RulesInvalid(ValueError):
    """The rules cannot be used as they are written; nothing is watched with them."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of the rules."""

    code: str
    kind: str
    severity: str  # low | medium | high
    title: Mapping[str, str]
    advice: Mapping[str, str]
    explained_by: tuple[str, ...]  # a look that one of these explains is no finding of this rule
    settings: Mapping[str, Any]

    def number(self, name: str) -> float:
        """A threshold. Raises RulesInvalid when the rule does not have it."""
        value = self.settings.get(name)
        if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
            raise RulesInvalid(f"{self.code}: `{name}` is a number from 0 on")
        return value


@dataclass(frozen=True, slots=True)
class Rules:
    """All rules. An empty list is no reassurance: it is refused."""

    by_code: Mapping[str, Rule]

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> Rules:
        """From decoded YAML. Raises RulesInvalid, naming the rule."""
        rows = data.get("rules")
        if not isinstance(rows, Mapping) or not rows:
            raise RulesInvalid("no rules: nothing would ever be an alert")
        return cls({code: _rule(code, dict(row)) for code, row in rows.items()})

    def of(self, kind: str) -> list[Rule]:
        return [rule for rule in self.by_code.values() if rule.kind == kind]


_NUMBERS = {
    "after": ("days",), "enumeration": ("minutes", "run", "step"), "breadth": ("minutes", "distinct"),
    "outlier": ("floor", "factor", "peers"), "search": ("minutes", "floor", "ratio"), "sample": ("rate",),
}  # fmt: skip


def _rule(code: str, row: dict[str, Any]) -> Rule:
    kind, severity = row.pop("kind", None), row.pop("severity", None)
    title, advice = row.pop("title", {}), row.pop("advice", {})
    explained_by = tuple(row.pop("explained_by", ()))
    if kind not in KINDS or severity not in ("low", "medium", "high"):
        raise RulesInvalid(f"{code}: kind is one of {', '.join(sorted(KINDS))}; severity low, medium or high")
    if set(title) != LANGUAGES or set(advice) != LANGUAGES:
        raise RulesInvalid(f"{code}: title and advice are said in nl, fr and en")
    if set(explained_by) - set(EXPLANATIONS):
        raise RulesInvalid(f"{code}: explained_by takes {', '.join(EXPLANATIONS)}")
    rule = Rule(code, kind, severity, title, advice, explained_by, row)
    for name in _NUMBERS.get(kind, ()):
        rule.number(name)
    return rule
