"""What may be shown of each line, and what a letter would tell those who should not know.

A letter is read by more people than its addressee: whoever lives with her may open it, and she herself may learn from it
what a relative did. Notaries found this out the hard way: a search for a will showed in the heirs' lists before anybody
had died. So every line gets a proposal, and every letter a list of what could be read between its lines.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from audit.reports import Row
from integrator.consoles.casefiles.files import Decision, Line, exchanges
from integrator.consoles.disclosing import Purpose, wait
from integrator.errors import ConfigurationError
from integrator.places import read_yaml

SHOW = Decision("show")
NEVER = 2**62  # what disclosing.wait says of a purpose that withholds
_WHATS = frozenset({"delay", "omit"})


@dataclass(frozen=True, slots=True)
class Ground:
    """Why a line may stay out, or wait. Its title stands in words/pages/casefiles.yaml (ground_<code>)."""

    code: str
    whats: frozenset[str]
    basis: str
    chosen: bool  # by people; else only the hub gives it


@dataclass(frozen=True, slots=True)
class Inference:
    """What a reader could conclude: `word` (casefiles.infer_<word>) about some lines, by their keys."""

    word: str
    keys: tuple[str, ...]
    grave: bool  # somebody else's affair would come out; the other kind is a matter of how the letter is delivered


class Guard:
    """Proposals and warnings under the purposes as they are today."""

    def __init__(self, purposes: Collection[Purpose], now: Callable[[], int]) -> None:
        """`purposes`: read whenever something is proposed, since texts change while the hub runs."""
        self._purposes = purposes
        self._now = now  # µs

    @property
    def _rules(self) -> Mapping[str, Mapping[str, Any]]:
        return {one.activity: one.disclosure for one in self._purposes}

    def propose(self, row: Row) -> Decision:
        """What to do with a row, if nobody knows better."""
        if row.vis:
            return Decision("omit", "restricted")
        rule = self._rules.get(row.activity or "")
        if rule is None:
            return SHOW
        if row.part > 0 and not rule["thirdPartySafe"]:
            return Decision("omit", "others")
        pause = wait(rule["rule"])
        if pause >= NEVER:
            return Decision("omit", "purpose_withheld")
        if row.ts + pause > self._now():
            return Decision("delay", "purpose_later", _day(row.ts + pause))
        return SHOW

    def infer(self, lines: Sequence[Line]) -> list[Inference]:
        """What could be read out of a letter with these decisions, the gravest first."""
        shown = [line for line in lines if line.decision.what == "show"]
        telling = [line for line in shown if self._telling(line)]
        whole = {
            id(line)
            for group in exchanges(lines)
            if all(one.decision.what == "show" for one in group)
            for line in group
        }
        found = [
            # Somebody else's act: the citizen was touched by it, and would learn of it.
            Inference("their_act", _keys(line for line in telling if line.row["part"] > 0), True),
            # Half of an exchange stays out: the other half tells that there is more.
            Inference("half", _keys(line for line in shown if id(line) not in whole), True),
            Inference("against", _keys(line for line in shown if line.suggested.what != "show"), True),
            Inference("household", _keys(line for line in telling if line.row["part"] == 0), False),
            Inference("several", _keys(line for line in shown if line.row["counts"].get("subjects", 1) > 1), False),
            Inference("relatives", _keys(line for line in shown if _about_relatives(line)), False),
        ]
        return [one for one in found if one.keys]

    def _telling(self, line: Line) -> bool:
        rule = self._rules.get(line.row["activity"] or "")
        return rule is not None and not rule["thirdPartySafe"]


@cache
def grounds() -> Mapping[str, Ground]:
    """guard.yaml's grounds, by code. Raises `ConfigurationError`."""
    found = {
        code: Ground(code, frozenset(row["for"]), row["basis"], row.get("chosen", True))
        for code, row in _data()["grounds"].items()
    }
    if any(not ground.whats or ground.whats - _WHATS for ground in found.values()):
        raise ConfigurationError("guard.yaml: a ground is for delay or omit")
    return found


@cache
def _data() -> Mapping[str, Any]:
    data: Mapping[str, Any] = read_yaml(Path(__file__).parent / "guard.yaml")
    return data


def _about_relatives(line: Line) -> bool:
    return any(name.split(".")[0] in _data()["relatives"] for name in line.row["categories"])


def _keys(lines: Iterable[Line]) -> tuple[str, ...]:
    return tuple(line.key for line in lines)


def _day(micros: int) -> str:
    """The day after which it is certainly over."""
    return datetime.fromtimestamp(micros / 1e6 + 86_400, UTC).date().isoformat()
