"""An order as audit.keeping does it: which entries it is about, what stands in its way, and carrying it out. Blocks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from audit import Ledger, Record, Store
from audit.errors import OrderRefused
from audit.keeping import (
    Month,
    Order,
    RetentionClass,
    calendar,
    erase_one,
    exchange_of,
    hold,
    holds,
    release,
    restrict,
    restrictions,
    unhold,
)
from audit.reports import Row
from audit.seal import month_of
from integrator.consoles.orders.wanted import Wanted, grounds

Places = Mapping[str, Sequence[int]]  # shard -> indices


@dataclass(frozen=True, slots=True)
class Plan:
    """What carrying out will do."""

    places: Places = field(default_factory=dict)
    obstacle: str = ""  # held | not_restricted | no_hold | restricted; empty = nothing stands in the way
    months: tuple[Month, ...] = ()  # held until now, erased by the next run (unhold); covered from now on (hold)
    stays: bool = False  # other lines of the same exchange are left as they are

    @property
    def count(self) -> int:
        return sum(len(indices) for indices in self.places.values())


def plan(store: Store, wanted: Wanted, rows: Sequence[Row], classes: Mapping[str, RetentionClass], today: date) -> Plan:
    """`rows`: the lines of the exchange as whoever asks may see them. Raises OrderRefused when an entry is gone."""
    if wanted.action in ("hold", "unhold"):
        return _months(store, wanted, classes, today)
    whole = _whole(store, rows)
    places: Places = whole if wanted.trace else {str(wanted.shard): [int(wanted.index or 0)]}
    named = {(shard, index) for shard, indices in places.items() for index in indices}
    stays = len(named) < sum(len(indices) for indices in whole.values())
    return Plan(places, _obstacle(store, wanted.action, named, rows), (), stays)


def _whole(store: Store, rows: Sequence[Row]) -> dict[str, list[int]]:
    """A line that stayed visible would tell the rest: every entry of the exchange, in each shard it stands in."""
    first = {row.shard: row.index for row in reversed(rows)}
    return {shard: exchange_of(store, shard, index) for shard, index in first.items()}


def _obstacle(store: Store, action: str, named: set[tuple[str, int]], rows: Sequence[Row]) -> str:
    restricted = {(one.shard, one.index) for one in restrictions(store)}
    if action == "release" and named - restricted:
        return "not_restricted"
    if action == "restrict" and named <= restricted:
        return "restricted"
    if action == "erase":
        standing = holds(store)
        for row in rows:
            if (row.shard, row.index) in named and any(
                one.covers(str(row.entry["ret"]), month_of(row.ts)) for one in standing
            ):
                return "held"
    return ""


def _months(store: Store, wanted: Wanted, classes: Mapping[str, RetentionClass], today: date) -> Plan:
    standing, scope = holds(store), (wanted.retention, wanted.month)
    rows = calendar(store, classes, today)
    if wanted.action == "hold":
        covered = [
            row for row in rows if wanted.retention in (None, row.retention) and wanted.month in (None, row.month)
        ]
        return Plan(months=tuple(covered))
    if not any((one.retention, one.month) == scope for one in standing):
        return Plan(obstacle="no_hold")
    others = [one for one in standing if (one.retention, one.month) != scope]
    freed = [
        row for row in rows if row.state == "held" and not any(one.covers(row.retention, row.month) for one in others)
    ]
    return Plan(months=tuple(freed))


def carry_out(store: Store, ledger: Ledger, wanted: Wanted, chosen: Plan, by: str, second: str) -> list[Record]:
    """Raises OrderRefused (nothing done), LedgerUnwritable, EntryRefused."""
    cite = grounds()[wanted.ground].cite
    order = Order(by, cite, wanted.authority, wanted.reference, wanted.reason, second)
    order.need_two()
    review = wanted.review_day
    match wanted.action:
        case "hold" if review:
            return [hold(ledger, order, retention=wanted.retention, month=wanted.month, review=review)]
        case "unhold":
            return [unhold(ledger, order, retention=wanted.retention, month=wanted.month)]
    written: list[Record] = []
    for shard, indices in chosen.places.items():
        match wanted.action:
            case "restrict" if review:
                written += restrict(store, ledger, shard, indices, order, review=review)
            case "release":
                written += release(store, ledger, shard, indices, order)
            case "erase":
                written += erase_one(store, ledger, shard, indices, order)
            case _:
                raise OrderRefused("an order is to restrict, release, hold, unhold or erase")
    return written


__all__ = ["Plan", "carry_out", "plan"]
