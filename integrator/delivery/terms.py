"""The words of delivery, as values: what is kept until its effect, what came of an attempt, and the ports of both ends.

A message is `waiting` until it was `delivered`; an attempt whose fate nobody knows leaves it `unknown` until the other
side was asked. It ends `dead` (with a reason), `expired` or `purged` instead, and none of these is ever said without record.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from audit import Statement
from integrator.model import Request
from integrator.policy import Permit

OPEN = ("waiting", "unknown")
STATES = (*OPEN, "delivered", "dead", "expired", "purged")
DAY = 86_400_000  # ms


@dataclass(frozen=True, slots=True)
class Held:
    """One message of the outbox, leased to whoever got it. Times are ms since 1970."""

    id: int  # order of acceptance
    uid: str  # what both ends call it: 32 hex
    service: str
    kind: str  # event | message | answer | relay | write | erase | portability
    mode: str  # push | pull | effect
    recipient: str  # a subscription's uid, a question's uid, or the name of an effect
    organisation: str  # for whom is decided when it goes out: who receives it, or who has it written
    application: str
    purpose: str
    sender: str  # organisation that handed it in
    trace: str  # of its acceptance
    keys: Mapping[str, Any]
    content: Mapping[str, Any]  # as accepted; what leaves is what is granted then
    created: int
    deadline: int
    attempts: int  # this one included
    lost: bool  # an earlier attempt left no word of its outcome
    lease: str  # the mark of this lease: who lost it settles nothing
    dossier: str | None = None
    question: str | None = None  # uid of the message that this one answers
    agent: str | None = None
    leased_until: int = 0  # from then on somebody else may have it; 0: it is not leased, its recipient came for it
    readable: bool = True  # False: its values cannot be opened, so keys and content are empty


Verdict = Literal["delivered", "again", "never", "unknown"]


@dataclass(frozen=True, slots=True)
class Sent:
    """What came of one attempt. `reason` is a code; it reaches the ledger, the sender and the operator."""

    verdict: Verdict  # again: surely without effect, try later · never: refused for good · unknown: nobody knows
    reason: str | None = None
    wait: float = 0.0  # seconds the other side asks for


class Sender(Protocol):
    """One way out: webhooks, or the effects of sources. Raises nothing it can name; `fields` are those granted now."""

    async def send(self, held: Held, content: Mapping[str, Any]) -> Sent: ...


class Deposit(Protocol):
    """Something to be accepted: a message for the outbox, a subscription."""

    @property
    def whole(self) -> bool:
        """Whether it is accepted whole or not at all: half a declaration would be another one."""

    def alone(self) -> AbstractAsyncContextManager[Any]:
        """Held while it is accepted: the same deposit at the same time waits."""

    async def earlier(self) -> Mapping[str, Any] | None:
        """What was answered to the same deposit before. Raises `KeyReused` when another one bears its key, `NotAsAsked`."""

    def place(self, request: Request, permit: Permit) -> tuple[Mapping[str, Any], Sequence[Statement]]:
        """What is answered, and the rows that must be durable by then."""

    async def placed(self) -> None:
        """Raises `KeyReused` when, of two processes at the same moment, the other one was first."""
