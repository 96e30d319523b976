"""Who follows what: one application of one organisation, one purpose, one service; until a day that is said at once.

A subscription is accepted like a message: decided, recorded, and written in the transaction of its outcome.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import and_, or_, select

from audit import Statement
from integrator import clock
from integrator.database import Database
from integrator.delivery.depositing import lock
from integrator.delivery.sealing import Sealing
from integrator.delivery.tables import ENDPOINT, FOLLOW, FOLLOW_ROW, SUBSCRIPTION, UNFOLLOW, UNFOLLOW_ROW
from integrator.delivery.webhooks.pushing import Target
from integrator.errors import KeyReused, NoSuchDelivery
from integrator.model import Request
from integrator.policy import Permit

LONGEST = 2 * 366 * 86_400_000  # ms: then somebody says again that it is needed


@dataclass(frozen=True, slots=True)
class Subscription:
    """As it lies there. Times are ms since 1970."""

    uid: str
    organisation: str
    application: str
    purpose: str
    service: str
    fields: frozenset[str]  # the types of fields it wants to hear of; empty = all that is granted
    mode: str  # push | pull
    endpoint: str | None
    created: int
    ends: int
    ended: int | None

    def json(self) -> dict[str, Any]:
        told = {
            "subscriptionId": self.uid, "service": self.service, "purpose": self.purpose, "mode": self.mode,
            "fields": sorted(self.fields), "endDate": clock.today((self.ends - 1) / 1000).isoformat(),
            "state": "ended" if self.ended is not None else "active", "endpoint": self.endpoint,
        }  # fmt: skip
        return {name: value for name, value in told.items() if value not in (None, [])}


class Subscriptions:
    """Reads; rows are written beside entries."""

    def __init__(self, database: Database, sealing: Sealing, now: clock.Now) -> None:
        self.database, self.sealing, self._now = database, sealing, now

    def ms(self) -> int:
        return int(self._now() * 1000)

    async def followers(self, service: str, organisations: Sequence[str] | None = None) -> list[Subscription]:
        """Those in force now, oldest first; of these organisations only, if any are named."""
        now, s = self.ms(), SUBSCRIPTION.c
        wanted = and_(s.service == service, s.ends > now, or_(s.ended.is_(None), s.ended > now))
        if organisations is not None:
            wanted = and_(wanted, s.org.in_(organisations))
        return await self._all(wanted)

    async def mine(self, organisation: str, application: str) -> list[Subscription]:
        return await self._all(and_(SUBSCRIPTION.c.org == organisation, SUBSCRIPTION.c.app == application))

    async def get(self, uid: str) -> Subscription | None:
        found = await self._all(SUBSCRIPTION.c.uid == uid)
        return found[0] if found else None

    async def own(self, uid: str, organisation: str, application: str) -> Subscription:
        """One's own. Raises `NoSuchDelivery`, the same for another's and for none."""
        found = await self.get(uid)
        if found is None or (found.organisation, found.application) != (organisation, application):
            raise NoSuchDelivery
        return found

    async def target(self, uid: str) -> Target:
        """Where its messages are pushed now. Implements webhooks.pushing.Find."""
        e, s = ENDPOINT.c, SUBSCRIPTION.c
        query = (
            select(s.ends, s.ended, e.url, e.ended)
            .join_from(SUBSCRIPTION, ENDPOINT, and_(e.uid == s.endpoint, e.org == s.org), isouter=True)
            .where(s.uid == uid)
        )
        rows = await self.database.run(lambda c: c.execute(query).all())
        if not rows:
            return Target(None, "NO_SUBSCRIPTION")
        ends, ended, url, closed = rows[0]
        if ends <= self.ms() or ended is not None:
            return Target(None, "SUBSCRIPTION_ENDED")
        return Target(url) if url and closed is None else Target(None, "NO_ADDRESS")

    async def endpoint(self, url: str, organisation: str) -> str | None:
        """The uid of an address that was registered for this organisation, and is still."""
        query = select(ENDPOINT.c.uid).where(
            ENDPOINT.c.url == url, ENDPOINT.c.org == organisation, ENDPOINT.c.ended.is_(None)
        )
        rows = await self.database.run(lambda c: c.execute(query).all())
        return rows[0][0] if rows else None

    async def _all(self, wanted: Any) -> list[Subscription]:
        query = select(SUBSCRIPTION).where(wanted).order_by(SUBSCRIPTION.c.created, SUBSCRIPTION.c.uid)
        rows = await self.database.run(lambda c: c.execute(query).mappings().all())
        return [_read(row) for row in rows]


def _read(row: Any) -> Subscription:
    return Subscription(
        row["uid"], row["org"], row["app"], row["purpose"], row["service"], frozenset(orjson.loads(row["fields"])),
        row["mode"], row["endpoint"], row["created"], row["ends"], row["ended"],
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Following:
    """A Deposit: a subscription under its Idempotency-Key."""

    subscriptions: Subscriptions
    uid: str
    fields: frozenset[str]
    mode: str
    endpoint: str | None
    ends: int
    whole: bool = True

    def alone(self) -> AbstractAsyncContextManager[Any]:
        return lock(self.uid)

    async def earlier(self) -> Mapping[str, Any] | None:
        found = await self.subscriptions.get(self.uid)
        if found is None:
            return None
        if (found.fields, found.mode, found.endpoint, found.ends) != (
            self.fields, self.mode, self.endpoint, self.ends,
        ):  # fmt: skip
            raise KeyReused
        return self._body()

    async def placed(self) -> None:
        if self.subscriptions.database.dialect == "postgresql":
            await self.earlier()

    def place(self, request: Request, permit: Permit) -> tuple[Mapping[str, Any], Sequence[Statement]]:
        del permit  # what is granted is decided again for every event
        caller = request.caller
        row = (
            self.uid, self.subscriptions.sealing.tag("subscription", self.uid), caller.organisation, caller.application,
            caller.purpose, request.service, orjson.dumps(sorted(self.fields)).decode(), self.mode, self.endpoint,
            self.subscriptions.ms(), self.ends,
        )  # fmt: skip
        return self._body(), (Statement(FOLLOW, FOLLOW_ROW, row),)

    def _body(self) -> dict[str, Any]:
        return {"subscriptionId": self.uid, "state": "active"}


@dataclass(frozen=True, slots=True)
class Ending:
    """A Deposit: the end of a subscription. What waits for it is dead when its turn comes."""

    subscriptions: Subscriptions
    uid: str
    whole: bool = True

    def alone(self) -> AbstractAsyncContextManager[Any]:
        return lock(self.uid)

    async def earlier(self) -> Mapping[str, Any] | None:
        found = await self.subscriptions.get(self.uid)
        return {"subscriptionId": self.uid, "state": "ended"} if found is None or found.ended is not None else None

    async def placed(self) -> None:
        """Ended twice is ended."""

    def place(self, request: Request, permit: Permit) -> tuple[Mapping[str, Any], Sequence[Statement]]:
        del request, permit
        row = Statement(UNFOLLOW, UNFOLLOW_ROW, (self.uid, self.subscriptions.ms()))
        return {"subscriptionId": self.uid, "state": "ended"}, (row,)
