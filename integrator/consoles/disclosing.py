"""When the subject of a row may see it: what the purpose's `disclosure` says, and who the row was about.

immediate            at once
delayed(P30D)        when that much time has passed
withheld(reason)     not before somebody releases it
thirdPartySafe false only to the one who was asked about: from the line of somebody else's marriage or inheritance a
                     relative could learn what is not his to know
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from audit.reports import Row

_DELAYED = re.compile(r"delayed\(P(\d+)([DMY])\)").fullmatch
_DAYS = {"D": 1, "M": 31, "Y": 366}  # never too early
_DAY = 86_400_000_000  # µs


class Purpose(Protocol):
    @property
    def activity(self) -> str: ...
    @property
    def disclosure(self) -> Mapping[str, Any]: ...


def shows(purposes: Mapping[str, Purpose], now: Callable[[], int]) -> Callable[[Row], bool]:
    """A judge of rows at the time `now()` says (µs). A purpose that is not known any more hides nothing."""
    rules = {purpose.activity: purpose.disclosure for purpose in purposes.values()}

    def judge(row: Row) -> bool:
        rule = rules.get(row.activity or "")
        if rule is None:
            return True
        if row.part > 0 and not rule["thirdPartySafe"]:
            return False
        return now() >= row.ts + wait(rule["rule"])

    return judge


def wait(rule: str) -> int:
    """How long after the exchange, in µs; for ever when withheld, or written in a way nobody foresaw."""
    if rule == "immediate":
        return 0
    delayed = _DELAYED(rule)
    return int(delayed[1]) * _DAYS[delayed[2]] * _DAY if delayed else 2**62
