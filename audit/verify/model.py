"""What a verification says: for each level what was found wrong, each wound under its own name.

    L1 values → entry    L2 entry → ledger    L3 ledger → anchor    L4 witnesses    L5 time stamps    L6 the whole ledger

A level that could not be checked says why (`skipped`) and is not ok: nothing is passed over in silence.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

LEVELS = ("L1", "L2", "L3", "L4", "L5", "L6")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it must be. Holds no personal data: places, hashes, times, sizes."""

    level: str  # L1 … L6
    code: str  # stable: ENTRY_ALTERED, TAIL_CUT …, see docs/verify.md
    where: str  # log and index, or a published path
    expected: str
    found: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one level came to."""

    level: str
    ok: bool  # checked, and nothing wrong
    findings: tuple[Finding, ...]
    checked: int  # entries, checkpoints, stamps or values that were looked at
    skipped: str = ""  # why this level was not checked; "" = it was
    notes: tuple[str, ...] = ()  # worth knowing, nothing wrong: open intents, entries younger than the checkpoint


class Report:
    """Findings as they come, sorted into verdicts at the end."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []
        self.checked = dict.fromkeys(LEVELS, 0)
        self.skipped: dict[str, str] = {}
        self.notes: dict[str, list[str]] = {level: [] for level in LEVELS}

    def add(self, level: str, code: str, where: str, expected: object, found: object) -> None:
        self.findings.append(Finding(level, code, where, str(expected), str(found)))

    def verdicts(self, levels: Iterable[str] = LEVELS) -> list[Verdict]:
        return [self._verdict(level) for level in levels]

    def _verdict(self, level: str) -> Verdict:
        found = tuple(finding for finding in self.findings if finding.level == level)
        skipped = "" if found else self.skipped.get(level, "")
        ok = not found and not skipped
        return Verdict(level, ok, found, self.checked[level], skipped, tuple(self.notes[level]))
