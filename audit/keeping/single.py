"""One entry: erased on order of a court or data protection authority, or restricted and later released (GDPR art. 23).

Each is an entry first, naming shard and index, and a change of the side rows after it. `mend` finishes what a crash
left between the two; run it at start and daily.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import orjson

from audit.entry import Record
from audit.errors import OrderRefused
from audit.keeping.holds import holds
from audit.keeping.orders import Order, entries_of, need_future, order_draft
from audit.ledger import Ledger
from audit.seal import month_of
from audit.store import Store, Stored

SHOWN, RESTRICTED = 0, 1  # values of `vis`
_WINDOW = 300_000_000  # µs: no exchange lasts longer, the settling of its intent included
_STEP = 5_000  # entries looked at together


@dataclass(frozen=True, slots=True)
class Restriction:
    """One entry that citizens are not shown, and when that must be looked at again."""

    shard: str
    index: int
    review: date
    since: datetime


def exchange_of(store: Store, shard: str, index: int) -> list[int]:
    """Every entry of the exchange that an entry belongs to, itself included: intents, outcomes, parts of a composition.

    Raises OrderRefused when there is no such entry.
    """
    named = _entry(store, shard, index)
    trace = orjson.loads(named.body)["trace_id"]
    return [
        stored.index
        for stored in _around(store, named)
        if trace.encode() in stored.body and orjson.loads(stored.body)["trace_id"] == trace
    ]


def erase_one(store: Store, ledger: Ledger, shard: str, indices: Iterable[int], order: Order) -> list[Record]:
    """Erase what is sealed beside these entries, for ever. The leaves stay, each with an `erasure` entry that names it.

    `order` is that of a court or data protection authority, with its file number, carried out by two people. Raises
    OrderRefused (nothing done) when it is not, when an entry does not exist, or when a hold covers it; LedgerUnwritable.
    """
    order.need_reference()
    order.need_two()
    entries = [_entry(store, shard, index) for index in indices]
    standing = holds(store)
    for stored in entries:
        if any(one.covers(orjson.loads(stored.body)["ret"], month_of(stored.ts)) for one in standing):
            raise OrderRefused(f"a hold covers entry {stored.index}: end it first, or ask who ordered it")
    records = _record(ledger, "erasure", order, entries)
    for stored in entries:
        store.erase(stored.shard, stored.index)
    return records


def restrict(
    store: Store, ledger: Ledger, shard: str, indices: Iterable[int], order: Order, *, review: date
) -> list[Record]:
    """Show these entries to no citizen until `release`. Name every entry of the exchange (see `exchange_of`).

    Until the date of review somebody must look whether it is still needed: see `restrictions`.
    """
    need_future(review, datetime.fromtimestamp(ledger.now() / 1e6, UTC).date())
    entries = [_entry(store, shard, index) for index in indices]
    records = _record(ledger, "restrict", order, entries, review=review.isoformat())
    for stored in entries:
        store.set_vis(stored.shard, stored.index, RESTRICTED)
    return records


def release(store: Store, ledger: Ledger, shard: str, indices: Iterable[int], order: Order) -> list[Record]:
    """Show these entries again. Raises OrderRefused for one that is not restricted."""
    restricted = {(one.shard, one.index) for one in restrictions(store)}
    entries = [_entry(store, shard, index) for index in indices]
    for stored in entries:
        if (stored.shard, stored.index) not in restricted:
            raise OrderRefused(f"entry {stored.index} of {stored.shard} is not restricted")
    records = _record(ledger, "release", order, entries)
    for stored in entries:
        store.set_vis(stored.shard, stored.index, SHOWN)
    return records


def restrictions(store: Store) -> list[Restriction]:
    """Every entry that is restricted now, by date of review."""
    standing = [
        Restriction(*place, date.fromisoformat(entry["review"]), datetime.fromtimestamp(stored.ts / 1e6, UTC))
        for place, (stored, entry) in _newest_by_place(store).items()
        if stored.kind == "restrict"
    ]
    return sorted(standing, key=lambda one: (one.review, one.shard, one.index))


def mend(store: Store) -> int:
    """Finish erasures, restrictions and releases that were recorded but, by a crash, not carried out; returns rows changed."""
    changed = 0
    for (shard, index), (stored, _) in _newest_by_place(store).items():
        wanted = RESTRICTED if stored.kind == "restrict" else SHOWN
        changed += store.set_vis(shard, index, wanted)
    for _, entry in entries_of(store, ("erasure",)):
        if "index" in entry:
            changed += store.erase(entry["shard"], entry["index"])
    return changed


def _newest_by_place(store: Store) -> dict[tuple[str, int], tuple[Stored, dict[str, Any]]]:
    """The last restrict or release of each entry that ever had one."""
    newest: dict[tuple[str, int], tuple[Stored, dict[str, Any]]] = {}
    for stored, entry in entries_of(store, ("restrict", "release")):
        newest.setdefault((entry["shard"], entry["index"]), (stored, entry))
    return newest


def _record(ledger: Ledger, type: str, order: Order, entries: list[Stored], **clear: Any) -> list[Record]:
    if not entries:
        raise OrderRefused("name at least one entry")
    return ledger.append_blocking(
        [order_draft(type, order, **clear, shard=stored.shard, index=stored.index) for stored in entries]
    )


def _entry(store: Store, shard: str, index: int) -> Stored:
    stored = next(store.read(shard, index, index + 1), None)
    if stored is None:
        raise OrderRefused(f"no entry {index} in shard {shard}")
    return stored


def _around(store: Store, named: Stored) -> Iterator[Stored]:
    """Entries of the same shard within the window; time and index go together but for the entries of one moment."""
    start = named.index
    while start > 0 and _entry(store, named.shard, start).ts >= named.ts - _WINDOW:
        start = max(0, start - _STEP)
    for stored in store.read(named.shard, start):
        if stored.ts > named.ts + _WINDOW:
            return
        if stored.ts >= named.ts - _WINDOW:
            yield stored
