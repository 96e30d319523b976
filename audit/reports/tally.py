"""The follower: reads every new entry once and counts it, so that questions over years are answered in milliseconds.

    report_cursor   how far each shard was read; moves in the same transaction as the counts, so nothing counts twice
    report_notable  every entry that is neither an intent nor a good answer: refusals, failures, unknowns, looks, erasures
    report_day      how often, by day, topic, organisation, application, service, reason and authorisation
    report_field    how often each field was given, by month, authorisation, service and organisation
    report_block    in which blocks of entries a version of a policy was applied
    report_trace    where the entries of an exchange stand; intents are named by what ended them

Nothing personal stands here. All of it can be thrown away and counted anew (`rebuild`). Several processes may follow:
whoever comes second finds the cursor moved, and leaves the work to the first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from time import gmtime
from typing import Any

import orjson

from audit.reports.tables import Tables, Write

BLOCK = 256  # entries of a shard that a policy version is looked up in at a time
BATCH = 1_000  # entries counted in one transaction
SCHEMA: Sequence[str] = (
    "CREATE TABLE IF NOT EXISTS report_cursor (shard INTEGER PRIMARY KEY, done INTEGER NOT NULL)",
    "CREATE TABLE IF NOT EXISTS report_notable (ts INTEGER NOT NULL, shard INTEGER NOT NULL, idx INTEGER NOT NULL,"
    " topic TEXT NOT NULL, org TEXT NOT NULL, reason TEXT NOT NULL, ref INTEGER, PRIMARY KEY (shard, idx)) WITHOUT ROWID",
    "CREATE INDEX IF NOT EXISTS report_notable_by_topic ON report_notable (topic, ts, shard, idx)",
    "CREATE INDEX IF NOT EXISTS report_notable_by_org ON report_notable (topic, org, ts, shard, idx)",
    "CREATE INDEX IF NOT EXISTS report_notable_by_ref ON report_notable (shard, ref) WHERE ref IS NOT NULL",
    "CREATE TABLE IF NOT EXISTS report_day (day INTEGER NOT NULL, topic TEXT NOT NULL, org TEXT NOT NULL,"
    " app TEXT NOT NULL, name TEXT NOT NULL, reason TEXT NOT NULL, policy TEXT NOT NULL, activity TEXT NOT NULL,"
    " n INTEGER NOT NULL, PRIMARY KEY (day, topic, org, app, name, reason, policy, activity)) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS report_field (month INTEGER NOT NULL, policy TEXT NOT NULL, name TEXT NOT NULL,"
    " org TEXT NOT NULL, field TEXT NOT NULL, n INTEGER NOT NULL, PRIMARY KEY (month, policy, name, org, field)) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS report_block (ver TEXT NOT NULL, shard INTEGER NOT NULL, block INTEGER NOT NULL,"
    " since INTEGER NOT NULL, until INTEGER NOT NULL, PRIMARY KEY (ver, shard, block)) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS report_trace (trace INTEGER NOT NULL, shard INTEGER NOT NULL, idx INTEGER NOT NULL,"
    " PRIMARY KEY (trace, shard, idx)) WITHOUT ROWID",
)
_FORGET = (
    *("DELETE FROM report_cursor", "DELETE FROM report_notable", "DELETE FROM report_day"),
    *("DELETE FROM report_field", "DELETE FROM report_block", "DELETE FROM report_trace"),
)

_SHARDS = (
    "SELECT h.no, coalesce(c.done, 0), (SELECT coalesce(max(idx) + 1, 0) FROM entry WHERE shard = h.no)"
    " FROM shard h LEFT JOIN report_cursor c ON c.shard = h.no ORDER BY h.no"
)
# An intent says nothing that its outcome does not say again, and half of all entries are intents: they are not read.
# A checkpoint is what the anchor log holds: a note about another shard, no entry of an exchange.
_READ = (
    "SELECT idx, ts, kind, ref, body FROM entry WHERE shard = ? AND idx >= ? AND idx < ?"
    " AND kind <> 'intent' AND kind <> 'checkpoint' ORDER BY idx"
)
_BEGIN = "INSERT INTO report_cursor (shard, done) VALUES (?, 0) ON CONFLICT DO NOTHING"
_MOVE = "UPDATE report_cursor SET done = ? WHERE shard = ? AND done = ?"
_NOTABLE = "INSERT INTO report_notable (ts, shard, idx, topic, org, reason, ref) VALUES (?,?,?,?,?,?,?)"
_DAY = (
    "INSERT INTO report_day (day, topic, org, app, name, reason, policy, activity, n) VALUES (?,?,?,?,?,?,?,?,?)"
    " ON CONFLICT (day, topic, org, app, name, reason, policy, activity) DO UPDATE SET n = report_day.n + excluded.n"
)
_FIELD = (
    "INSERT INTO report_field (month, policy, name, org, field, n) VALUES (?,?,?,?,?,?)"
    " ON CONFLICT (month, policy, name, org, field) DO UPDATE SET n = report_field.n + excluded.n"
)
_IN_BLOCK = (
    "INSERT INTO report_block (ver, shard, block, since, until) VALUES (?,?,?,?,?) ON CONFLICT (ver, shard, block)"
    " DO UPDATE SET until = CASE WHEN excluded.until > report_block.until THEN excluded.until ELSE report_block.until END,"
    " since = CASE WHEN excluded.since < report_block.since THEN excluded.since ELSE report_block.since END"
)
_TRACE = "INSERT INTO report_trace (trace, shard, idx) VALUES (?,?,?)"


class Follower:
    """Counts what is new. `late_refusals`: reason codes that are a refusal although the source had been asked."""

    def __init__(self, tables: Tables, late_refusals: Collection[str] = ()) -> None:
        self._tables = tables
        self._late = frozenset(late_refusals)

    def follow(self, most: int | None = None) -> int:
        """Count new entries, at most about `most`; return how many are left. Call it every second, in a thread."""
        left = 0
        for shard, done, head in self._tables.rows(_SHARDS):
            while done < head and (most is None or most > 0):
                end = min(head, done + BATCH)
                if not self._count(shard, done, end):
                    break  # another process was quicker
                most = most if most is None else most - (end - done)
                done = end
            left += head - done
        return left

    def behind(self) -> int:
        """How many entries were not counted yet."""
        return sum(max(0, head - done) for _, done, head in self._tables.rows(_SHARDS))

    def rebuild(self) -> None:
        """Forget every count; the next `follow` starts from the first entry."""
        # A follower that is in the middle of a batch finds its cursor gone, and its counts are not kept.
        self._tables.write([(statement, [()]) for statement in _FORGET])

    def _count(self, shard: int, done: int, end: int) -> bool:
        if done == 0:
            self._tables.write([(_BEGIN, [(shard,)])])
        counts = _Counts(shard, self._late)
        for entry in self._tables.rows(_READ, shard, done, end):
            counts.add(*entry)
        return self._tables.write(counts.writes(), fence=(_MOVE, (end, shard, done)))


class _Counts:
    """What one batch of entries adds to the tables."""

    def __init__(self, shard: int, late: frozenset[str]) -> None:
        self._shard = shard
        self._late = late
        self._notable: list[tuple[Any, ...]] = []
        self._days: Counter[tuple[Any, ...]] = Counter()
        self._fields: Counter[tuple[Any, ...]] = Counter()
        self._blocks: dict[tuple[str, int, int], list[int]] = {}
        self._traces: list[tuple[int, int, int]] = []

    def add(self, index: int, ts: int, kind: str, ref: int | None, body: bytes) -> None:
        entry: dict[str, Any] = orjson.loads(body)
        consumer, policy = entry.get("consumer") or {}, entry.get("policy") or {}
        reason = entry.get("reason_code", "")
        org, app, name, rule = consumer.get("org", ""), consumer.get("app", ""), entry["name"], policy.get("id", "")
        topic = self._topic(kind, entry.get("status"), reason)
        day = day_of(ts)
        self._traces.append((trace_number(entry["trace_id"]), self._shard, index))
        self._days[day, topic, org, app, name, reason, rule, entry.get("dpl.core.processing_activity_id", "")] += 1
        if topic != "outcome":
            self._notable.append((ts, self._shard, index, topic, org, reason, ref))
        if topic == "outcome":
            for field in entry.get("categories") or ():
                self._fields[day // 100, rule, name, org, field] += 1
        if "ver" in policy:
            span = self._blocks.setdefault((policy["ver"], self._shard, index // BLOCK), [ts, ts])
            span[0], span[1] = min(span[0], ts), max(span[1], ts)

    def _topic(self, kind: str, status: str | None, reason: str) -> str:
        if kind == "outcome" and status == "Error":
            return "denied" if reason in self._late else "failed"
        return kind

    def writes(self) -> Iterator[Write]:
        """In an order of keys, so that two followers never wait for each other."""
        yield from [(_TRACE, sorted(self._traces))] if self._traces else ()
        yield from [(_NOTABLE, self._notable)] if self._notable else ()
        yield from [(_DAY, [(*key, n) for key, n in sorted(self._days.items())])] if self._days else ()
        yield from [(_FIELD, [(*key, n) for key, n in sorted(self._fields.items())])] if self._fields else ()
        yield from [(_IN_BLOCK, [(*key, *span) for key, span in sorted(self._blocks.items())])] if self._blocks else ()


def trace_number(trace_id: str) -> int:
    """The first half of a trace id as a signed number: enough to find it, checked against the entry.

    >>> trace_number("ffffffffffffffff0000000000000000")
    -1
    """
    return int.from_bytes(bytes.fromhex(trace_id[:16]), "big", signed=True)


def day_of(ts: int) -> int:
    """Day of a timestamp in µs since 1970, UTC, as yyyymmdd.

    >>> day_of(1_795_440_600_123_456)
    20261123
    """
    moment = gmtime(ts // 1_000_000)
    return moment.tm_year * 10_000 + moment.tm_mon * 100 + moment.tm_mday
