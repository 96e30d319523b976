"""What an operator does with dead letters: send them once more, or give them up. Each order is an entry of the ledger."""

from __future__ import annotations

import os
from collections.abc import Sequence

from audit import Draft, Ledger, Statement
from integrator.delivery.tables import (
    PURGE,
    PURGE_ROW,
    REDRIVE,
    REDRIVE_ROW,
    REGISTER,
    REGISTER_ROW,
    UNREGISTER,
    UNREGISTER_ROW,
)

_RETENTION = "Y10"


def redrive(ids: Sequence[int], now: int, days: float) -> list[Statement]:
    """Due at once, with so many days from now. `now`: ms since 1970."""
    return [Statement(REDRIVE, REDRIVE_ROW, (one, now, now + int(days * 86_400_000))) for one in ids]


def purge(ids: Sequence[int], now: int) -> list[Statement]:
    """The values go; the row stays, to say that there was one."""
    return [Statement(PURGE, PURGE_ROW, (one, now)) for one in ids]


def register(organisation: str, url: str, now: int) -> tuple[str, Statement]:
    """An address to which this organisation may have its messages pushed: its name, and the row."""
    uid = os.urandom(8).hex()
    return uid, Statement(REGISTER, REGISTER_ROW, (uid, organisation, url, now))


def unregister(organisation: str, url: str, now: int) -> Statement:
    """Nothing is pushed there any more: what waits for it is dead with NO_ADDRESS when its turn comes."""
    return Statement(UNREGISTER, UNREGISTER_ROW, (organisation, url, now))


def record(ledger: Ledger, word: str, rows: Sequence[Statement], *, count: int, reason: str, organisation: str = "") -> int:  # fmt: skip
    """Write the entry and the rows beside it; returns its index. Blocks. Raises what the ledger raises.

    `reason`: a code such as RECEIVER_MENDED; it stands in clear.
    """
    clear: dict[str, object] = {"op": "dpv:Restrict", "status": "Ok", "reason_code": reason, "count": count}
    if organisation:
        clear["consumer"] = {"org": organisation}
    draft = Draft(
        type="admin", trace_id=os.urandom(16).hex(), span_id=os.urandom(8).hex(), name=f"delivery.{word}", clear=clear,
        retention=_RETENTION,
    )  # fmt: skip
    [written] = ledger.append_blocking([draft], beside=rows)
    return written.index
