"""Judges one look after the other: is there a plain reason for it; if not, does a rule mind.

Pure: no store, no keys. A look carries blind tags only. What stays between looks is bounded: windows of minutes for each
application, counts of one day for each agent.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from audit.alerts.looks import Finding, Look
from audit.alerts.outliers import Days
from audit.alerts.rules import Rule, Rules
from audit.alerts.searches import Searches
from audit.alerts.windows import Windows

_BRUSSELS = ZoneInfo("Europe/Brussels")
_DAY = 86_400_000_000  # µs

Asked = Callable[[Look], bool]
When = Callable[[Look], int | None]  # µs since 1970


def _no(look: Look) -> bool:
    return False


def _never(look: Look) -> int | None:
    return None


@dataclass(frozen=True, slots=True)
class Known:
    """What others know: handed in as functions, asked only when a rule needs it."""

    open_case: Asked = _no  # an open case of the asking organisation about this person
    registration: Asked = _no  # the organisation keeps a file about this person (directory of references)
    recent_mutation: Asked = _no  # something about this person changed just before, and was to be processed
    has_case: Asked = _no  # the look names a case at all
    case_closed: When = _never  # when the case it names was closed
    death: When = _never  # when the person died
    move: When = _never  # since when the person lives in another municipality than the one that asks
    protected: Callable[[bytes], bool] = field(default=lambda tag: False)  # blind tags only
    ordinal: When = _never  # the subject's number without check digits, for whoever holds the keys


class Judge:
    """Takes looks in order of time. Not safe for several threads."""

    def __init__(self, rules: Rules, known: Known | None = None) -> None:
        self.rules = rules
        self.known = known or Known()
        self._windows = Windows(rules)
        self._days = Days(rules)
        self._searches = Searches(rules)
        self._today = 0

    def look(self, look: Look) -> Iterator[Finding]:
        """Findings that this look gives, those of days that are over included."""
        yield from self._turn(look)
        reasons = _Reasons(self.known, look)
        for rule in self.rules.by_code.values():
            if (
                rule.kind in ("protected", "flag", "after", "sample")
                and self._minds(rule, look)
                and not reasons.explain(rule)
            ):
                yield Finding(rule.code, look)
        if look.ok and not look.self_service:
            for rule in self.rules.of("search"):
                if not reasons.explain(rule):
                    self._searches.add(rule, look)
            yield from self._windows.add(look, lambda: self.known.ordinal(look))
            yield from self._count(look, reasons)

    def close(self) -> Iterator[Finding]:
        """Findings of the day that is not over yet."""
        yield from self._days.close()
        yield from self._searches.close()

    def _turn(self, look: Look) -> Iterator[Finding]:
        day = look.ts // _DAY
        if day > self._today:
            yield from self.close()
            self._today = day

    def _minds(self, rule: Rule, look: Look) -> bool:
        if rule.kind == "protected":
            return any(map(self.known.protected, look.tags))
        if rule.kind == "flag":
            return bool(look.flags & set(rule.settings.get("flags", ())))
        if rule.kind == "after":
            ask: When = getattr(self.known, rule.settings["of"])
            when = ask(look)
            return when is not None and look.ts > when + rule.number("days") * _DAY
        # Drawn by the leaf, which holds random salts: nobody who looks can tell before, and a second draw is the same.
        return look.ok and int.from_bytes(look.leaf[:8], "big") < rule.number("rate") * 2**64

    def _count(self, look: Look, reasons: _Reasons) -> Iterator[Finding]:
        if look.agent is None:
            return
        hour = datetime.fromtimestamp(look.ts // 1_000_000, _BRUSSELS).hour
        for rule in self.rules.of("outlier"):
            measure = rule.settings.get("measure")
            if measure == "night" and not _between(hour, rule.settings.get("hours", (22, 6))):
                continue
            if measure == "without_case" and (reasons.named("has_case") or reasons.named("open_case")):
                continue
            if not reasons.explain(rule):
                self._days.add(rule, look)
        yield from ()


class _Reasons:
    """Plain reasons for one look, each asked at most once."""

    def __init__(self, known: Known, look: Look) -> None:
        self._known, self._look = known, look
        self._found: dict[str, bool] = {"own_session": look.self_service}

    def explain(self, rule: Rule) -> bool:
        return any(map(self.named, rule.explained_by))

    def named(self, reason: str) -> bool:
        if reason not in self._found:
            ask: Asked = getattr(self._known, reason)
            self._found[reason] = ask(self._look)
        return self._found[reason]


def _between(hour: int, hours: Collection[int]) -> bool:
    start, end = hours
    return start <= hour or hour < end if start > end else start <= hour < end
