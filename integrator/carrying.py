"""An exchange whose effect is later, in its two halves. Part of the one way through: `exchange` takes in, the relay carries.

    take in:  decided ─► record intent ─► row in the outbox, in the transaction of its outcome ─► answer
    carry:    decide again ─► record intent ─► send what is granted now ─► record outcome, and what became of the row
                 └──────────► record denied, and the row is dead

Nothing leaves before its intent is durable. A grant that ended meanwhile lets nothing out that was accepted under it.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from audit import Statement
from integrator import clock
from integrator.delivery.backoff import Backoff
from integrator.delivery.outbox import Outbox
from integrator.delivery.terms import Deposit, Held, Sender, Sent
from integrator.errors import (
    ConditionUnknown,
    IntegratorError,
    KeyReused,
    NotAsAsked,
    PolicyDenied,
    SourceError,
    SourceUnavailable,
)
from integrator.metrics import Metrics
from integrator.model import RECEIVER, SENDER, Answer, Caller, Request, Trace
from integrator.policy import ADVICE, Denial, Permit
from integrator.pseudonyms import Pseudonyms
from integrator.recording import Call, Outcome, Recorder, Recording
from integrator.services import Service

_UNREADABLE = Denial(
    "UNREADABLE", None, "Its values cannot be opened. Put the key of its month back into the ring, then `delivery redrive`."
)  # fmt: skip

_NOT_FIRST = Denial(
    "EARLIER_NOT_DONE", None, "What had to be done before it was not. Mend and `delivery redrive` the earlier one, then this one."
)  # fmt: skip


async def take_in(
    recorder: Recorder, service: Service, request: Request, permit: Permit, record: Recording, deposit: Deposit, now: clock.Now
) -> Answer:  # fmt: skip
    """Accept a deposit, or give the answer that it got before. Raises `KeyReused`, `NotAsAsked`, `PolicyDenied`; each is recorded."""
    if deposit.whole and permit.withheld:
        denial = Denial("NOTHING_GRANTED", permit.grant.authorisation, ADVICE["NOTHING_GRANTED"], permit.purpose)
        refused = PolicyDenied(denial.reason, rule=denial.rule, advice=denial.advice)
        record.refuses(refused, await record.denied(service, request, denial))
        raise refused
    call = recorder.call(service, request, permit, request.keys)
    started = time.monotonic()
    async with deposit.alone():
        entries = await record.intents((call,), now())
        intents = {call.span_id: entries[0]}
        try:
            body = await deposit.earlier()
            rows: Sequence[Statement] = ()
            if body is None:
                body, rows = deposit.place(request, permit)
        except (KeyReused, NotAsAsked) as refusal:
            outcome = Outcome(error=refusal, milliseconds=_since(started), ended=now())
            record.refuses(refusal, entries + await record.outcomes(((call, outcome, b""),), intents))
            raise
        payload = orjson.dumps(body)
        outcome = Outcome(milliseconds=_since(started), ended=now(), released=False)
        entries += await record.outcomes(((call, outcome, payload),), intents, rows)
        await deposit.placed()
    return Answer(body, payload, request.trace, entries, record.shard, receipt=record.receipt)


@dataclass(frozen=True, slots=True)
class Carrying:
    """Carries what the outbox gave out, each message through decision, intent, sending and outcome."""

    services: Mapping[str, Service]
    decide: Callable[[Service, Request], Awaitable[Permit | Denial]]  # anew, by the texts and the files of now
    recorder: Recorder
    metrics: Metrics
    now: clock.Now
    outbox: Outbox
    senders: Mapping[str, Sender]  # by mode: push, effect
    backoff: Backoff = field(default_factory=Backoff)
    pseudonyms: Pseudonyms | None = None

    async def carry(self, held: Sequence[Held]) -> None:
        """Returns when every one of them is settled. Raises `LedgerUnwritable`; what is not settled is given out again."""
        record = await self.recorder.begin()
        try:
            calls = await self._all_decided(held, record)
            if calls:
                entries = await record.intents([call for _, call in calls], self.now())
                sending = [
                    self._one(one, call, intent, record) for (one, call), intent in zip(calls, entries, strict=True)
                ]
                await _all(sending)
        finally:
            record.end()

    async def hand_out(self, held: Sequence[Held]) -> list[tuple[Held, dict[str, Any]]]:
        """Of messages that their recipient came for, what is granted now, once that is recorded. They stay open."""
        record = await self.recorder.begin()
        try:
            calls = await self._all_decided(held, record)
            if not calls:
                return []
            entries = await record.intents([call for _, call in calls], self.now())
            given = [(one, call, _granted(one, call.permit)) for one, call in calls]
            done = [
                (call, Outcome(content or {"keys": True}, ended=self.now()), orjson.dumps(content))
                for _, call, content in given
            ]
            await record.outcomes(done, {call.span_id: entry for (_, call), entry in zip(calls, entries, strict=True)})
            return [(one, content) for one, _, content in given]
        finally:
            record.end()

    async def _all_decided(self, held: Sequence[Held], record: Recording) -> list[tuple[Held, Call]]:
        """Side by side: a lease must not end while one decision after the other looks something up."""
        decided = await _all([self._decided(one, record) for one in held])
        return [call for call in decided if call is not None]

    async def _decided(self, held: Held, record: Recording) -> tuple[Held, Call] | None:
        """The call of one message, or None: it was refused, its row is dead, and both are recorded."""
        service = self.services.get(held.service)
        if service is None:  # taken away since; its messages wait for somebody to say what is to be done
            return None
        request = _request(held)
        try:
            decision = await self._follows(held) or (
                await self.decide(service, request) if held.readable else _UNREADABLE
            )
        except ConditionUnknown:  # nobody can say whether it may go: it is given out again when its lease is over
            return None
        if isinstance(decision, Denial) and decision.reason == "OUTSIDE_HOURS":
            return None  # likewise: its hour will come
        if isinstance(decision, Permit) and decision.withheld and held.kind != "event":
            decision = Denial(
                "NOTHING_GRANTED", decision.grant.authorisation, ADVICE["NOTHING_GRANTED"], decision.purpose
            )
        if isinstance(decision, Denial):
            self.metrics.decision(decision.reason)
            row = self.outbox.settled(held, "dead", reason=decision.reason)
            await record.denied(service, request, decision, (row,))
            return None
        shown = self._shown(held, decision)
        return None if shown is None else (shown, self.recorder.call(service, request, decision, request.keys))

    def _shown(self, held: Held, permit: Permit) -> Held | None:
        """As its receiver may know whom it is about; None when nobody can make pseudonyms: it waits, and no number leaves."""
        if not permit.grant.pseudonymise or held.mode == "effect":  # a source is written to by number
            return held
        if self.pseudonyms is None:
            return None
        keys, content = (self.pseudonyms.replaced(held.organisation, one) for one in (held.keys, held.content))
        return replace(held, keys=keys, content=content)

    async def _follows(self, held: Held) -> Denial | None:
        """Of what an answer set going, the next is done only when all before it are: else two would hold it, or nobody."""
        if held.mode != "effect" or held.question is None:
            return None
        before = [state for id_, _, state, _ in await self.outbox.after(held.question) if id_ < held.id]
        return _NOT_FIRST if any(state != "delivered" for state in before) else None

    async def _one(self, held: Held, call: Call, intent: int, record: Recording) -> None:
        started = time.monotonic()
        content = _granted(held, call.permit)
        over = held.deadline <= self.outbox.ms()
        if over:
            sent = _too_late(held)
        elif held.leased_until and held.leased_until <= self.outbox.ms():  # somebody else may have it by now
            sent = Sent("unknown" if held.mode == "effect" and held.lost else "again", "LEASE_ENDED")
        else:
            sent = await self._sent(held, content, call)
        state, due, reason = self._fate(held, sent)
        told = sent.verdict == "delivered"
        outcome = Outcome(
            {"delivered": True} if told else {}, error=None if told else _error(held, sent, reason or "FAILED"),
            milliseconds=_since(started), ended=self.now(),
        )  # fmt: skip
        payload = orjson.dumps(content) if told else b""
        row = self.outbox.settled(held, state, due=due, reason=reason)
        await record.outcomes(((call, outcome, payload),), {call.span_id: intent}, (row,))
        self.metrics.exchange(held.service, held.purpose, state, time.monotonic() - started)

    async def _sent(self, held: Held, content: Mapping[str, Any], call: Call) -> Sent:
        sender = self.senders.get(held.mode)
        if sender is None:
            return Sent("again", "NO_WAY_OUT")
        try:
            return await sender.send(held, content)
        except Exception as surprise:  # its words may hold anything: they stop here
            self.recorder.surprise(call, surprise)
            return Sent("unknown" if held.mode == "effect" else "again", "UNEXPECTED")

    def _fate(self, held: Held, sent: Sent) -> tuple[str, int | None, str | None]:
        """(state, due in ms, reason) after an attempt."""
        if sent.verdict == "delivered":
            return "delivered", None, None
        if sent.verdict == "never":
            return ("expired" if sent.reason == "EXPIRED" else "dead"), None, sent.reason
        due = self.outbox.ms() + int(self.backoff.wait(held.attempts, sent.wait) * 1000)
        if due >= held.deadline and sent.verdict == "again":
            return "dead", None, f"DEADLINE_{sent.reason}"
        return ("waiting" if sent.verdict == "again" else "unknown"), min(due, held.deadline), sent.reason


def _too_late(held: Held) -> Sent:
    """What was surely not done expires; what may have been done needs somebody to look."""
    return Sent("never", "OUTCOME_UNKNOWN" if held.mode == "effect" and held.lost else "EXPIRED")


def _request(held: Held) -> Request:
    caller = Caller(held.organisation, held.application, held.purpose, held.agent)
    trace = Trace(os.urandom(16).hex(), os.urandom(8).hex(), held.trace)
    direction = RECEIVER if held.kind in ("message", "event") else SENDER  # an answer is read by whoever sent its question
    fields = frozenset(held.content) or None
    return Request(held.service, caller, held.keys, trace, fields, held.dossier, direction=direction)


def _granted(held: Held, permit: Permit) -> dict[str, Any]:
    """Nothing but what is granted now leaves, whatever was accepted."""
    return {name: value for name, value in held.content.items() if name in permit.fields}


def _error(held: Held, sent: Sent, reason: str) -> IntegratorError:
    """What the ledger says of an attempt without effect, or of one that nobody knows the effect of."""
    where = held.recipient if held.mode == "effect" else held.mode
    if sent.verdict == "never":
        return (DeliveryExpired if reason == "EXPIRED" else DeliveryRefused)(where, reason)
    return SourceUnavailable(where, reason) if sent.verdict == "again" else OutcomeUnknown(where, reason)


class DeliveryExpired(SourceError):
    """Its time was over before anybody took it. Nothing was sent by this attempt."""

    code, where = "DELIVERY_EXPIRED", "D1"


class DeliveryRefused(SourceError):
    """The other side refused for good; the outbox says why, and an operator may send it once more."""

    code, where = "DELIVERY_REFUSED", "D2"


class OutcomeUnknown(SourceError):
    """The other side may or may not have done it. It is asked before anything is repeated; nobody is told a no."""

    code, where, retryable = "OUTCOME_UNKNOWN", "D1", True


async def _all(work: Sequence[Any]) -> list[Any]:
    """Every one is finished before the first failure is raised: an outcome that can be recorded is recorded."""
    done = await asyncio.gather(*work, return_exceptions=True)
    for one in done:
        if isinstance(one, BaseException):
            raise one
    return done


def _since(started: float) -> float:
    return (time.monotonic() - started) * 1000
