"""What an application hands in, on its way into the outbox: one message under one Idempotency-Key.

Its uid is a keyed tag of organisation, application, service and key: two processes that accept the same thing at the same
moment write the same row and give the same answer, without a table of keys beside the messages.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any
from weakref import WeakValueDictionary

import orjson

from audit import Statement
from integrator.delivery.outbox import Outbox
from integrator.delivery.tables import ACCEPT, ACCEPT_ROW, ANSWERED, ANSWERED_ROW
from integrator.delivery.terms import DAY
from integrator.errors import AnsweredAlready, KeyReused, NotAsAsked
from integrator.model import Request
from integrator.policy import Permit

_LOCKS: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()


def uid_of(outbox: Outbox, request: Request, key: str) -> str:
    """32 hex; the same for the same caller, service and key."""
    caller = request.caller
    return outbox.sealing.tag("uid", caller.organisation, caller.application, request.service, key).hex()


def lock(uid: str) -> asyncio.Lock:
    """One per uid and process, as long as somebody holds it."""
    found = _LOCKS.get(uid)
    if found is None:
        found = _LOCKS[uid] = asyncio.Lock()
    return found


@dataclass(frozen=True, slots=True)
class Message:
    """A Deposit: one message, for one recipient."""

    outbox: Outbox
    uid: str
    kind: str
    mode: str  # push | pull | effect
    recipient: str
    receiver: tuple[str, str, str]  # organisation, application, purpose: for whom is decided when it goes out
    request: Request  # as it was handed in
    content: Mapping[str, Any]
    subject: tuple[str, str] | None  # keeps its order
    expires: float  # days
    answer_days: float | None = None
    question: str | None = None
    whole: bool = True
    then: Sequence[Message] = ()  # what it sets going, accepted with it
    once: bool = False  # an answer beside which there is no other
    also: tuple[str, ...] = ()  # what else it answers: the letter that the question went on as
    other: NotAsAsked | None = None  # an answer to something else than was asked
    lane: tuple[str, ...] | None = None  # kept in order among these; None: among those to the same about the same

    def alone(self) -> AbstractAsyncContextManager[Any]:
        return lock(self.question if self.once and self.question else self.uid)

    async def earlier(self) -> Mapping[str, Any] | None:
        """Raises `KeyReused`, `AnsweredAlready`, `NotAsAsked`."""
        row = await self.outbox.find(self.uid)
        if row is None:
            if self.once and self.question and not await self.outbox.awaits(self.question):
                raise AnsweredAlready
            if self.other is not None:  # told only now, to whom a text grants what is compared
                raise self.other
            return None
        if row["digest"] != self._digest:
            raise KeyReused
        return self._body()

    async def placed(self) -> None:
        if self.outbox.database.dialect == "postgresql":  # elsewhere no other process accepts
            await self.earlier()

    def place(self, request: Request, permit: Permit) -> tuple[Mapping[str, Any], Sequence[Statement]]:
        content = {name: value for name, value in self.content.items() if name in permit.fields}
        rows = [self._row(request, content), *(one._row(one.request, one.content) for one in self.then)]
        answered = (self.question, *self.also) if self.kind == "answer" else ()
        rows += [Statement(ANSWERED, ANSWERED_ROW, (uid, "answered")) for uid in answered]
        return self._body(), rows

    def _row(self, request: Request, content: Mapping[str, Any]) -> Statement:
        now, caller = self.outbox.ms(), request.caller
        values: dict[str, Any] = {"keys": dict(request.keys), "content": content}
        values |= {"dossier": request.dossier} if request.dossier else {}
        values |= {"agent": caller.agent} if caller.agent else {}
        seal, tag = self.outbox.sealing.seal, self.outbox.sealing.tag
        lane = tag("lane", *(self.lane or (self.recipient, *(self.subject or ("", self.uid)))))
        by = now + int(self.answer_days * DAY) if self.answer_days else None
        row = (
            self.uid, self._digest, request.service, self.kind, self.mode, self.recipient, lane, *self.receiver,
            caller.organisation, caller.application, request.trace.trace_id, seal(values, self.uid, now),
            now, now, now + int(self.expires * DAY), "waiting", self.question, "awaiting" if by else None, by,
            caller.purpose,
        )  # fmt: skip
        return Statement(ACCEPT, ACCEPT_ROW, row)

    def _body(self) -> dict[str, Any]:
        return {"deliveryId": self.uid, "state": "accepted"}

    @property
    def _digest(self) -> bytes:
        """Of what was handed in, keyed: a content of few possible values cannot be guessed from it.

        Not of the subscription that it went to: who receives may change it before the sender says the same again.
        """
        asked = self.request
        said = [asked.caller.purpose, asked.keys, asked.dossier, self.content, self.question]
        told = orjson.dumps(said, option=orjson.OPT_SORT_KEYS)
        return self.outbox.sealing.tag("content", told.decode())
