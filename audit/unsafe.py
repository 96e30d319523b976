"""What must never run outside a benchmark."""

from __future__ import annotations

from collections.abc import Sequence

from audit.beside import Statement
from audit.draft import Draft
from audit.entry import Record
from audit.ledger import Ledger, now


class UnsafeNoLedger(Ledger):
    """UNSAFE: RECORDS NOTHING, CHECKS NOTHING, AND SAYS "DURABLE".

    It exists for one number only: the benchmark's "ledger on / ledger off". A hub that runs with this breaks the
    first promise it makes. Configuration cannot select it; only code that imports this module by name can.
    """

    def __init__(self, shard: str = "unsafe") -> None:
        self.shard = shard
        self.transactions = 0
        self._head = 0
        self._waiting = 0
        self._clock = now

    @property
    def healthy(self) -> bool:
        """Says yes, because the benchmark must not be refused."""
        return True

    @property
    def failure(self) -> Exception | None:
        """Never any: nothing is attempted."""
        return None

    async def append(self, drafts: Sequence[Draft], *, beside: Sequence[Statement] = ()) -> list[Record]:
        """Count the drafts and forget them."""
        return self.append_blocking(drafts)

    def append_blocking(self, drafts: Sequence[Draft], *, beside: Sequence[Statement] = ()) -> list[Record]:
        """Count the drafts and forget them."""
        first, self._head = self._head, self._head + len(drafts)
        return [Record(index, b"", 0) for index in range(first, self._head)]

    def close(self) -> None:
        """Nothing to close."""
