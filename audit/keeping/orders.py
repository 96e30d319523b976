"""Who ordered something about keeping, and the entry that says so.

The person who orders, the second person, the file number and the reason are sealed (audiences agent and subject); in
clear stand only what is done to which class, month or entry, the ground, and the kind of authority. Entries about
keeping carry no subject: a search by person never meets them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import orjson

from audit.draft import Draft
from audit.errors import OrderRefused
from audit.store import Store, Stored

RETENTION = "Y30"  # an order outlives what it was about
AUTHORITIES = frozenset(("court", "dpa", "controller", "law"))
_END = 2**53


@dataclass(frozen=True, slots=True)
class Order:
    """An order about keeping. `by` and `second` are identifiers as the ledger's agents have them, never national numbers."""

    by: str  # who ordered it, e.g. the data protection officer
    legal_basis: str  # ELI or article, readable by every auditor
    authority: str = "controller"  # court, dpa (a data protection authority), controller, law
    reference: str = ""  # file number of the order; sealed
    reason: str = ""  # sealed
    second: str = ""  # the other person who agreed, where two are needed

    def __post_init__(self) -> None:
        if not self.by or not self.legal_basis:
            raise OrderRefused("an order names who gave it and its legal basis")
        if self.authority not in AUTHORITIES:
            raise OrderRefused(f"authority: one of {', '.join(sorted(AUTHORITIES))}")

    def need_two(self) -> None:
        """Raise OrderRefused unless two different people stand behind it."""
        if not self.second or self.second.casefold() == self.by.casefold():
            raise OrderRefused("this cannot be undone: a second person must agree, other than the one who orders")

    def need_reference(self) -> None:
        """Raise OrderRefused unless it is the order of a court or data protection authority, with its file number."""
        if self.authority not in ("court", "dpa") or not self.reference:
            raise OrderRefused("only a court or a data protection authority orders this; name the file number")


def order_draft(type: str, order: Order | None, **clear: Any) -> Draft:
    """The entry of an order; None = nobody ordered, the ledger does what its retention classes say."""
    committed, agent = {}, None
    if order is not None:
        clear |= {"legal_basis": order.legal_basis, "authority": order.authority}
        committed = {"case_ref": order.reference, "justification": order.reason}
        agent = {"id": order.by} | ({"second": order.second} if order.second else {})
    return Draft(
        type=type,
        trace_id=os.urandom(16).hex(),
        span_id=os.urandom(8).hex(),
        name=f"keeping.{type}",
        retention=RETENTION,
        clear={"initiator": "system" if order is None else "official", **clear},
        committed={name: value for name, value in committed.items() if value},
        agent=agent,
    )


def entries_of(store: Store, kinds: Sequence[str]) -> Iterator[tuple[Stored, dict[str, Any]]]:
    """Every entry of these kinds with its clear part, newest first."""
    before: tuple[int, str, int] | None = None
    while page := store.rare(kinds, 0, _END, before=before):
        for stored in page:
            yield stored, orjson.loads(stored.body)
        before = (page[-1].ts, page[-1].shard, page[-1].index)


def need_future(review: date, today: date) -> None:
    """Raise OrderRefused for a date of review that has passed."""
    if review <= today:
        raise OrderRefused("the date of review lies in the future")
