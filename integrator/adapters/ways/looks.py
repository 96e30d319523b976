"""What a look at a package found: kept for `integrator adapter list`, and told when it is another thing than before."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from integrator.adapters.ways.journal import Journal

_OFTEN = 10.0  # seconds between two notes of the same


class Notes(Protocol):
    """Where it is kept: a Database."""

    async def run(self, work: Callable[[Any], Any]) -> Any: ...


@dataclass(slots=True)
class Looks:
    """Of one adapter."""

    adapter: str
    database: Notes
    now: Callable[[], float]
    tell: Callable[..., None]
    _said: str | None = None
    _noted: tuple[str | None, bool] | None = None
    _at: float = 0.0

    async def told(self, trouble: str | None, *, more: bool = False) -> None:
        """`trouble`: a code of findings.ADVICE, None = the package answered; `more`: something is there and not settled."""
        now = self.now()
        if self._noted != (trouble, more) or now - self._at >= _OFTEN:
            await self.database.run(lambda c: Journal(c, self.adapter).looked(now, trouble, more))
            self._noted, self._at = (trouble, more), now
        if trouble != self._said:
            self.tell(
                "adapter_way", connector=self.adapter, state="closed" if trouble else "open", reason=trouble or "OK"
            )
        self._said = trouble
