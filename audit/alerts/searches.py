"""Searches by name that were not about anybody: many in a day, and hardly one of those found was opened afterwards.

Who stands at a counter searches and then opens the file of who stands there. Who is curious reads the list and goes on.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from audit.alerts.looks import Finding, Look
from audit.alerts.rules import Rule, Rules

_MINUTE = 60_000_000  # µs
_DAY = 86_400_000_000
_PENDING = 200  # searches of one agent that wait to be followed by a look


class Searches:
    """Searches of one day, by agent; of an application where no agent is named."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules.of("search")
        self._days: dict[tuple[str, str, str, bytes | None], _Day] = {}

    def add(self, rule: Rule, look: Look) -> None:
        """One look, a search or not, in order of time."""
        key = rule.code, look.org, look.app, look.agent
        if look.name in rule.settings.get("services", ()):
            self._days.setdefault(key, _Day()).search(look)
        elif key in self._days:
            self._days[key].open(look, int(rule.number("minutes") * _MINUTE))

    def close(self) -> Iterator[Finding]:
        """Findings of the day, which is then forgotten."""
        rules = {rule.code: rule for rule in self._rules}
        for (code, org, app, agent), day in self._days.items():
            rule = rules[code]
            if day.searches >= rule.number("floor") and day.opened <= rule.number("ratio") * day.searches:
                scope = f"{org}/{app}/{agent.hex() if agent else ''}/{day.last.ts // _DAY}"
                yield Finding(code, day.last, day.searches, scope)
        self._days.clear()


class _Day:
    """What one agent searched, and how much of it was opened."""

    last: Look

    def __init__(self) -> None:
        self.searches = self.opened = 0
        self._pending: deque[tuple[int, frozenset[bytes]]] = deque(maxlen=_PENDING)

    def search(self, look: Look) -> None:
        self.searches += 1
        self.last = look
        self._pending.append((look.ts, frozenset(look.tags)))

    def open(self, look: Look, within: int) -> None:
        """A look opens the newest search that found who is looked at; each search counts once."""
        for number in range(len(self._pending) - 1, -1, -1):
            ts, tags = self._pending[number]
            if look.ts - ts <= within and not tags.isdisjoint(look.tags):
                self.opened += 1
                del self._pending[number]
                return
