"""The whole ledger, verified from what is stored and what is published: nothing is believed but keys and arithmetic.

 1. What was signed last is remembered apart from the database: read first, so that a living hub is never ahead of us.
 2. Each anchor is rebuilt; its entries say which checkpoints every log ever had.
 3. Each log is rebuilt from its stored bytes: against its tiles, its checkpoint, its memory, and every anchored size.
 4. Every row: columns, time, intent and outcome, sealed values or the erasure entry that explains why there are none.
 5. Erasures that were relied on are themselves in the tree and say what happened.
 6. Witnesses and time stamps: there, right, and not stale.

Nothing is changed. A verification can be resumed: give the `marks` of the last one as `since`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import groupby

import orjson

from audit.errors import LedgerError, RollbackRefused
from audit.keys import KeyRing
from audit.ledger import now as system_clock
from audit.log.anchor import is_anchor
from audit.log.publication import Publication
from audit.log.state import SignedState
from audit.seal import month_of
from audit.store import Store
from audit.tree.checkpoint import Checkpoint
from audit.tree.merkle import CompactRange
from audit.tree.tiles import WIDTH
from audit.tree.trust import Trust
from audit.verify.daymaps import check_maps
from audit.verify.marks import Mark
from audit.verify.model import Report, Verdict
from audit.verify.onelog import Claim, OneLog
from audit.verify.orders import Erasure, Orders, objection
from audit.verify.outside import SECOND, Outside, Rules
from audit.verify.paths import sizes_in
from audit.verify.rows import CHUNK, Note, Rows
from audit.verify.sealed import check_values

Progress = Callable[[int, int], None]  # entries done, entries in all


def verify_ledger(
    store: Store,
    publication: Publication,
    trust: Trust,
    *,
    signed: SignedState | None = None,
    keyring: KeyRing | None = None,
    since: Mapping[str, Mark] | None = None,
    marks: dict[str, Mark] | None = None,
    progress: Progress | None = None,
    rules: Rules | None = None,
    clock: Callable[[], int] = system_clock,
) -> list[Verdict]:
    """Verify everything; one verdict for each of L1 to L6. Reads only; raises StoreFailed when the store is down.

    `signed` is the memory of what was signed (without it rollbacks are seen by the anchor alone). With `keyring` every
    sealed value is opened too (L1), ten to twenty times slower. `since` and `marks`: resume, see audit.verify.marks.
    `progress` is called with (entries done, entries in all). `clock`: µs since 1970.
    """
    check = _Check(store, publication, trust, rules or Rules(), clock(), dict(since or {}), progress)
    check.remember(signed)
    check.run(keyring)
    if marks is not None:
        marks.update(check.marks)
    return check.report.verdicts()


@dataclass(slots=True)
class _Check:
    store: Store
    publication: Publication
    trust: Trust
    rules: Rules
    now: int
    since: dict[str, Mark]
    progress: Progress | None
    report: Report = field(default_factory=Report)
    claims: dict[str, list[Claim]] = field(default_factory=dict)
    marks: dict[str, Mark] = field(default_factory=dict)
    logs: dict[str, OneLog] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    orders: Orders = field(default_factory=Orders)
    later: Orders | None = None  # read again, when something seems to lack its order
    anchored: dict[str, int] = field(default_factory=dict)  # largest anchored size of each log
    done: int = 0

    def remember(self, signed: SignedState | None) -> None:
        """What this hub remembers having signed becomes a claim like any other."""
        if signed is None:
            self.report.notes["L2"].append("the memory of what was signed was not given")
            return
        for origin in signed.origins():
            try:
                last = signed.last(origin)
            except RollbackRefused as error:
                self.report.add("L2", "CHECKPOINT_INVALID", origin, "the memory of what was signed last", error)
                continue
            if last is not None:
                self.claims.setdefault(origin, []).append(Claim(last.size, last.root, "the memory of what was signed"))

    def run(self, keyring: KeyRing | None) -> None:
        published = set(self.publication.origins())
        stored = set(self.store.shards())
        origins = sorted(stored | published | self.claims.keys(), key=lambda origin: (not is_anchor(origin), origin))
        self.sizes = {origin: self.store.size(origin) for origin in origins}
        self.orders = Orders.read(self.store)
        times: dict[str, list[int]] = {}
        for origin in origins:
            self._one(origin, times)
        for origin in origins:
            self._judge_rows(self.logs[origin])
        self._judge_erasures()
        self._declared_gaps()
        self._anchoring()
        for origin, written in times.items():
            log = self.logs[origin]
            Outside(origin, self.publication, self.trust, self.rules, self.report, self.now, log.roots, written).run()
        self._without_anchor(times)
        if keyring is None:
            self.report.notes["L6"].append("maps of days were not rebuilt: that takes the index keys")
            self.report.skipped["L1"] = "no keys were given: sealed values are there, but were not opened"
        else:
            check_values(self.store, keyring, self.logs.values(), self.report)
            check_maps(self.store, keyring, self.orders, self.report)

    # --- one log

    def _one(self, origin: str, times: dict[str, list[int]]) -> None:
        anchor = is_anchor(origin)
        rows = Rows(
            self.store, origin, self.orders, int(self.rules.tolerance * SECOND), anchor,
            lambda index, trace: self._intent_elsewhere(origin, index, trace),
        )  # fmt: skip
        claims = self.claims.setdefault(origin, [])
        log = OneLog(origin, self.store, self.publication, self.trust, self.report, rows, claims)
        log.patience = self.rules.patience
        mark = self.since.get(origin)
        if mark is not None and not anchor and mark.size <= self.sizes[origin]:
            log.start, log.base = mark.size, CompactRange(mark.size // WIDTH, mark.nodes)
            rows.expect, rows.newest, rows.open = mark.size, mark.newest, dict(mark.open)
        elif mark is not None and not anchor:
            claims.append(Claim(mark.size, mark.root(), "the last verification"))
        if anchor:
            written = times.setdefault(origin, [])
            log.bodies = lambda index, body: self._anchor_entry(origin, index, body)
            log.sizes |= {
                size for kind in ("witnessed", "timestamp") for size in sizes_in(self.publication, origin, kind, 2**53)
            }
        log.run(self._advance)
        self.logs[origin], self.sizes[origin] = log, log.stored
        self._fresh(log)
        if anchor:
            for start in range(0, log.stored, CHUNK):
                written += [row[1] for row in self.store.scan(origin, start, min(start + CHUNK, log.stored))]
        else:
            self.marks[origin] = Mark.of(log)

    def _advance(self, entries: int) -> None:
        self.done += entries
        if self.progress is not None:
            self.progress(self.done, sum(self.sizes.values()))

    def _anchor_entry(self, anchor: str, index: int, body: bytes) -> None:
        try:
            checkpoint = Checkpoint.parse(body.decode())
        except (LedgerError, ValueError):
            return  # found altered where the anchor is compared with its tiles
        claim = Claim(checkpoint.size, checkpoint.root, f"{anchor} entry {index}")
        self.claims.setdefault(checkpoint.origin, []).append(claim)
        self.anchored[checkpoint.origin] = max(self.anchored.get(checkpoint.origin, 0), checkpoint.size)
        self.report.checked["L3"] += 1

    def _intent_elsewhere(self, origin: str, index: int, trace: str) -> bool:
        """Whether an intent that is settled already, or stands in an earlier log of the same writer, is meant."""
        line = origin.rpartition("/")[0]
        for one in [origin, *(other for other in self.sizes if other != origin and other.startswith(f"{line}/"))]:
            for row in self.store.scan(one, index, index + 1):
                if row[2] == "intent" and _trace_of(row[5]) == trace:
                    return True
        return False

    def _fresh(self, log: OneLog) -> None:
        """The oldest entry that no checkpoint covers is young."""
        signed = log.checkpoint.size if log.checkpoint else 0
        waiting = self.store.scan(log.origin, signed, signed + 1)
        if not waiting or waiting[0][1] >= self.now - self.rules.sign_within * SECOND:
            if self.sizes[log.origin] > signed:
                self.report.notes["L2"].append(
                    f"{log.origin}: {self.sizes[log.origin] - signed} entries await a checkpoint"
                )
            return
        age = (self.now - waiting[0][1]) // SECOND
        invalid = any(f.code == "CHECKPOINT_INVALID" and f.where.startswith(log.origin) for f in self.report.findings)
        if not invalid:
            code = "CHECKPOINT_STALE" if log.checkpoint else "CHECKPOINT_MISSING"
            found = f"entry {signed} waits for {age} s" if log.checkpoint else "none"
            expected = f"a checkpoint within {self.rules.sign_within:.0f} s"
            rolled = any(
                f.code == "CHECKPOINT_ROLLED_BACK" and f.where.startswith(log.origin) for f in self.report.findings
            )
            if not rolled:
                self.report.add("L2", code, f"{log.origin}/checkpoint", expected, found)

    # --- what was noted about rows, now that wounds are known

    def _judge_rows(self, log: OneLog) -> None:
        intents = len(log.rows.open)
        if intents:
            self.report.notes["L6"].append(f"{log.origin}: {intents} intents without outcome")
        for note in log.rows.notes:
            wounded = self._explained(log, note.index) or self._explained(log, note.other)
            if not wounded and not self._since_then(log, note):
                self.report.add("L6", note.code, f"{log.origin} entry {note.index}", note.expected, note.found)

    def _explained(self, log: OneLog, index: int | None) -> bool:
        """Whether a place is wounded already, so that what else is wrong there follows from that."""
        if index is None:
            return False
        return index in log.wounded or (log.shifted is not None and index >= log.shifted) or index >= log.stored

    def _since_then(self, log: OneLog, note: Note) -> bool:
        """Whether an order that was recorded while we were reading explains it: a hub lives on meanwhile."""
        if note.code not in ("PAYLOAD_MISSING", "VIEW_ALTERED"):
            return False
        if self.later is None:
            self.later = Orders.read(self.store)
        entry = orjson.loads(self.store.scan(log.origin, note.index, note.index + 1)[0][5])
        place = (log.origin, note.index)
        if note.code == "VIEW_ALTERED":
            return self.later.restricted.get(place) != self.orders.restricted.get(place)
        found = self.later.covering(log.origin, note.index, entry["ret"], month_of(entry["ts"]))
        known = {(one.shard, one.index) for one in (*self.orders.months.values(), *self.orders.single.values())}
        return found is not None and (found.shard, found.index) not in known

    def _judge_erasures(self) -> None:
        """Erasure entries that explained something must be true, and in the tree."""
        whole = not any(log.start for log in self.logs.values())
        for erasure in (*self.orders.months.values(), *self.orders.single.values()):
            if erasure.explains:
                self._judge_erasure(erasure, whole)

    def _judge_erasure(self, erasure: Erasure, whole: bool) -> None:
        log = self.logs[erasure.shard]
        where = f"{erasure.shard} entry {erasure.index}"
        if any(finding.code == "ERASURE_FORGED" and finding.where == where for finding in self.report.findings):
            return
        signed = log.checkpoint.size if log.checkpoint else 0
        if erasure.index in log.wounded:
            self.report.add("L6", "ERASURE_FORGED", where, "an erasure entry as it was published", "an altered one")
            return
        if erasure.index >= signed:
            if erasure.ts < self.now - self.rules.sign_within * SECOND:
                self.report.add("L6", "ERASURE_FORGED", where, "an erasure entry that a checkpoint covers", "none does")
            return
        before = 0
        if "class" in erasure.entry and "index" not in erasure.entry:
            key = (str(erasure.entry["class"]), int(erasure.entry["month"]))
            erasure.of = sum(one.rows.counted.get(key, 0) for one in self.logs.values())
            before = sum(ts < erasure.ts for one in self.logs.values() for ts in one.rows.erased_singly.get(key, ()))
        wrong = objection(erasure, before, whole)
        if wrong is not None:
            self.report.add("L6", "ERASURE_FORGED", where, *wrong)

    def _declared_gaps(self) -> None:
        """After a restored backup the hub itself says, in a new log, what is missing: known, so told apart from a cut."""
        for origin, (signed, stored, who) in self.orders.gaps.items():
            log = self.logs.get(origin)
            if log is None or log.stored != stored:
                continue
            declared = {"TAIL_CUT", "CHECKPOINT_ROLLED_BACK", "CHECKPOINT_STALE"}
            kept = [
                f
                for f in self.report.findings
                if not (f.code in declared and f.where.startswith(f"{origin}/checkpoint"))
            ]
            kept = [f for f in kept if not (f.code in declared and f.where.startswith(f"{origin} "))]
            self.report.findings[:] = kept
            self.report.notes["L6"].append(f"{origin}: {signed - stored} entries were lost in a restore, as {who} says")

    # --- the anchor

    def _anchoring(self) -> None:
        """Each log's signed size is in the anchor, soon."""
        for origin, log in self.logs.items():
            if is_anchor(origin) or log.checkpoint is None or not any(map(is_anchor, self.logs)):
                continue
            covered = self.anchored.get(origin, 0)
            waiting = self.store.scan(origin, covered, covered + 1) if covered < log.checkpoint.size else []
            if waiting and waiting[0][1] < self.now - self.rules.anchor_within * SECOND:
                expected, found = f"anchored within {self.rules.anchor_within:.0f} s", f"entry {covered} is not"
                self.report.add("L3", "CHECKPOINT_NOT_ANCHORED", origin, expected, found)

    def _without_anchor(self, times: Mapping[str, list[int]]) -> None:
        if times:
            return
        for level in ("L3", "L4", "L5"):
            self.report.skipped[level] = "there is no anchor log"


def _trace_of(body: bytes) -> str | None:
    """The trace id of an entry; None for bytes that are no entry any more."""
    try:
        entry = orjson.loads(body)
    except ValueError:
        return None
    return entry.get("trace_id") if isinstance(entry, dict) else None


def codes_of(verdicts: list[Verdict]) -> list[str]:
    """The names of all wounds found, each once, in order of level."""
    found = [finding.code for verdict in verdicts for finding in verdict.findings]
    return [code for code, _ in groupby(sorted(set(found), key=found.index))]
