"""From a question to a permit, or to a refusal that is recorded: what is known is looked up, the engine decides, and what a
permit still has to pass is passed: quotas, and an emergency that is kept before anything is asked.

    facts of the question ─► decide ─► look up what could matter ─► decide again ─► (emergency) ─► quotas ─► permit

Where no line of the organisation for the purpose has a condition, this is one decision and nothing else.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from integrator import clock
from integrator.emergency import Emergencies, Emergency
from integrator.errors import ConditionUnknown, IntegratorError, PolicyDenied, QuotaExceeded
from integrator.logs import log
from integrator.metrics import Metrics
from integrator.model import Request
from integrator.policy import ADVICE, NO_FACTS, Ask, Denial, Facts, Permit, Policies
from integrator.policy.conditions import KIND_OF, UNKNOWN
from integrator.policy.telling import changes_json
from integrator.policy.why import nearest
from integrator.quotas import Quotas
from integrator.recording import Recording
from integrator.services import Part, Service

Registered = Callable[
    [str, str, str, date], Awaitable[frozenset[str]]
]  # organisation, subject, purpose, day -> qualities


@dataclass(frozen=True, slots=True)
class Standing:
    """How a question came to be permitted: what was known beside it, and what an emergency broke."""

    facts: Facts = NO_FACTS
    broken: str | None = None  # the reason that would have refused it
    emergency: Emergency | None = None


_PLAIN = Standing()


@dataclass(frozen=True, slots=True)
class Deciding:
    """Everything a decision needs. What is None cannot be asked: a line that needs it is refused as unknown (503)."""

    services: Mapping[str, Service]
    policies: Policies
    metrics: Metrics
    now: clock.Now
    registered: Registered | None
    quotas: Quotas | None
    emergencies: Emergencies | None
    pseudonyms: bool  # whether any can be made

    async def permit(
        self, service: Service, request: Request, record: Recording, *, pseudonym: bool = False
    ) -> tuple[Permit, Standing]:
        """The decision on the whole request and on every part of it; a denial is recorded, then raised."""
        caller = request.caller
        if not pseudonym and not self.policies.conditional(caller.purpose, caller.organisation):
            plain, ask, _ = self._decided(service, request, NO_FACTS)
            if isinstance(plain, Permit):
                self.metrics.decision("permit")
                return plain, _PLAIN
            raise await self._recorded(service, request, record, plain, ask, NO_FACTS)
        facts, needs = self._facts(service, request)
        decision, ask, permits = self._decided(service, request, facts)
        try:
            if "registration" in needs and (isinstance(decision, Permit) or decision.reason == UNKNOWN):
                facts = await self._looked_up(service, request, facts)
                decision, ask, permits = self._decided(service, request, facts)
            standing = Standing(facts) if needs else _PLAIN
            if request.emergency and isinstance(decision, Denial) and decision.reason in KIND_OF:
                standing = Standing(replace(facts, emergency=True), decision.reason)
                lifted, _, permits = self._decided(service, request, standing.facts)
                if isinstance(lifted, Denial):
                    standing = Standing(facts)
                else:
                    decision = lifted
            if isinstance(decision, Permit):
                decision, standing = await self._admitted(request, decision, permits, standing, pseudonym=pseudonym)
        except ConditionUnknown as unknown:
            rule = decision.grant.authorisation if isinstance(decision, Permit) else decision.rule
            denial = Denial(unknown.reason, rule, unknown.hint, decision.purpose)
            self.metrics.decision(unknown.reason)
            record.refuses(unknown, await record.denied(service, request, denial))
            raise
        if isinstance(decision, Permit):
            self.metrics.decision("permit")
            return decision, standing
        raise await self._recorded(service, request, record, decision, ask, facts)

    def weigh(self, service: Service, request: Request) -> tuple[Permit | Denial, Ask, Facts]:
        """The decision on a question without values, and what it took for known. Pure: nothing is looked up or recorded.

        Nobody in particular is meant, so the subject counts as registered in every quality that a line of the caller names;
        limits are not counted.
        """
        caller = request.caller
        known = self.policies.met(caller.purpose, caller.organisation).registered
        facts = Facts(caller.roles, caller.assurance, known, request.dossier is not None)
        decision, ask, _ = self._decided(service, request, facts)
        return decision, ask, facts

    async def told(self, service: Service, request: Request, record: Recording) -> Permit:
        """The decision on what somebody is told without asking: there is no agent to judge, nothing to count, and its hour
        is waited for when it goes out. A denial is recorded, then raised; so is `ConditionUnknown`: then it is told again.
        """
        try:
            decision = await self.again(service, request, any_hour=True)
        except ConditionUnknown as unknown:
            denial = Denial(unknown.reason, None, unknown.hint)
            self.metrics.decision(unknown.reason)
            record.refuses(unknown, await record.denied(service, request, denial))
            raise
        self.metrics.decision("permit" if isinstance(decision, Permit) else decision.reason)
        if isinstance(decision, Permit):
            return decision
        denied = PolicyDenied(decision.reason, rule=decision.rule, advice=decision.advice)
        record.refuses(denied, await record.denied(service, request, decision))
        raise denied

    async def again(self, service: Service, request: Request, *, any_hour: bool = False) -> Permit | Denial:
        """What was permitted when it was taken in, decided anew before it is carried: by the texts and the files of now.

        Who asked and when was judged then, and counted then. Raises `ConditionUnknown`.
        """
        policies, caller = self.policies, request.caller
        facts = replace(policies.met(caller.purpose, caller.organisation), registered=None, any_hour=any_hour)
        if "registration" in policies.needs(_ask(service, request, frozenset(request.keys), request.fields)):
            facts = await self._looked_up(service, request, facts)
        decision, _, _ = self._decided(service, request, facts)
        return decision

    async def _recorded(
        self, service: Service, request: Request, record: Recording, denial: Denial, ask: Ask, facts: Facts
    ) -> IntegratorError:
        """The refusal, durable in the ledger, for raising."""
        self.metrics.decision(denial.reason)
        denied = self._refusal(denial, ask, facts)
        record.refuses(denied, await record.denied(service, request, denial))
        return denied

    def _facts(self, service: Service, request: Request) -> tuple[Facts, frozenset[str]]:
        """What the question itself tells about its conditions, where a line has any; and which kinds those are."""
        policies, caller = self.policies, request.caller
        needs = policies.needs(_ask(service, request, frozenset(request.keys), request.fields))
        for part in service.parts:
            needs |= policies.needs(self._part_ask(part, request))
        if not needs:
            return NO_FACTS, needs
        return Facts(caller.roles, caller.assurance, None, request.dossier is not None), needs

    def _decided(
        self, service: Service, request: Request, facts: Facts
    ) -> tuple[Permit | Denial, Ask, tuple[Permit, ...]]:
        """The decision, the question that decided (the whole, or the part that is refused), and all permits together."""
        ask = _ask(service, request, frozenset(request.keys), request.fields)
        decision = self.policies.decide(ask, self.now(), facts)
        if isinstance(decision, Denial):
            return decision, ask, ()
        reaches = service.reaches(request.keys)
        if reaches and decision.since and reaches < decision.since:  # an empty answer would say that there was nothing
            return self._denial("TOO_FAR_BACK", decision), ask, ()
        permits = [decision]
        for part in service.parts_for(decision.fields):
            inner = self.part(part, request, facts)
            if isinstance(inner, Denial):
                return inner, self._part_ask(part, request), ()
            permits.append(inner)
        return decision, ask, tuple(permits)

    async def _looked_up(self, service: Service, request: Request, facts: Facts) -> Facts:
        """The same with the qualities in which the subject is in the files. Raises `ConditionUnknown`."""
        subject = service.subject(request.keys)
        if subject is None or subject[0] != "nrn":
            return replace(facts, registered=frozenset())  # a question about nobody in particular: no file can be meant
        if self.registered is None:
            if request.emergency:
                return facts
            raise ConditionUnknown(UNKNOWN, advice=ADVICE[UNKNOWN])
        caller = request.caller
        try:
            found = await self.registered(caller.organisation, subject[1], caller.purpose, clock.today(self.now()))
        except Exception as error:  # whatever it was: nobody looked, so there is neither a yes nor a no
            log.error("directory_unknown", error=type(error).__name__, trace=request.trace.trace_id)
            if request.emergency:
                return facts
            raise ConditionUnknown(UNKNOWN, advice=ADVICE[UNKNOWN]) from error
        return replace(facts, registered=found)

    async def _admitted(
        self, request: Request, permit: Permit, permits: Sequence[Permit], standing: Standing, *, pseudonym: bool
    ) -> tuple[Permit | Denial, Standing]:
        """What a permit still has to pass: pseudonyms, quotas, and an emergency that is kept before anything is asked."""
        grant = permit.grant
        if pseudonym and not grant.pseudonymise:
            return self._denial("KEY_NOT_GRANTED", permit), standing
        if grant.pseudonymise and not self.pseudonyms:
            raise ConditionUnknown("PSEUDONYMS_UNKNOWN", advice=ADVICE["PSEUDONYMS_UNKNOWN"])
        limited = [one.grant for one in permits if one.grant.limits.counted]
        if limited:
            if self.quotas is None:
                raise ConditionUnknown("QUOTA_UNKNOWN", advice=ADVICE["QUOTA_UNKNOWN"])
            wait = await self.quotas.take(self.quotas.wants(limited, request.caller))
            if wait is not None:
                breakable = all(one.conditions is not None and "limits" in one.conditions.breakable for one in limited)
                if not (request.emergency and breakable):
                    rule = limited[0].authorisation
                    return Denial("QUOTA_EXCEEDED", rule, ADVICE["QUOTA_EXCEEDED"], permit.purpose, wait), standing
                standing = replace(standing, broken=standing.broken or "QUOTA_EXCEEDED")
        if standing.broken is None:
            return permit, standing
        emergency = await self.emergencies.open(request, standing.broken) if self.emergencies is not None else None
        if emergency is None:
            return self._denial("EMERGENCY_NOT_ALLOWED", permit), standing
        return permit, replace(standing, emergency=emergency)

    def _denial(self, reason: str, permit: Permit) -> Denial:
        return Denial(reason, permit.grant.authorisation, ADVICE[reason], permit.purpose)

    def _refusal(self, denial: Denial, ask: Ask, facts: Facts) -> IntegratorError:
        """The denial as the caller gets it: with what would turn it round, or when to ask again."""
        if denial.reason == UNKNOWN:
            return ConditionUnknown(UNKNOWN, advice=denial.advice)
        if denial.retry_after is not None:
            return QuotaExceeded(denial.reason, rule=denial.rule, advice=denial.advice, retry_after=denial.retry_after)
        changes = changes_json(nearest(self.policies, ask, self.now(), facts)) or None
        return PolicyDenied(denial.reason, rule=denial.rule, advice=denial.advice, changes=changes)

    def _part_ask(self, part: Part, request: Request) -> Ask:
        return _ask(self.services[part.service], request, part.keys, part.fields, part=True)

    def part(self, part: Part, request: Request, facts: Facts) -> Permit | Denial:
        """A part is granted whole or not at all: a check on half its fields would be a guess."""
        decision = self.policies.decide(self._part_ask(part, request), self.now(), facts)
        if isinstance(decision, Permit) and decision.withheld:
            return Denial("NOTHING_GRANTED", decision.grant.authorisation, ADVICE["NOTHING_GRANTED"], decision.purpose)
        return decision


def _ask(
    service: Service, request: Request, keys: frozenset[str], fields: frozenset[str] | None, *, part: bool = False
) -> Ask:
    caller = request.caller
    return Ask(
        caller.organisation, caller.application, caller.purpose, service.name, keys, service.offers, fields,
        (request.history and not part) or service.past is not None, part,
    )  # fmt: skip
