"""Leases in memory: a question is spent from what this process holds; only when that is empty is the table asked."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy.exc import SQLAlchemyError

from integrator import clock
from integrator.errors import ConditionUnknown
from integrator.logs import log
from integrator.model import Caller
from integrator.policy import Grant
from integrator.quotas.tables import Table

_MINUTE, _DAY = 60, 86_400  # seconds
_SURE = 1.0  # seconds: how long a used-up limit is believed to be used up; somebody else may give back
_KEPT = 86_400.0  # seconds that a window is kept after its end


@dataclass(frozen=True, slots=True)
class Want:
    """One question, counted against one limit."""

    key: str
    seconds: int  # length of the window
    limit: int


@dataclass(slots=True)
class _Lease:
    want: Want
    window: int
    left: int = 0
    used: bool = False  # since the last look at idle ones
    empty_until: float = 0.0  # epoch seconds


class Quotas:
    """What one process holds of every limit. From one event loop only."""

    def __init__(self, table: Table, now: clock.Now, *, lease: int = 32) -> None:
        """`lease`: how many questions at most are leased at once, and so wasted at most by a crash."""
        self._table, self._now, self._most = table, now, lease
        self._salt = table.salt()
        self._leases: dict[str, _Lease] = {}
        self._asking: dict[str, asyncio.Lock] = {}
        self._forgotten = now()

    async def take(self, wanted: Sequence[Want]) -> int | None:
        """One question against every one of these limits, or against none.

        None = go on; else the seconds after which asking again may help. Raises `ConditionUnknown` when the table
        cannot be asked.
        """
        spent: list[_Lease] = []
        for want in wanted:
            try:
                lease = await self._holding(want)
            except ConditionUnknown:
                _unspend(spent)
                raise
            if lease.left <= 0:
                _unspend(spent)
                return max(1, round((lease.window + 1) * want.seconds - self._now()))
            lease.left -= 1
            lease.used = True
            spent.append(lease)
        return None

    def wants(self, grants: Iterable[Grant], caller: Caller) -> tuple[Want, ...]:
        """What a question under these lines is counted against."""
        return tuple(wants(grants, caller, self._hidden))

    async def tidy(self) -> None:
        """Give back what was not used since the last time, forget what is over. Every few seconds; never raises."""
        now = self._now()
        try:
            for key, lease in list(self._leases.items()):
                if self._filling(key):  # what comes into it now belongs to who waits for it
                    continue
                over = lease.window != int(now // lease.want.seconds)
                if over or not lease.used:
                    self._leases.pop(key, None)
                    if not over:
                        await self._return(lease)
                lease.used = False
            for key in [key for key, lock in self._asking.items() if key not in self._leases and not lock.locked()]:
                del self._asking[key]
            if now - self._forgotten > _KEPT / 24:
                self._forgotten = now
                await asyncio.to_thread(self._table.forget, now - _KEPT)
        except SQLAlchemyError as error:
            log.warning("quotas_not_tidied", error=type(error).__name__)

    async def close(self) -> None:
        """Give back everything that is left."""
        leases, self._leases = self._leases, {}
        now = self._now()
        try:
            for lease in leases.values():
                if lease.window == int(now // lease.want.seconds):
                    await self._return(lease)
        except SQLAlchemyError as error:
            log.warning("quotas_not_given_back", error=type(error).__name__)
        finally:
            self._table.database.close()

    async def _holding(self, want: Want) -> _Lease:
        """The lease of this window; with something left in it, unless the limit is used up."""
        lease = self._current(want)
        if lease.left > 0 or self._now() < lease.empty_until:
            return lease
        async with self._asking.setdefault(want.key, asyncio.Lock()):
            lease = self._current(want)  # somebody may have filled it while we waited
            if lease.left <= 0 and self._now() >= lease.empty_until:
                ends = (lease.window + 1) * want.seconds
                try:
                    found = await asyncio.to_thread(
                        self._table.lease, want.key, lease.window, ends, want.limit, self._most
                    )
                except SQLAlchemyError as error:
                    log.error("quotas_unknown", error=type(error).__name__)
                    raise ConditionUnknown("QUOTA_UNKNOWN") from error
                lease.left += found
                lease.empty_until = 0.0 if found else min(self._now() + _SURE, ends)
        return lease

    def _current(self, want: Want) -> _Lease:
        window = int(self._now() // want.seconds)
        lease = self._leases.get(want.key)
        if lease is None or lease.window != window:
            lease = self._leases[want.key] = _Lease(want, window)
        return lease

    def _filling(self, key: str) -> bool:
        lock = self._asking.get(key)
        return lock is not None and lock.locked()

    async def _return(self, lease: _Lease) -> None:
        unused, lease.left = lease.left, 0
        if unused > 0:
            await asyncio.to_thread(self._table.give_back, lease.want.key, lease.window, unused)

    def _hidden(self, agent: str) -> str:
        return hashlib.blake2b(agent.encode(), key=self._salt, digest_size=12).hexdigest()


def _unspend(leases: Iterable[_Lease]) -> None:
    for lease in leases:
        lease.left += 1


def wants(grants: Iterable[Grant], caller: Caller, hidden: Callable[[str], str]) -> Iterator[Want]:
    """One for each limit of each line. A call without an agent is the application's own share."""
    for grant in grants:
        limits, key = grant.limits, f"{grant.id}|{caller.organisation}|{caller.application}"
        if limits.per_minute is not None:
            yield Want(f"{key}|minute", _MINUTE, limits.per_minute)
        if limits.per_day is not None:
            yield Want(f"{key}|day", _DAY, limits.per_day)
        if limits.per_agent_per_day is not None:
            who = hidden(f"{caller.organisation}|{caller.agent or ''}")
            yield Want(f"{key}|agent {who}", _DAY, limits.per_agent_per_day)
