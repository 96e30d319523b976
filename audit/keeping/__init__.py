"""How long what is sealed beside the leaves is kept, who may shorten or lengthen that, and what is left afterwards.

    classes.py        retention classes: Y10 = ten years after the end of the month
    orders.py         who ordered, on what ground; every change here is an entry first
    calendar.py       per class and month: when it is due, whether it is held
    holds.py          hold, unhold: nothing of a class or month expires
    expiry.py         expire: one `erasure` entry, then the keys are destroyed and the rows dropped
    single.py         erase_one (court or data protection authority), restrict and release (GDPR art. 23)
    aliases.py        a replaced national number keeps its history
    completeness.py   per day a map from tag to entries, so that "nothing else about you" can be proved; pure
    maps.py           makes and keeps those maps each night, and gives a citizen the proof of a day

The leaves themselves are never touched: every proof that was valid stays valid.
"""

from __future__ import annotations

from audit.keeping.aliases import alias
from audit.keeping.calendar import Month, calendar
from audit.keeping.classes import RetentionClass, due
from audit.keeping.expiry import Expired, expire
from audit.keeping.holds import Hold, hold, holds, unhold
from audit.keeping.orders import Order
from audit.keeping.single import Restriction, erase_one, exchange_of, mend, release, restrict, restrictions

__all__ = [
    "Expired",
    "Hold",
    "Month",
    "Order",
    "Restriction",
    "RetentionClass",
    "alias",
    "calendar",
    "due",
    "erase_one",
    "exchange_of",
    "expire",
    "hold",
    "holds",
    "mend",
    "release",
    "restrict",
    "restrictions",
    "unhold",
]
