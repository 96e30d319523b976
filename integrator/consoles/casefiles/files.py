"""One request: what is known, who did what, and the lines with what was decided about each. Kept as sealed JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import date
from typing import Any, Literal

from audit import Subject
from audit.reports import Row
from integrator.consoles.casefiles.clock import Clock, Pause, clock
from integrator.consoles.casefiles.machine import machine

What = Literal["show", "delay", "omit"]
Outcome = Literal["answered", "withdrawn", "refused"]


@dataclass(frozen=True, slots=True)
class Decision:
    """What happens to a line. `why`: words of who decided, needed where the guard was not followed."""

    what: What
    ground: str | None = None  # of guard.yaml
    until: str | None = None  # yyyy-mm-dd, of a delay
    why: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """A row of the ledger as it was collected. `suggested`: what the guard says; `decided`: what a person said."""

    row: Mapping[str, Any]
    suggested: Decision
    decided: Decision | None = None

    @property
    def key(self) -> str:
        return f"{self.row['shard']}/{self.row['index']}/{self.row['part']}"

    @property
    def decision(self) -> Decision:
        """A restriction that was ordered holds whatever anybody decided."""
        return self.suggested if self.locked or self.decided is None else self.decided

    @property
    def locked(self) -> bool:
        return self.suggested.ground == "restricted"

    def opened(self) -> Row:
        """As the reports gave it, without the clear part of the entry."""
        return Row(**{**self.row, "categories": tuple(self.row["categories"])})


def kept(row: Row) -> dict[str, Any]:
    """What a file keeps of a row: plain JSON."""
    plain = {one.name: getattr(row, one.name) for one in fields(Row)}
    return plain | {
        "categories": list(row.categories),
        "policy": dict(row.policy),
        "counts": dict(row.counts),
        "entry": {},
    }


@dataclass(frozen=True, slots=True)
class Taken:
    """One step that was taken. `place`: SHARD/INDEX of its entry in the ledger."""

    step: str
    at: int  # µs
    by: str  # id of the account
    name: str
    place: str
    said: str = ""


@dataclass(frozen=True, slots=True)
class CaseFile:
    """A request and everything done for it. `subject` is None once the file was erased."""

    id: str  # random: stands in addresses
    number: str  # for people: 2026-0007
    org: str | None  # enterprise number; None = the hub's own data protection officer answers
    state: str
    received: date
    language: str
    subject: Subject | None
    addressee: str = ""  # name and address, in lines
    agent: str = ""  # who asks for the citizen: lawyer, parent, guardian …; empty = herself
    channel: str = ""  # letter | counter | mail | portal
    since: date | None = None  # the period asked for
    until: date | None = None
    pauses: tuple[Pause, ...] = ()
    extended: bool = False
    identity: Mapping[str, Any] = field(default_factory=dict)  # method, checks, by, at
    collected: int | None = None  # µs: the lines are those of before
    lines: tuple[Line, ...] = ()
    remark: str = ""  # a paragraph of the letter
    letter: Mapping[str, Any] | None = None  # as it was prepared, in blocks
    sha256: str = ""  # of its PDF
    closed: date | None = None
    outcome: Outcome | None = None
    taken: tuple[Taken, ...] = ()
    version: int = 0  # counts changes: two people at once, one is told

    @property
    def hands(self) -> frozenset[str]:
        """Everybody who had a part in the letter; the machine says which steps count."""
        steps = machine().steps
        return frozenset(one.by for one in self.taken if steps[one.step].prepares)

    def clock(self, today: date) -> Clock:
        return clock(self.received, today, self.pauses, extended=self.extended, done=self.state in ("closed", "erased"))

    @property
    def shown(self) -> tuple[Line, ...]:
        return tuple(line for line in self.lines if line.decision.what == "show")

    def later(self, today: date) -> tuple[Line, ...]:
        """Delayed lines whose day has come: the citizen is owed a second letter."""
        return tuple(
            line
            for line in self.lines
            if line.decision.what == "delay" and (line.decision.until or "9") <= today.isoformat()
        )

    def text(self) -> str:
        """As JSON, for sealing."""
        return json.dumps(asdict(self), default=str)

    @classmethod
    def read(cls, text: str) -> CaseFile:
        """The inverse."""
        data = json.loads(text)
        pauses = tuple(Pause(date.fromisoformat(one["since"]), _day(one["until"])) for one in data["pauses"])
        plain = {name: _day(data[name]) for name in ("received", "since", "until", "closed")}
        return cls(
            **{
                **data, **plain, "pauses": pauses, "lines": tuple(_line(one) for one in data["lines"]),
                "subject": Subject(**data["subject"]) if data["subject"] else None,
                "taken": tuple(Taken(**one) for one in data["taken"]),
            }
        )  # fmt: skip

    def with_decisions(self, decisions: Mapping[str, Decision]) -> CaseFile:
        lines = tuple(
            replace(line, decided=decisions[line.key]) if line.key in decisions else line for line in self.lines
        )
        return replace(self, lines=lines)


def exchanges(lines: Sequence[Line]) -> list[list[Line]]:
    """Lines of one exchange together, in the order of their first; within one, the question before its parts."""
    found: dict[str, list[Line]] = {}
    for line in lines:
        found.setdefault(line.row["trace_id"], []).append(line)
    return [sorted(group, key=lambda one: one.row["parent"] is not None) for group in found.values()]


def _line(data: Mapping[str, Any]) -> Line:
    return Line(data["row"], Decision(**data["suggested"]), Decision(**data["decided"]) if data["decided"] else None)


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
