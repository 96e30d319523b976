"""What one application did in the last minutes: numbers one after the other, or very many different persons."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Callable, Iterator

from audit.alerts.looks import Finding, Look
from audit.alerts.rules import Rule, Rules

_MINUTE = 60_000_000  # µs
_MOST = 5_000  # looks kept of one application and rule; more than that in a window is scraping whatever they are


class Windows:
    """Windows of every application that was seen."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules.of("enumeration") + rules.of("breadth")
        self._windows: dict[tuple[str, str, str], _Window] = {}

    def add(self, look: Look, ordinal: Callable[[], int | None]) -> Iterator[Finding]:
        for rule in self._rules:
            window = self._windows.setdefault((rule.code, look.org, look.app), _Window(rule))
            amount = window.add(look, ordinal)
            if amount:
                # One finding for each application and window of time, not one for each further look.
                slot = look.ts // int(rule.number("minutes") * _MINUTE)
                yield Finding(rule.code, look, amount, f"{look.org}/{look.app}/{slot}")


class _Window:
    """Looks of one application within a rule's minutes."""

    def __init__(self, rule: Rule) -> None:
        self._length = int(rule.number("minutes") * _MINUTE)
        self._rule = rule
        self._run_of = int(rule.settings.get("run", 0))
        self._step = rule.settings.get("step", 0)
        self._numbers: list[int] = []  # of the window, ascending
        self._looks: deque[tuple[int, bytes, int | None]] = deque()
        self._times: dict[bytes, int] = {}  # tag -> looks of the window that carry it
        self._quiet = 0  # until when nothing more is said

    def add(self, look: Look, ordinal: Callable[[], int | None]) -> int:
        """How much was found; 0 = nothing."""
        while self._looks and self._looks[0][0] <= look.ts - self._length:
            self._forget()
        if not look.tags:
            return 0
        enumeration = self._rule.kind == "enumeration"
        tag = look.tags[0]
        number = ordinal() if enumeration and tag not in self._times else None
        if number is not None:
            insort(self._numbers, number)
        for place, one in enumerate(look.tags):
            if len(self._looks) == _MOST:
                self._forget()
            self._looks.append((look.ts, one, None if place else number))
            self._times[one] = self._times.get(one, 0) + 1
        if look.ts < self._quiet:
            return 0
        amount = self._run(number) if enumeration else self._breadth(look)
        if amount:
            self._quiet = look.ts + self._length
        return amount

    def _forget(self) -> None:
        _, tag, number = self._looks.popleft()
        if number is not None:
            del self._numbers[bisect_left(self._numbers, number)]
        left = self._times.get(tag, 0) - 1
        if left > 0:
            self._times[tag] = left
        else:
            self._times.pop(tag, None)

    def _breadth(self, look: Look) -> int:
        usual = self._rule.settings.get("applications", {}).get(look.app, self._rule.number("distinct"))
        return len(self._times) if len(self._times) > usual else 0

    def _run(self, number: int | None) -> int:
        """How many numbers around a new one follow each other, each at most `step` after the one before; 0 = too few."""
        if number is None or len(self._numbers) < self._run_of:
            return 0
        numbers = self._numbers
        first = last = bisect_left(numbers, number)
        while first > 0 and numbers[first] - numbers[first - 1] <= self._step:
            first -= 1
        while last < len(numbers) - 1 and numbers[last + 1] - numbers[last] <= self._step:
            last += 1
        return last - first + 1 if last - first + 1 >= self._run_of else 0
