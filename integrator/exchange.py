"""The one way through. Every façade hands its request to `Exchange.answer`, or to `Exchange.accept` what has its
effect later (its second half is carrying.py); nothing else may reach a connector.

    decide ─► record intent ─► ask the source(s) ─► extract permitted fields ─► check ─► record outcome ─► answer
       └────► record denied ─► refuse

No source is asked before its intent is durable; no answer exists before its outcome is durable (DESIGN §2.2). When the
ledger cannot be written, `LedgerUnwritable` leaves here and nothing else does. What happens between the two is calling.py
(one call), bodies.py (one question to several at once) and verdicts.py (what the parts say together); they record nothing of it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import orjson

from integrator import clock
from integrator.bodies import ask_each
from integrator.calling import Calls
from integrator.carrying import take_in
from integrator.contract import Connector
from integrator.deciding import Deciding, Registered, Standing
from integrator.delivery.terms import Deposit
from integrator.emergency import Emergencies
from integrator.errors import IntegratorError, Issue, MalformedRequest
from integrator.gathered import Body
from integrator.keytypes import NO_NUMBER, Pseudonym
from integrator.metrics import Metrics
from integrator.model import Answer, Request
from integrator.policy import Ask, Decision, Denial, Facts, Permit, Policies
from integrator.pseudonyms import Pseudonyms
from integrator.quotas import Quotas
from integrator.recording import Call, Outcome, Recorder, Recording
from integrator.scope import PartAnswer, Scope, Unknown
from integrator.services import Gather, Part, Service
from integrator.verdicts import part_answer, verdicts

# The moment is monotonic: until when.
Work = Callable[[Service, Request, Permit, Standing, Recording, float], Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class Exchange:
    """Everything one exchange needs, handed in by the composition root."""

    services: Mapping[str, Service]
    policies: Policies
    connectors: Mapping[str, Connector]
    recorder: Recorder
    metrics: Metrics
    now: clock.Now
    territory: Callable[[str], str | None]  # which municipality an organisation stands for (NIS code), if any
    deadline: float = 10.0  # seconds from the knock
    registered: Registered | None = None  # directory of references; None = nobody can look, so nobody is told yes or no
    quotas: Quotas | None = None
    emergencies: Emergencies | None = None
    pseudonyms: Pseudonyms | None = None
    bodies: Mapping[str, Sequence[Body]] = field(default_factory=dict)  # of each source that is several
    deciding: Deciding = field(init=False)
    calls: Calls = field(init=False)

    def __post_init__(self) -> None:
        deciding = Deciding(
            self.services, self.policies, self.metrics, self.now, self.registered, self.quotas, self.emergencies,
            self.pseudonyms is not None,
        )  # fmt: skip
        calls = Calls(self.connectors, self.recorder, self.now, self.territory, self.pseudonyms)
        object.__setattr__(self, "deciding", deciding)  # frozen, and replaced as a whole
        object.__setattr__(self, "calls", calls)

    async def answer(self, request: Request) -> Answer:
        """Answer one question from a local application, or refuse it; either way, leave a durable trace."""
        asked = self._opened(request) if Pseudonym in map(type, request.keys.values()) else request
        return await self._through(asked, self._answered, "answered", pseudonym=asked is not request)

    async def accept(self, request: Request, deposit: Deposit) -> Answer:
        """Take in something whose effect is later: it is accepted when it is durable, in the transaction of its outcome.

        The same deposit again gives its first answer; another one under the same key is refused (`KeyReused`). Whom it is
        about is named by number: the order of a person's messages and their keys hang on it.
        """
        for name, value in request.keys.items():
            if type(value) is Pseudonym:
                raise MalformedRequest(Issue("invalidInput", "body", f"/{name}", NO_NUMBER))
        return await self._through(request, partial(self._accepted, deposit), "accepted")

    async def tell(self, request: Request, deposit: Deposit) -> Answer:
        """Take in what is for somebody who did not ask for it now: a change, for those who follow (`Deciding.told`)."""
        return await self._through(request, partial(self._accepted, deposit), "accepted", told=True)

    async def confirm(self, request: Request) -> Answer:
        """Ask whether something that was accepted earlier happened: recorded as any question, decided as what is carried."""
        return await self._through(request, self._answered, "answered", told=True)

    async def _through(
        self, request: Request, work: Work, ended: str, *, pseudonym: bool = False, told: bool = False
    ) -> Answer:
        """Decided, then done; counted however it ends."""
        started = time.monotonic()
        service = self.services[request.service]
        record = await self.recorder.begin()
        try:
            if told:
                permit, standing = await self.deciding.told(service, request, record), Standing()
            else:
                permit, standing = await self.deciding.permit(service, request, record, pseudonym=pseudonym)
            answer = await work(service, request, permit, standing, record, started + self.deadline)
        except IntegratorError as error:
            self.metrics.exchange(service.name, request.caller.purpose, error.code, time.monotonic() - started)
            raise
        finally:
            record.end()
        self.metrics.exchange(service.name, request.caller.purpose, ended, time.monotonic() - started)
        return answer

    async def _answered(
        self, service: Service, request: Request, permit: Permit, standing: Standing, record: Recording, deadline: float
    ) -> Answer:
        run: Work = self._compose if service.is_composition else self._single
        if service.gather is not None:
            run = partial(self._gather, service.gather)
        return await run(service, request, permit, standing, record, deadline)

    async def _accepted(
        self, deposit: Deposit, service: Service, request: Request, permit: Permit, standing: Standing, record: Recording, deadline: float
    ) -> Answer:  # fmt: skip
        del standing, deadline  # nothing that is handed in passes a condition, and no source is waited for
        return await take_in(self.recorder, service, request, permit, record, deposit, self.now)

    def weigh(self, service: Service, request: Request) -> tuple[Decision, Ask, Facts]:
        """How a question like this would be decided (integrator.deciding); nothing is asked, looked up or recorded."""
        return self.deciding.weigh(service, request)

    def _opened(self, request: Request) -> Request:
        """The question with numbers in the place of pseudonyms. What is none of this organisation is a wrong number."""
        keys: dict[str, Any] = dict(request.keys)
        for name, value in request.keys.items():
            if type(value) is Pseudonym:
                known = self.pseudonyms and self.pseudonyms.number(request.caller.organisation, value)
                if not known:
                    raise MalformedRequest(Issue("invalidInput", "body", f"/{name}", NO_NUMBER))
                keys[name] = known
        return replace(request, keys=keys)

    async def _intents(
        self, record: Recording, calls: Sequence[Call], standing: Standing, *, first: bool = True
    ) -> tuple[int, ...]:
        """Durable when this returns; an emergency then knows where it stands in the ledger, or never was one."""
        emergency = standing.emergency if first else None
        if emergency is None or self.emergencies is None:
            return await record.intents(calls, self.now())
        try:
            entries = await record.intents(calls, self.now())
        except Exception:
            await self.emergencies.drop(emergency)
            raise
        await self.emergencies.placed(emergency, record.shard, entries[0])
        return entries

    # --- one source ---------------------------------------------------------------------------------------------------

    async def _single(
        self, service: Service, request: Request, permit: Permit, standing: Standing, record: Recording, deadline: float
    ) -> Answer:
        call = self.recorder.call(service, request, permit, request.keys, broken=standing.broken)
        entries = await self._intents(record, (call,), standing)
        outcome = self.calls.covered(call, await self.calls.ask(call, deadline))
        body = {} if outcome.error else self.calls.given(call, outcome)
        payload = orjson.dumps(body)
        entries += await record.outcomes(((call, outcome, payload),), {call.span_id: entries[0]})
        if outcome.error is not None:
            record.refuses(outcome.error, entries)
            raise outcome.error
        return Answer(body, payload, request.trace, entries, record.shard, receipt=record.receipt)

    # --- one source that is several bodies ------------------------------------------------------------------------------

    async def _gather(
        self, gather: Gather, service: Service, request: Request, permit: Permit, standing: Standing, record: Recording, deadline: float
    ) -> Answer:  # fmt: skip
        """Every body at once; their intents share one commit, and so do their outcomes. Whoever cannot say is unknown."""
        bodies, began = self.bodies.get(service.source or "", ()), time.monotonic()
        whole = self.recorder.call(service, request, permit, request.keys, broken=standing.broken)
        asked = [
            self.recorder.call(service, request, permit, request.keys, parent=whole.span_id, body=body.number)
            for body in bodies
        ]
        indices = await self._intents(record, (whole, *asked), standing)
        each = list(zip(bodies, asked, strict=True))
        outcome, found, retry = await ask_each(self.calls, gather, whole, each, deadline, began)
        body = {} if outcome.error else self.calls.given(whole, outcome)
        payload = orjson.dumps(body)
        done = [(call, one, b"") for call, one in zip(asked, found, strict=True)]
        intents = {call.span_id: index for call, index in zip((whole, *asked), indices, strict=True)}
        entries = (*indices, *await record.outcomes((*done, (whole, outcome, payload)), intents))
        if outcome.error is not None:
            record.refuses(outcome.error, entries)
            raise outcome.error
        return Answer(body, payload, request.trace, entries, record.shard, retry, record.receipt)

    # --- several sources ----------------------------------------------------------------------------------------------

    async def _compose(
        self, service: Service, request: Request, permit: Permit, standing: Standing, record: Recording, deadline: float
    ) -> Answer:
        """Parts in parallel, wave after wave; each wave's intents share one commit, all outcomes share another."""
        now = self.now()
        whole = self.recorder.call(service, request, permit, request.keys, broken=standing.broken)
        parts = service.parts_for(permit.fields)
        answers: dict[str, PartAnswer] = {}
        done: list[tuple[Call, Outcome, bytes]] = []
        intents: dict[str, int] = {}
        opening: tuple[Call, ...] = (whole,)
        while waiting := [
            part for part in parts if part.name not in answers and (part.after is None or part.after in answers)
        ]:
            scope = self._scope(service, request, answers, now)
            calls = [(part, self._part_call(part, scope, request, whole, standing)) for part in waiting]
            asked = [(part, call) for part, call in calls if isinstance(call, Call)]
            answers.update({part.name: call for part, call in calls if isinstance(call, PartAnswer)})
            opened = (*opening, *(call for _, call in asked))
            if opened:
                indices = await self._intents(record, opened, standing, first=bool(opening))
                intents |= {call.span_id: index for call, index in zip(opened, indices, strict=True)}
                opening = ()
            asking = [self.calls.ask(call, deadline) for _, call in asked]
            for (part, call), found in zip(asked, await asyncio.gather(*asking), strict=True):
                outcome = self.calls.covered(call, found)
                answers[part.name] = part_answer(outcome)
                done.append((call, outcome, b""))
        body, retry_after = verdicts(self.services, service, permit, self._scope(service, request, answers, now), done)
        payload = orjson.dumps(body)
        verdict = Outcome(body, milliseconds=(self.now() - now) * 1000, ended=self.now())
        outcomes = await record.outcomes((*done, (whole, verdict, payload)), intents)
        return Answer(
            body, payload, request.trace, (*intents.values(), *outcomes), record.shard, retry_after, record.receipt
        )

    def _part_call(
        self, part: Part, scope: Scope, request: Request, whole: Call, standing: Standing
    ) -> Call | PartAnswer:
        """The call of one part; or what is known without asking: not needed, or not to be known."""
        service = self.services[part.service]
        wanted = True if part.when is None else part.when(scope)
        if wanted is not True:
            return PartAnswer() if wanted is False else PartAnswer(state="failed")
        try:
            keys = part.binding(scope)
        except Unknown:
            return PartAnswer(state="failed")
        decision = self.deciding.part(part, request, standing.facts)
        if not service.can_be_asked_by(keys) or isinstance(
            decision, Denial
        ):  # or a grant lapsed since the whole was permitted
            return PartAnswer(state="failed")
        return self.recorder.call(service, request, decision, keys, parent=whole.span_id)

    def _scope(self, service: Service, request: Request, answers: Mapping[str, PartAnswer], now: float) -> Scope:
        return Scope(request.keys, service.parameters, clock.today(now).isoformat(), answers)
