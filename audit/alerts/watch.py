"""Reads the ledger behind the hot path and raises alerts. One process at a time; others take over when it ends.

What was judged is remembered in one row. After a restart the last day is read again, so that windows and counts are
whole, and an alert that was raised before is never raised twice: a finding has the same id whoever finds it.
"""

from __future__ import annotations

from audit.alerts.alerts import Append, draft_of, raised
from audit.alerts.judging import Judge
from audit.alerts.looks import Finding, Look
from audit.exports.walk import Processing, Walk
from audit.reports.tables import Tables
from audit.store import Store

SCHEMA = ("CREATE TABLE IF NOT EXISTS alert_watch (name TEXT PRIMARY KEY, place TEXT NOT NULL, ts INTEGER NOT NULL)",)
KINDS = ("outcome", "denied", "unknown")
_DAY = 86_400_000_000  # µs
_READ = "SELECT place, ts FROM alert_watch WHERE name = 'alerts'"
_MOVE = (
    "INSERT INTO alert_watch (name, place, ts) VALUES ('alerts', ?, ?)"
    " ON CONFLICT (name) DO UPDATE SET place = excluded.place, ts = excluded.ts"
)
_REMEMBERED = 40 * _DAY  # ids of alerts this old can no longer be found again


class Watch:
    """Call `step` every few seconds, in a thread. `since`: where a first run begins (µs); nothing older is judged."""

    def __init__(self, store: Store, tables: Tables, append: Append, judge: Judge, *, since: int = 0) -> None:
        self._store, self._tables, self._append, self._judge = store, tables, append, judge
        self._since = since
        self._place: str | None = None  # as we left the row
        self._ts = since
        self._raised: set[str] = set()
        self._whole = False  # whether judge and ids are as the row says
        self.behind = False  # whether the last step left something to judge

    def step(self, most: int = 5_000) -> int:
        """Judge what is new, at most about so many processings; return the number of alerts raised.

        Raises LedgerUnwritable, StoreFailed: the next step begins where this one began.
        """
        with self._store.chore("alerts") as mine:
            if not mine:
                return 0
            self._catch_up()
            self._whole = False  # whatever interrupts us: the judge has seen looks that count for nothing yet
            count = self._judge_new(most)
            self._whole = True
            return count

    def _judge_new(self, most: int) -> int:
        walk = Walk(self._tables, self._since, cursor=self._place, kinds=KINDS, restricted=True)
        found: list[Finding] = []
        newest = self._ts
        for processing in walk:
            newest = max(newest, processing.ts)
            if not _inside(processing):
                found += self._judge.look(look_of(processing))
            if walk.looked >= most:
                break
        self.behind = walk.looked >= most
        if not walk.looked:
            return 0
        count = self._raise(found)
        self._tables.write([(_MOVE, [(walk.cursor, newest)])])
        self._place, self._ts = walk.cursor, newest
        return count

    def _catch_up(self) -> None:
        """At first, after a failure, and where the row is not as we left it because another process judged meanwhile."""
        rows = self._tables.rows(_READ)
        place, ts = rows[0] if rows else (None, self._since)
        if self._whole and place == self._place:
            return
        self._raised = set(raised(self._store, max(0, ts - _REMEMBERED)))
        judge = Judge(self._judge.rules, self._judge.known)
        if place is not None:
            judged = Walk(self._tables, cursor=place).places
            walk = Walk(self._tables, ts - _DAY, ts + 1, kinds=KINDS, restricted=True)
            for processing in walk:
                if processing.index < judged.get(processing.shard, 0) and not _inside(processing):
                    # What single looks had to say was said then; what is known of them may be another thing today.
                    self._raise([one for one in judge.look(look_of(processing)) if one.scope])
        self._judge, self._place, self._ts, self._whole = judge, place, ts, True

    def _raise(self, found: list[Finding]) -> int:
        fresh = {one.id: one for one in found if one.id not in self._raised}
        if fresh:
            self._append([draft_of(one) for one in fresh.values()])
            self._raised |= fresh.keys()
        return len(fresh)


def _inside(processing: Processing) -> bool:
    """What the hub itself asked for the sake of a larger question is no look of its own: the whole is judged."""
    return "parent_span_id" in processing.entry


def look_of(processing: Processing) -> Look:
    """A processing as rules see it."""
    entry = processing.entry
    consumer = entry.get("consumer") or {}
    return Look(
        processing.shard, processing.index, processing.intent, processing.ts, entry["name"], consumer.get("org", ""),
        consumer.get("app", ""), processing.agent_tag, tuple(tag for _, tag in processing.tags), processing.leaf,
        entry.get("initiator") == "self", frozenset(entry.get("flags") or ()),
        processing.kind != "denied" and entry.get("status") != "Error", processing.tagged_by,
    )  # fmt: skip
