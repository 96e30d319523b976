"""Entries of what people do go to the shard of the year they are written in, as exchanges do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from audit import Draft, Ledger, Record


class Book(Protocol):
    """One shard, open for writing (audit.log.years)."""

    @property
    def ledger(self) -> Ledger: ...
    def end(self) -> None: ...


class Shelf(Protocol):
    """Where this year's book is found."""

    async def begin(self) -> Any: ...


class ThisYear:
    """Writes in this year's book. Raises what the ledger raises."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

    async def append(self, drafts: Sequence[Draft]) -> list[Record]:
        book: Book = await self._shelf.begin()
        try:
            return list(await book.ledger.append(list(drafts)))
        finally:
            book.end()
