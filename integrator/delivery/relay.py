"""The relay: takes what is due and has it carried, many at a time, one at a time of each lane. Runs inside the hub, or apart."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

from integrator.delivery.queue import Queue
from integrator.delivery.terms import Held
from integrator.logs import log

Carry = Callable[[Sequence[Held]], Awaitable[None]]


class Relay:
    """`capacity`: messages under way at once; `batch`: of which so many share the commit of their intents."""

    def __init__(
        self, queue: Queue, carry: Carry, *, capacity: int = 512, batch: int = 128, pause: float = 1.0
    ) -> None:
        """`pause`: seconds between looks when nothing is due and nobody calls."""
        self._queue, self._carry = queue, carry
        self._capacity, self._batch, self._pause = capacity, batch, pause
        self._under_way: dict[asyncio.Task[None], int] = {}
        self._call = asyncio.Event()
        self._no_looking = self._no_carrying = False  # how the last attempt at each ended

    @property
    def failing(self) -> bool:
        """Whether outbox or ledger could not be used at the last attempt: nothing goes out until an attempt succeeds."""
        return self._no_looking or self._no_carrying

    @property
    def under_way(self) -> int:
        """Messages being carried now."""
        return sum(self._under_way.values())

    def wake(self) -> None:
        """Look now: something was accepted."""
        self._call.set()

    async def run(self) -> None:
        """Until cancelled; then what is under way is brought to its end."""
        try:
            while True:
                self._call.clear()
                if not await self._turn():
                    with suppress(TimeoutError):
                        await asyncio.wait_for(self._call.wait(), self._pause)
        finally:
            if self._under_way:
                await asyncio.wait(self._under_way)
            await self._queue.close()

    async def _turn(self) -> bool:
        """Take one batch; False when there is none, or no room for one."""
        room = min(self._batch, self._capacity - self.under_way)
        if room < min(self._batch, self._capacity) // 4:  # rather wait a moment than carry one by one
            return False
        try:
            held = await self._queue.next(room)
        except Exception as error:  # whatever it was: a relay that ended would be an outage nobody sees
            self._no_looking = True
            _halted(error)
            await asyncio.sleep(self._pause)
            return False
        self._no_looking = False
        if held:
            task = asyncio.create_task(self._carried(held))
            self._under_way[task] = len(held)
            task.add_done_callback(self._done)
        return bool(held)

    async def _carried(self, held: Sequence[Held]) -> None:
        try:
            await self._carry(held)
            self._no_carrying = False
        except Exception as error:  # not settled: given out again when its lease ends
            self._no_carrying = True
            _halted(error)

    def _done(self, task: asyncio.Task[None]) -> None:
        del self._under_way[task]
        self._call.set()


def _halted(error: Exception) -> None:
    log.warning("delivery_halted", error=type(error).__name__)
