"""Opening an emergency, a second person's word on it, and what happens when nobody gives one.

Every decision becomes an `annotate` entry of the ledger, and what nobody looked at in time an `alert`: written by the hub
that runs, also for what a command decided while it did not.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from audit import Draft, LedgerError
from integrator import clock
from integrator.emergency.store import Emergency, Most, Store
from integrator.errors import ConditionUnknown, RequestRefused
from integrator.ids import new_id
from integrator.logs import log
from integrator.model import Request

FLAG = "BREAK_GLASS"  # as in the entries of the exchange
UNSEEN = "EMERGENCY_UNCONFIRMED"  # the alert's rule
RETENTION = "Y10"
Append = Callable[[Sequence[Draft]], Any]  # durable when it returns; blocks


@dataclass(frozen=True, slots=True)
class Rules:
    """How far an emergency goes."""

    hours: float = 24.0  # within which a second person confirms
    of_agent: Most = field(default_factory=lambda: Most(5, 2))
    of_application: Most = field(default_factory=lambda: Most(50, 20))  # whatever it calls its agents


class SecondPersonRefused(RequestRefused):
    """This word on an emergency does not count: `reason` says why."""

    code, where = "SECOND_PERSON_REFUSED", "C1"
    advice = (
        "Somebody else than the agent who asked decides, once; where that cannot be told, the hub's own officer does."
    )

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason  # SAME_PERSON | NOT_KNOWN | DECIDED | NOT_THERE


class Emergencies:
    """The office of one hub. Methods that do not say otherwise are for the event loop."""

    def __init__(self, store: Store, rules: Rules, now: clock.Now) -> None:
        self._store, self.rules, self._now = store, rules, now

    async def open(self, request: Request, broken: str) -> Emergency | None:
        """Keep it, durably, before anything is asked; None when this agent, or this application, may have no more. Raises `ConditionUnknown`."""
        caller, now = request.caller, self._now()
        if not caller.agent:
            return None
        one = Emergency(
            new_id(8), request.trace.trace_id, caller.organisation, caller.application, caller.agent, caller.purpose,
            request.service, broken, now, now + self.rules.hours * 3600,
            on_behalf_of=caller.on_behalf_of, vouched=caller.assurance is not None,
        )  # fmt: skip
        rules = self.rules
        try:
            fits = await asyncio.to_thread(
                self._store.add, one, since=now - 86_400, of_agent=rules.of_agent, of_application=rules.of_application
            )
        except SQLAlchemyError as error:
            log.error("emergencies_unknown", error=type(error).__name__)
            raise ConditionUnknown("QUOTA_UNKNOWN") from error
        return one if fits else None

    async def placed(self, one: Emergency, shard: str, index: int) -> None:
        """Its intent is durable there. A failure costs the alert its place, nothing else."""
        try:
            await asyncio.to_thread(self._store.placed, one.id, shard, index)
        except SQLAlchemyError as error:
            log.warning("emergency_not_placed", error=type(error).__name__, trace=one.trace)

    async def drop(self, one: Emergency) -> None:
        """Nothing was asked after all."""
        try:
            await asyncio.to_thread(self._store.drop, one.id)
        except SQLAlchemyError as error:
            log.warning("emergency_not_dropped", error=type(error).__name__, trace=one.trace)

    async def known(self, organisation: str | None) -> list[Emergency]:
        """Newest first; of one organisation, or (None) of all."""
        return await asyncio.to_thread(self.known_now, organisation)

    def known_now(self, organisation: str | None) -> list[Emergency]:
        """As `known`, blocking."""
        return self._store.known(organisation)

    async def find(self, id_: str, organisation: str | None) -> Emergency:
        """One that whoever sees this organisation's (None: all) may see. Raises `SecondPersonRefused`."""
        return await asyncio.to_thread(self._found, id_, organisation)

    async def waiting(self) -> float:
        """How many wait for a second person; not a number when nobody can look (metrics)."""
        try:
            return await asyncio.to_thread(self._store.undecided)
        except SQLAlchemyError:
            return float("nan")

    async def decide(self, id_: str, second: str, organisation: str | None, *, confirmed: bool) -> Emergency:
        """A second person confirms or rejects. `organisation`: whose emergencies they may see, None = all.

        That an account of the consoles belongs to somebody else than the agent is for who knows both (consoles/emergencies).
        Raises `SecondPersonRefused`.
        """
        return await asyncio.to_thread(self.decide_now, id_, second, organisation, confirmed=confirmed)

    def decide_now(self, id_: str, second: str, organisation: str | None, *, confirmed: bool) -> Emergency:
        """As `decide`, blocking (commands)."""
        one = self._found(id_, organisation)
        if not second or second in one.agents:
            raise SecondPersonRefused("SAME_PERSON")
        state = "confirmed" if confirmed else "rejected"
        if not self._store.decide(id_, state, second, self._now()):
            raise SecondPersonRefused("DECIDED")
        return self._store.find(id_) or one

    def _found(self, id_: str, organisation: str | None) -> Emergency:
        one = self._store.find(id_)
        if one is None or organisation not in (None, one.organisation):
            raise SecondPersonRefused("NOT_THERE")
        return one

    def settle(self, append: Append) -> int:
        """Write what was decided, and tell what nobody looked at in time; how many entries. Blocks; failures are logged.

        Each is claimed first, so that of several processes one writes it. One that dies in between leaves it to the next:
        then it may stand there twice, with the same trace id, never not at all.
        """
        written = 0
        try:
            for one in self._store.unrecorded():
                written += self._write(append, one, _decision(one), self._store.recorded)
            for one in self._store.overdue(self._now()):
                written += self._write(append, one, _alert(one), self._store.escalated)
        except (SQLAlchemyError, LedgerError) as error:
            log.warning("emergencies_not_settled", error=type(error).__name__)
        return written

    def _write(self, append: Append, one: Emergency, draft: Draft, done: Callable[[str, float], None]) -> bool:
        if not self._store.claim(one, self._now()):
            return False
        if one.state == "open":
            log.error("emergency_unconfirmed", trace=one.trace, purpose=one.purpose)
        try:
            append([draft])
        except LedgerError:
            self._store.release(one.id)
            raise
        done(one.id, self._now())
        return True

    def close(self) -> None:
        self._store.database.close()


def _decision(one: Emergency) -> Draft:
    trace, span = _ids(one, one.state)
    return Draft(
        type="annotate", trace_id=trace, span_id=span, name=f"emergency.{one.state}", retention=RETENTION,
        clear={**_about(one), "reason_code": one.broken, "initiator": "official"}, agent={"id": one.second or ""},
    )  # fmt: skip


def _alert(one: Emergency) -> Draft:
    trace, span = _ids(one, UNSEEN)
    return Draft(
        type="alert", trace_id=trace, span_id=span, name=f"alert.{UNSEEN}", retention=RETENTION,
        clear={**_about(one), "reason_code": UNSEEN, "counts": {"looks": 1}},
    )  # fmt: skip


def _ids(one: Emergency, word: str) -> tuple[str, str]:
    """Trace and span, always the same for one word on one emergency: written twice, it is seen."""
    digest = hashlib.sha256(f"emergency {one.id} {word}".encode()).hexdigest()
    return digest[:32], digest[32:48]


def _about(one: Emergency) -> dict[str, Any]:
    about: dict[str, Any] = {"consumer": {"org": one.organisation, "app": one.application}, "flags": [FLAG]}
    if one.shard is not None and one.place is not None:
        about |= {"shard": one.shard, "index": one.place}
    return about
