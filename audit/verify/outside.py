"""What others said about the anchor: witnesses that cosigned it, authorities that stamped it. Missing and stale are findings.

Sealing that may silently be left out protects nobody: a ledger without stamps looks exactly like one whose stamps were
removed. So what the rules expect and is not there is named.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509

from audit.errors import CheckpointInvalid, LedgerError, NoteInvalid, TrustInsufficient
from audit.log.publication import Publication
from audit.timestamps.stamp import check_stamp
from audit.tree.checkpoint import Checkpoint
from audit.tree.trust import Trust
from audit.verify.model import Report
from audit.verify.paths import root_at

SECOND = 1_000_000  # µs


@dataclass(frozen=True, slots=True)
class Rules:
    """What is expected of a ledger; times in seconds."""

    tolerance: float = 60.0  # an entry may be so much earlier than one before it
    sign_within: float = 60.0  # the oldest entry that no checkpoint covers
    anchor_within: float = 300.0  # the oldest entry that no anchor covers
    witness_within: float = 900.0  # the oldest anchor entry that no quorum cosigned
    stamp_within: float = 900.0  # the oldest anchor entry that nobody stamped
    patience: float = 0.5  # wait so long, once, for what a living hub has signed and is about to publish
    stamps: bool = True  # whether stamps are expected at all
    roots: Sequence[
        x509.Certificate
    ] = ()  # of time stamping authorities; none given = stamps are not checked, and said so


@dataclass(slots=True)
class Outside:
    """The check of one anchor's cosignatures and stamps. `times`: when each anchor entry was written, µs, newest last."""

    origin: str
    publication: Publication
    trust: Trust
    rules: Rules
    report: Report
    now: int
    roots: Mapping[int, bytes]  # rebuilt roots of the anchor, where known
    times: Sequence[int]

    def run(self) -> None:
        self._witnesses()
        self._stamps()

    def _witnesses(self) -> None:
        if self.trust.quorum is None:
            self.report.skipped["L4"] = "the policy asks for no witnesses (quorum none)"
            return
        newest = 0
        for path in self._files("witnessed"):
            newest = max(newest, self._cosigned(path))
        try:
            note = self.publication.read(f"{self.origin}/checkpoint")
            opened = self.trust.verify(note)
            newest = max(newest, Checkpoint.parse(opened.text).size)
        except (LedgerError, FileNotFoundError):
            pass  # the anchor's own signature is judged elsewhere; here only whether a quorum saw it counts
        self._age(
            "L4", "WITNESS", newest, self.rules.witness_within, f"cosigned as the quorum {self.trust.quorum} asks"
        )

    def _cosigned(self, path: Path) -> int:
        where = f"{self.origin}/witnessed/{path.name}"
        self.report.checked["L4"] += 1
        try:
            checkpoint = Checkpoint.parse(self.trust.verify(path.read_bytes()).text)
        except TrustInsufficient:
            return 0  # not enough of them yet; whether that matters, its age says
        except (NoteInvalid, CheckpointInvalid) as error:
            self.report.add("L4", "WITNESS_INVALID", where, "signatures of the anchor and its witnesses", error)
            return 0
        return checkpoint.size if self._is_ours("L4", where, checkpoint) else 0

    def _is_ours(self, level: str, where: str, checkpoint: Checkpoint) -> bool:
        root = self._root(checkpoint.size)
        if root is not None and root != checkpoint.root:
            self.report.add(level, "FORKED", where, f"root {root.hex()} of the stored anchor", checkpoint.root.hex())
        return root == checkpoint.root

    def _root(self, size: int) -> bytes | None:
        if size in self.roots:
            return self.roots[size]
        try:
            return root_at(self.publication, self.origin, size)
        except (LedgerError, FileNotFoundError, ValueError):
            return None

    def _stamps(self) -> None:
        if not self.rules.stamps:
            self.report.skipped["L5"] = "no time stamps are expected (no authority configured)"
            return
        if not self.rules.roots:
            self.report.skipped["L5"] = "no root certificate of a time-stamping authority was given"
        newest = 0
        for path in self._files("timestamp"):
            newest = max(newest, self._stamped(path))
        self._age("L5", "STAMP", newest, self.rules.stamp_within, "stamped by an authority")

    def _stamped(self, path: Path) -> int:
        size, where = int(path.name.partition("-")[0]), f"{self.origin}/timestamp/{path.name}"
        root = self._root(size)
        self.report.checked["L5"] += 1
        if root is None:
            self.report.add("L5", "STAMP_INVALID", where, f"an anchor of at least {size} entries", "a smaller one")
            return 0
        if not self.rules.roots:
            return size
        try:
            check_stamp(path.read_bytes(), Checkpoint(self.origin, size, root).text().encode(), self.rules.roots)
        except LedgerError as error:
            self.report.add("L5", "STAMP_INVALID", where, "a stamp over the anchor of that size", error)
            return 0
        return size

    def _age(self, level: str, name: str, newest: int, within: float, expected: str) -> None:
        """Nothing at all is MISSING, nothing for too long is STALE; a young anchor may still wait."""
        waiting = [ts for ts in self.times[newest:] if ts < self.now - within * SECOND]
        if not waiting:
            return
        oldest = (self.now - waiting[0]) // SECOND
        code = f"{name}_STALE" if newest else f"{name}_MISSING"
        found = f"entry {newest} waits for {oldest} s" if newest else "none"
        self.report.add(level, code, self.origin, f"{expected} within {within:.0f} s", found)

    def _files(self, kind: str) -> list[Path]:
        found = (self.publication.folder / self.origin / kind).glob("*")
        return sorted((path for path in found if path.name.partition("-")[0].isdigit()), key=_size)


def _size(path: Path) -> int:
    return int(path.name.partition("-")[0])
