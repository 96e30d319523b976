"""Who did far more of something in a day than colleagues with the same application.

Robust: the median and the median deviation of the group, so that one who looks at everything does not hide himself by
raising the average. Only what nothing explains is counted, and never below a floor.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from math import sqrt
from statistics import median

from audit.alerts.looks import Finding, Look
from audit.alerts.rules import Rule, Rules

_DAY = 86_400_000_000  # µs
_SIGMA = 1.4826  # median deviation of a normal distribution -> its standard deviation


class Days:
    """Counts of one day."""

    def __init__(self, rules: Rules) -> None:
        self._rules = {rule.code: rule for rule in rules.of("outlier")}
        self._groups: dict[tuple[str, str, str], dict[bytes, _Count]] = defaultdict(dict)

    def add(self, rule: Rule, look: Look) -> None:
        assert look.agent is not None  # noqa: S101 (only looks of agents are counted)
        count = self._groups[rule.code, look.org, look.app].setdefault(look.agent, _Count(look))
        count.looks += 1
        count.tags.update(look.tags)
        count.last = look

    def close(self) -> Iterator[Finding]:
        """Findings of the day, which is then forgotten."""
        for (code, org, app), counts in self._groups.items():
            rule = self._rules[code]
            amounts = {agent: count.amount(rule) for agent, count in counts.items()}
            limit = _limit(rule, list(amounts.values()))
            for agent, amount in amounts.items():
                if amount > limit:
                    last = counts[agent].last
                    scope = f"{org}/{app}/{agent.hex()}/{last.ts // _DAY}"
                    yield Finding(code, last, amount, scope)
        self._groups.clear()


class _Count:
    """What one agent did."""

    def __init__(self, look: Look) -> None:
        self.looks = 0
        self.tags: set[bytes] = set()
        self.last = look

    def amount(self, rule: Rule) -> int:
        return len(self.tags) if rule.settings.get("measure") == "breadth" else self.looks


def _limit(rule: Rule, amounts: list[int]) -> float:
    """From where on an amount is far out. A group too small to compare with has only twice the floor."""
    floor = rule.number("floor")
    if len(amounts) < rule.number("peers"):
        return floor * 2
    middle = median(amounts)
    deviation = median(abs(amount - middle) for amount in amounts)
    return max(floor, middle + rule.number("factor") * max(_SIGMA * deviation, sqrt(middle), 1.0))
