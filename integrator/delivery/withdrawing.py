"""A message is taken back by whoever sent it, as long as it is not answered: a consent that is revoked stops what it allowed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any

from audit import Statement
from integrator.delivery.depositing import lock
from integrator.delivery.outbox import Outbox
from integrator.delivery.tables import WITHDRAW, WITHDRAW_ROW, WITHDRAWN
from integrator.errors import AnsweredAlready
from integrator.model import Request
from integrator.policy import Permit


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """A Deposit. What was not fetched will not be; what was is not answered any more; its values are gone."""

    outbox: Outbox
    uid: str
    whole: bool = False

    def alone(self) -> AbstractAsyncContextManager[Any]:
        return lock(self.uid)

    async def earlier(self) -> Mapping[str, Any] | None:
        """Raises `AnsweredAlready`."""
        row = await self.outbox.find(self.uid)
        if row is not None and row["reason"] == WITHDRAWN:
            return self._body()
        if (
            row is None
            or row["answer"] not in ("awaiting", None)
            or (row["answer"], row["state"]) == (None, "delivered")
        ):
            raise AnsweredAlready
        return None

    async def placed(self) -> None:
        """Taken back twice is taken back."""

    def place(self, request: Request, permit: Permit) -> tuple[Mapping[str, Any], Sequence[Statement]]:
        del request, permit
        return self._body(), (Statement(WITHDRAW, WITHDRAW_ROW, (self.uid, self.outbox.ms())),)

    def _body(self) -> dict[str, Any]:
        return {"deliveryId": self.uid, "state": "withdrawn"}
