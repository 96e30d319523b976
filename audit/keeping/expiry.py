"""When a month of a class is over: one durable `erasure` entry, then its keys are destroyed and its rows dropped.

In that order, so that a verifier who misses a payload always finds the entry that says why; keys before rows, so that
what an old backup still holds is unreadable at once. The month stays listed until all is done: whatever kills this
process, the next run goes on where it stopped, and writes no second entry.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from audit.keeping.calendar import calendar
from audit.keeping.classes import RetentionClass
from audit.keeping.orders import Order, order_draft
from audit.keys import KeyRing, wrapping_key_name
from audit.ledger import Ledger
from audit.seal import AUDIENCES
from audit.store import Store

CHORE = "expire"


@dataclass(frozen=True, slots=True)
class Expired:
    """One month of one class that is no longer kept."""

    retention: str
    month: int  # yyyymm
    rows: int  # side rows dropped by this run


def expire(
    store: Store,
    keyring: KeyRing,
    ledger: Ledger,
    classes: Mapping[str, RetentionClass],
    today: date,
    order: Order | None = None,
) -> list[Expired]:
    """Erase everything that is due on `today`; returns what was erased, [] also when another process is at it.

    Blocks, for minutes when there is much: call it from a thread. `order` when a person asked for it now. A month
    that is held, or of a class without rule, is left. Raises LedgerUnwritable, KeyMissing or OSError; what was done
    until then stays done, and the next run goes on.
    """
    with store.chore(CHORE) as mine:
        if not mine:
            return []
        return [
            _expire_month(store, keyring, ledger, classes[row.retention], row.month, row.state == "erasing", order)
            for row in calendar(store, classes, today)
            if row.state in ("due", "erasing") and row.retention in classes
        ]


def _expire_month(
    store: Store,
    keyring: KeyRing,
    ledger: Ledger,
    rule: RetentionClass,
    month: int,
    recorded: bool,
    order: Order | None,
) -> Expired:
    if not recorded:
        clear = {"class": rule.code, "month": month, "count": store.counts(rule.code, month)}
        draft = order_draft("erasure", order, **clear, **({} if order else {"legal_basis": rule.legal_basis}))
        ledger.append_blocking([draft])
    for audience in AUDIENCES:
        keyring.destroy(wrapping_key_name(rule.code, month, audience))
    return Expired(rule.code, month, store.drop_month(rule.code, month))
