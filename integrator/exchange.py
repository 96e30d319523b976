"""The one way through. Every façade hands its request to `Exchange.answer`, or to `Exchange.accept` what has its
effect later (its second half is carrying.py); nothing else may reach a connector.

    decide ─► record intent ─► ask the source(s) ─► extract permitted fields ─► check ─► record outcome ─► answer
       └────► record denied ─► refuse

No source is asked before its intent is durable; no answer exists before its outcome is durable (DESIGN §2.2). When the
ledger cannot be written, `LedgerUnwritable` leaves here and nothing else does.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import orjson

from integrator import clock, gathered
from integrator.carrying import take_in
from integrator.contract import Connector, Question, Reply
from integrator.deciding import Deciding, Registered, Standing
from integrator.delivery.terms import Deposit
from integrator.directory import OWN
from integrator.emergency import Emergencies
from integrator.errors import (
    IntegratorError,
    Issue,
    MalformedRequest,
    PolicyDenied,
    SourceError,
    SourceFault,
    SourceUnavailable,
    SubjectNotFound,
    SubjectReplaced,
)
from integrator.gathered import Body, Told
from integrator.keytypes import NO_NUMBER, Pseudonym
from integrator.mapping import Plan
from integrator.metrics import Metrics
from integrator.model import Answer, Request, Withheld
from integrator.patience import Patience
from integrator.policy import ADVICE, Ask, Decision, Denial, Facts, Permit, Policies, afterwards
from integrator.pseudonyms import Pseudonyms
from integrator.quotas import Quotas
from integrator.recording import Call, Outcome, Recorder, Recording
from integrator.scope import PartAnswer, Scope, Unknown
from integrator.services import Gather, Part, Service
from integrator.verdicts import part_answer, verdicts

# Moments are monotonic: until when, and since when.
Work = Callable[[Service, Request, Permit, Standing, Recording, float], Awaitable[Answer]]
Take = Callable[[Call, float, float], Awaitable[Outcome]]
_MINORS, _NOTHING = frozenset({"minors"}), frozenset[str]()


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
    _plans: dict[Permit, Plan] = field(default_factory=dict)
    registered: Registered | None = None  # directory of references; None = nobody can look, so nobody is told yes or no
    quotas: Quotas | None = None
    emergencies: Emergencies | None = None
    pseudonyms: Pseudonyms | None = None
    bodies: Mapping[str, Sequence[Body]] = field(default_factory=dict)  # of each source that is several
    deciding: Deciding = field(init=False)

    def __post_init__(self) -> None:
        deciding = Deciding(
            self.services, self.policies, self.metrics, self.now, self.registered, self.quotas, self.emergencies,
            self.pseudonyms is not None,
        )  # fmt: skip
        object.__setattr__(self, "deciding", deciding)  # frozen, and replaced as a whole

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
        outcome = self._covered(call, await self._ask(call, deadline))
        body = {} if outcome.error else self._given(call, outcome)
        payload = orjson.dumps(body)
        entries += await record.outcomes(((call, outcome, payload),), {call.span_id: entries[0]})
        if outcome.error is not None:
            record.refuses(outcome.error, entries)
            raise outcome.error
        return Answer(body, payload, request.trace, entries, record.shard, receipt=record.receipt)

    def _given(self, call: Call, outcome: Outcome) -> dict[str, Any]:
        """What the caller gets, with pseudonyms where the purpose gives no numbers."""
        body = _body(call, outcome)
        if call.permit.grant.pseudonymise and self.pseudonyms is not None:
            body = self.pseudonyms.replaced(call.request.caller.organisation, body)
        return body

    async def _ask(self, call: Call, deadline: float, take: Take | None = None) -> Outcome:
        """One call, its intent being durable. Every failure becomes an outcome, because it must be recorded first."""
        started = time.monotonic()
        error: IntegratorError
        try:
            with Patience(deadline - started):
                return await (take or self._extracted)(call, deadline, started)
        except TimeoutError:
            error = SourceUnavailable(call.source, "no answer within the deadline")
        except (SourceError, SubjectReplaced) as known:
            error = known
            self.recorder.failure(call, known)
        except Exception as surprise:
            # A surprise is ours to mend, but it must end as a recorded outcome; its text may hold data, so it stops here.
            error = SourceFault(call.source, "UNEXPECTED", f"the connector failed with {type(surprise).__name__}")
            self.recorder.surprise(call, surprise)
        return Outcome(error=error, milliseconds=_milliseconds(started), ended=self.now())

    async def _said(self, call: Call, plan: Plan, deadline: float) -> Reply:
        """What the connector brings, asked with no more than the plan needs."""
        service, permit, request = call.service, call.permit, call.request
        source, operation = service.source, service.operation
        if source is None or operation is None:
            raise SourceFault(call.source, "NOT_CONNECTED", "the service names no source")
        question = Question(
            operation,
            call.keys,
            plan.groups,
            plan.history,
            call.span_id,
            request.caller.organisation,
            permit.grant.legal_context.get(source, ""),
            deadline,
            request.language,
            request.scenario,
            request.caller.purpose if source in OWN else None,
            request.dossier if source in OWN else None,
            call.body,
        )
        return await self.connectors[source].ask(question)

    async def _extracted(self, call: Call, deadline: float, started: float) -> Outcome:
        service, permit = call.service, call.permit
        plan = self._plan(service, permit)
        reply = await self._said(call, plan, deadline)
        if reply.replaced_by is not None:
            self.recorder.replaced(call, reply.replaced_by)
            raise SubjectReplaced(self._new_number(call, reply.replaced_by) if "ssin" in permit.fields else None)
        if reply.document is None:
            if service.list_name is None:
                raise SubjectNotFound(call.source)
            return Outcome(
                {service.list_name: []},
                milliseconds=_milliseconds(started),
                ended=self.now(),
                incomplete=reply.incomplete,
            )
        extracted = plan.extract(reply.document, call.keys, lifts=permit.grant.lifts)
        if service.list_name is not None:
            extracted.values.setdefault(service.list_name, [])
        filtered: tuple[str, ...] = ()
        if reply.filtered:
            prefix = f"{service.list_name}." if service.list_name else ""
            said = [one.removeprefix(prefix) for one in reply.filtered]
            filtered = tuple([one for one in said if _touches(one, permit.fields)])
        return Outcome(
            extracted.values,
            extracted.facts,
            extracted.guarded,
            filtered,
            None,
            _milliseconds(started),
            self.now(),
            reply.incomplete,
        )

    def _plan(self, service: Service, permit: Permit) -> Plan:
        """What to take out for this permit; remembered, because a permit is remembered too."""
        plan = self._plans.get(permit)
        if plan is None:
            if service.sheet is None:
                raise SourceFault(service.name, "NOT_CONNECTED", "the service has no mapping")
            prefix = f"{service.list_name}." if service.list_name else ""
            permitted = frozenset(prefix + name for name in permit.fields)
            wanted = _MINORS if permit.grant.minors != "any" else _NOTHING
            plan = service.sheet.plan(permitted, history=permit.since is not None, since=permit.since, wanted=wanted)
            if len(self._plans) > 4096:  # permits are made anew every day
                self._plans.clear()
            self._plans[permit] = plan
        return plan

    def _new_number(self, call: Call, number: str) -> str:
        """As the caller may know it."""
        if not call.permit.grant.pseudonymise or self.pseudonyms is None:
            return number
        return self.pseudonyms.of(call.request.caller.organisation, number)

    def _covered(self, call: Call, outcome: Outcome) -> Outcome:
        """After the answer: who lives elsewhere, or is of another age, or is one of too many, is not covered by every purpose."""
        grant = call.permit.grant
        if outcome.error is not None or not afterwards.looks(grant):
            return outcome
        listed = call.service.list_name
        results = len(outcome.values.get(listed, ())) if listed else 1
        home = self.territory(call.request.caller.organisation)
        reason = afterwards.refused(grant, outcome.facts, results, home, clock.today(self.now()))
        if reason is None:
            return outcome
        denied = PolicyDenied(reason, rule=grant.authorisation, advice=ADVICE[reason])
        return Outcome(error=denied, milliseconds=outcome.milliseconds, ended=outcome.ended)

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
        take = partial(self._listed, gather)
        found = await asyncio.gather(*(self._ask(call, deadline, take) for call in asked))
        told = [Told(body, one.values, one.error) for body, one in zip(bodies, found, strict=True)]
        outcome = self._covered(whole, await self._ask(whole, deadline, partial(self._together, told, began)))
        body = {} if outcome.error else self._given(whole, outcome)
        payload = orjson.dumps(body)
        done = [(call, one, b"") for call, one in zip(asked, found, strict=True)]
        intents = {call.span_id: index for call, index in zip((whole, *asked), indices, strict=True)}
        entries = (*indices, *await record.outcomes((*done, (whole, outcome, payload)), intents))
        if outcome.error is not None:
            record.refuses(outcome.error, entries)
            raise outcome.error
        retry = gathered.retry_after(told)
        return Answer(body, payload, request.trace, entries, record.shard, retry, record.receipt)

    async def _listed(self, gather: Gather, call: Call, deadline: float, started: float) -> Outcome:
        """What one body lists, as the connector brings it: it is trimmed when all of it is together."""
        reply = await self._said(call, self._plan(call.service, call.permit), deadline)
        if reply.incomplete:
            raise SourceFault(call.source, "INCOMPLETE", "it did not tell all of it")
        listed = gathered.listed(reply.document, gather)
        return Outcome(listed, milliseconds=_milliseconds(started), ended=self.now())

    async def _together(
        self, told: Sequence[Told], began: float, call: Call, _deadline: float, _started: float
    ) -> Outcome:
        """Trimmed to what is granted; nothing is waited for, so it ends even when the time is over."""
        document = gathered.together(told, call.request.language)
        extracted = self._plan(call.service, call.permit).extract(document, call.keys, lifts=call.permit.grant.lifts)
        return Outcome(
            extracted.values, extracted.facts, extracted.guarded, milliseconds=_milliseconds(began), ended=self.now()
        )

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
            asking = [self._ask(call, deadline) for _, call in asked]
            for (part, call), found in zip(asked, await asyncio.gather(*asking), strict=True):
                outcome = self._covered(call, found)
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


def _touches(name: str, fields: frozenset[str]) -> bool:
    """Whether what the source held back is, holds or stands inside something that was permitted."""
    return name in fields or any(field.startswith(name + ".") or name.startswith(field + ".") for field in fields)


def _body(call: Call, outcome: Outcome) -> dict[str, Any]:
    """What the caller gets: the permitted values, and the names of what was held back."""
    body = dict(outcome.values)
    if outcome.incomplete:
        body["isComplete"] = False
    if not (call.permit.withheld or outcome.guarded or outcome.filtered):
        return body
    withheld = (
        *call.permit.withheld,
        *(Withheld(name, "NOT_COMMUNICABLE") for name in outcome.guarded),
        *(Withheld(name, "FILTERED_BY_SOURCE") for name in outcome.filtered),
    )
    body["withheld"] = [{"field": item.field, "reason": item.reason} for item in withheld]
    return body


def _milliseconds(started: float) -> float:
    return (time.monotonic() - started) * 1000
