"""A change at a source becomes messages for those who follow: only organisations that keep a file about this person now.

change (id, subject, types of fields) ─► directory: who keeps a file, for which purpose
  ─► subscriptions of those, for that purpose ─► one exchange each: decided, recorded, in the outbox
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol

from audit import Statement
from integrator import clock
from integrator.delivery.depositing import Message, lock, uid_of
from integrator.delivery.outbox import Outbox
from integrator.delivery.subscriptions import Subscription, Subscriptions
from integrator.delivery.terms import Deposit
from integrator.errors import PolicyDenied
from integrator.model import RECEIVER, Answer, Caller, Request, Trace
from integrator.policy import Permit
from integrator.services import Service

Accept = Callable[[Request, Deposit], Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class Change:
    """What a source tells: that something changed about somebody, never what it is now."""

    id: str  # the source's own: the same change told twice is one
    ssin: str  # canonical
    fields: frozenset[str]  # types of fields that changed
    day: date  # on which whoever keeps a file is told
    teller: str  # organisation


class Directory(Protocol):
    """The directory of references: (organisation, purpose, quality) of every file kept about this person that day."""

    async def recipients(self, subject: str, day: date) -> Sequence[tuple[str, str, str]]: ...


Changed = Callable[[str, float], Awaitable[None]]  # number, when (epoch seconds)


class Announcer:
    """Makes messages of changes to one service of events."""

    def __init__(
        self, service: Service, directory: Directory, subscriptions: Subscriptions, outbox: Outbox, accept: Accept,
        changed: Changed | None = None, keepers: Collection[str] = (),
    ) -> None:  # fmt: skip
        """`changed`: whoever else must know that something of a person changed, when one of `keepers` tells it: the
        organisations that keep an authentic source. What anybody else says explains nothing."""
        self._changed, self._keepers = changed, keepers
        if service.later is None or service.later.kind != "event":
            raise ValueError(f"{service.name} is no service of events")
        self._service, self._later = service, service.later
        self._directory, self._subscriptions, self._outbox, self._accept = directory, subscriptions, outbox, accept

    def now(self) -> float:
        """Seconds since 1970."""
        return self._outbox.ms() / 1000

    async def announce(self, change: Change) -> int:
        """How many followers have a message of it now. Told twice, each has one. Raises `LedgerUnwritable`: tell it again."""
        if self._changed is not None and change.teller in self._keepers:
            await self._changed(change.ssin, self.now())
        files = {(one[0], one[1]) for one in await self._directory.recipients(change.ssin, change.day)}
        told = 0
        for one in await self._subscriptions.followers(self._service.name, sorted({org for org, _ in files})):
            if (one.organisation, one.purpose) in files and (wanted := _wanted(one, change)):
                told += await self._tell(one, change, wanted)
        return told

    async def _tell(self, follower: Subscription, change: Change, fields: frozenset[str]) -> int:
        caller = Caller(follower.organisation, follower.application, follower.purpose)
        trace = Trace(os.urandom(16).hex(), os.urandom(8).hex())
        request = Request(self._service.name, caller, {"ssin": change.ssin}, trace, fields, direction=RECEIVER)
        message = Message(
            self._outbox, uid_of(self._outbox, request, f"{follower.uid}:{change.id}"), "event", follower.mode, follower.uid,
            (caller.organisation, caller.application, caller.purpose), request, dict.fromkeys(sorted(fields), True),
            ("nrn", change.ssin), self._later.expires, whole=False,
        )  # fmt: skip
        try:
            await self._accept(request, message)
        except PolicyDenied:  # recorded; a follower whose grant ended hears nothing, not even that something happened
            return 0
        return 1


def _wanted(follower: Subscription, change: Change) -> frozenset[str]:
    return change.fields & follower.fields if follower.fields else change.fields


@dataclass(frozen=True, slots=True)
class Announcement:
    """A Deposit: one application tells what changed. Every follower has its message before the announcement is accepted."""

    announcer: Announcer
    uid: str  # of its key: told twice, it is one change
    request: Request
    whole: bool = True

    def alone(self) -> AbstractAsyncContextManager[Any]:
        return lock(self.uid)

    async def earlier(self) -> Mapping[str, Any] | None:
        """Tells the followers; those that were told keep the message they have."""
        request = self.request
        day = clock.today(self.announcer.now())
        fields = request.fields or frozenset()
        await self.announcer.announce(
            Change(self.uid, str(request.keys["ssin"]), fields, day, request.caller.organisation)
        )
        return None

    async def placed(self) -> None:
        """Nothing of its own lies anywhere."""

    def place(self, request: Request, permit: Permit) -> tuple[Mapping[str, Any], Sequence[Statement]]:
        del request, permit  # nobody is told how many follow
        return {"deliveryId": self.uid, "state": "accepted"}, ()
