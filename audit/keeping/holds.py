"""Holds: nothing of a class, a month, or both expires while one stands (a court case, an inquiry of the authority).

A hold has a date of review but ends only by `unhold`: forgetting to look again must not erase evidence.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime

from audit.entry import Record
from audit.errors import OrderRefused
from audit.keeping.orders import Order, entries_of, need_future, order_draft
from audit.ledger import Ledger
from audit.store import Store


@dataclass(frozen=True, slots=True)
class Hold:
    """One hold that stands. `retention` None = every class, `month` None = every month."""

    retention: str | None
    month: int | None  # yyyymm
    review: date
    since: datetime
    shard: str  # where its entry stands
    index: int

    def covers(self, retention: str, month: int) -> bool:
        """Whether it forbids that this class and month expire."""
        return self.retention in (None, retention) and self.month in (None, month)


def hold(
    ledger: Ledger, order: Order, *, retention: str | None = None, month: int | None = None, review: date
) -> Record:
    """Hold a class, a month or both (neither = everything) until `unhold`. Blocks; raises OrderRefused, LedgerUnwritable."""
    if not order.reason:
        raise OrderRefused("a hold says its reason")
    need_future(review, datetime.fromtimestamp(ledger.now() / 1e6, UTC).date())
    scope = _scope(retention, month)
    [record] = ledger.append_blocking([order_draft("hold", order, **scope, review=review.isoformat())])
    return record


def unhold(ledger: Ledger, order: Order, *, retention: str | None = None, month: int | None = None) -> Record:
    """End every hold of exactly this scope. Raises OrderRefused when there is none."""
    if not any((one.retention, one.month) == (retention, month) for one in holds(ledger.store)):
        raise OrderRefused("no hold of exactly this class and month stands")
    [record] = ledger.append_blocking([order_draft("unhold", order, **_scope(retention, month))])
    return record


def holds(store: Store) -> list[Hold]:
    """Every hold that stands, newest first: the entries say so, nothing else is asked."""
    standing, ended = [], set()
    for stored, entry in entries_of(store, ("hold", "unhold")):
        scope = entry.get("class"), entry.get("month")
        if stored.kind == "unhold":
            ended.add(scope)
        elif scope not in ended:
            since = datetime.fromtimestamp(stored.ts / 1e6, UTC)
            standing.append(Hold(*scope, date.fromisoformat(entry["review"]), since, stored.shard, stored.index))
    return standing


def _scope(retention: str | None, month: int | None) -> dict[str, str | int]:
    scope: dict[str, str | int] = {}
    if retention is not None:
        scope["class"] = retention
    if month is not None:
        scope["month"] = month
    return scope
