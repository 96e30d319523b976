"""What the ledger says was asked, counted by shape: one pass over the entries, memory for the shapes only.

A shape is what a decision looks at and nothing of anybody: organisation, application, purpose, service, names of keys and
fields, past or not, and for purposes with hours (`timed`) the minute of the week. Millions of exchanges are a few thousand
shapes. Only the clear part is read: no key opens anything here, so roles, assurance and cases are not known.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import orjson

from audit import Store
from audit.log.anchor import is_anchor
from audit.store import Stored
from integrator.policy.conditions import week_minute


class Shape(NamedTuple):
    """One way to ask."""

    org: str
    app: str
    activity: str  # of the purpose, as the entry has it
    service: str
    keys: frozenset[str] | None  # names; None = the entry is from before they were noted
    fields: frozenset[str] | None  # None = whatever is granted
    past: bool
    part: bool  # inside a composition
    policy: str  # the authorisation that decided, or came nearest
    outcome: str  # permit, or the reason of the refusal
    minute: int | None = None  # of the week, in Brussels; None = nothing looks at it
    direction: str | None = None  # of what is delivered; None = a question, or an entry from before it was noted


class Given(NamedTuple):
    """One way to answer."""

    org: str
    app: str
    policy: str
    service: str
    categories: frozenset[str]


@dataclass(slots=True)
class Traffic:
    """What was asked and given in a period."""

    asked: Counter[Shape] = field(default_factory=Counter)
    given: Counter[Given] = field(default_factory=Counter)

    @property
    def exchanges(self) -> int:
        """Questions of callers; a composition is one."""
        return sum(n for shape, n in self.asked.items() if not shape.part)


def read_traffic(
    store: Store, since: int, until: int, *, org: str | None = None, timed: frozenset[str] = frozenset()
) -> Traffic:
    """Everything with since ≤ ts < until (µs). `timed`: activities of purposes with hours. Streams; raises what the store raises, never half an answer."""
    traffic = Traffic()
    for shard in store.shards():
        if not is_anchor(shard):
            count(traffic, _period(store, shard, since, until), org, timed)
    return traffic


def count(
    traffic: Traffic, entries: Iterable[Stored], org: str | None = None, timed: frozenset[str] = frozenset()
) -> None:
    """Add entries to the counts."""
    asked, given = traffic.asked, traffic.given
    for stored in entries:
        if stored.kind in ("intent", "denied"):
            entry = orjson.loads(stored.body)
            consumer = entry["consumer"]
            if org in (None, consumer["org"]):
                shape = _shape(entry, stored.kind, consumer)
                asked[shape._replace(minute=week_minute(stored.ts / 1e6)) if shape.activity in timed else shape] += 1
        elif stored.kind == "outcome":
            entry = orjson.loads(stored.body)
            consumer = entry["consumer"]
            if org in (None, consumer["org"]) and entry.get("categories"):
                categories = frozenset(entry["categories"])
                given[Given(consumer["org"], consumer["app"], entry["policy"]["id"], entry["name"], categories)] += 1


def _shape(entry: Mapping[str, object], kind: str, consumer: Mapping[str, str]) -> Shape:
    said = entry.get("asked")
    policy: Mapping[str, str] = entry["policy"]  # type: ignore[assignment]
    asked: Mapping[str, list[str]] = said if isinstance(said, Mapping) else {}
    return Shape(
        consumer["org"], consumer["app"], str(entry["dpl.core.processing_activity_id"]), str(entry["name"]),
        frozenset(asked["keys"]) if asked else None, frozenset(asked["fields"]) if "fields" in asked else None,
        bool(asked.get("past")), "parent_span_id" in entry, policy["id"],
        "permit" if kind == "intent" else str(entry.get("reason_code")),
        direction=str(asked["as"]) if "as" in asked else None,
    )  # fmt: skip


def _period(store: Store, shard: str, since: int, until: int) -> Iterator[Stored]:
    """Entries of a time, found by halving: times grow with the index."""
    start = _first(store, shard, since)
    yield from store.read(shard, start, _first(store, shard, until))


def _first(store: Store, shard: str, ts: int) -> int:
    low, high = 0, store.size(shard)
    while low < high:
        middle = (low + high) // 2
        if next(iter(store.read(shard, middle, middle + 1))).ts < ts:
            low = middle + 1
        else:
            high = middle
    return low


__all__ = ["Given", "Shape", "Traffic", "count", "read_traffic"]
