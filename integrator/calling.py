"""One call to one source, between its two entries: it is asked no more than the permit needs, and what is permitted is taken
out of what it says. Part of the one way through: nobody but `exchange` has calls made, and each one's intent is durable by then.

    ask ─► said (the connector) ─► extracted, or listed by a body (bodies.py) ─► covered (after the answer) ─► given (to the caller)

However a call ends, it ends as an outcome: it must be recorded before anybody hears of it.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from integrator import clock
from integrator.contract import Connector, Question, Reply
from integrator.directory import OWN
from integrator.errors import (
    IntegratorError,
    PolicyDenied,
    SourceError,
    SourceFault,
    SourceUnavailable,
    SubjectNotFound,
    SubjectReplaced,
)
from integrator.mapping import Plan
from integrator.model import Withheld
from integrator.patience import Patience
from integrator.policy import ADVICE, Permit, afterwards
from integrator.pseudonyms import Pseudonyms
from integrator.recording import Call, Outcome, Recorder
from integrator.services import Service

# Moments are monotonic: until when, and since when.
Take = Callable[[Call, float, float], Awaitable[Outcome]]
_MINORS, _NOTHING = frozenset({"minors"}), frozenset[str]()


class Calls:
    """Of one set of texts: what is taken out is remembered with the permits of that set."""

    def __init__(
        self,
        connectors: Mapping[str, Connector],
        recorder: Recorder,
        now: clock.Now,
        territory: Callable[[str], str | None],
        pseudonyms: Pseudonyms | None,
    ) -> None:
        self._connectors, self._recorder, self.now = connectors, recorder, now
        self._territory, self._pseudonyms = territory, pseudonyms
        self._plans: dict[Permit, Plan] = {}

    async def ask(self, call: Call, deadline: float, take: Take | None = None) -> Outcome:
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
            self._recorder.failure(call, known)
        except Exception as surprise:
            # A surprise is ours to mend, but it must end as a recorded outcome; its text may hold data, so it stops here.
            error = SourceFault(call.source, "UNEXPECTED", f"the connector failed with {type(surprise).__name__}")
            self._recorder.surprise(call, surprise)
        return Outcome(error=error, milliseconds=milliseconds_since(started), ended=self.now())

    async def said(self, call: Call, plan: Plan, deadline: float) -> Reply:
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
        return await self._connectors[source].ask(question)

    def plan(self, service: Service, permit: Permit) -> Plan:
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

    async def _extracted(self, call: Call, deadline: float, started: float) -> Outcome:
        service, permit = call.service, call.permit
        plan = self.plan(service, permit)
        reply = await self.said(call, plan, deadline)
        if reply.replaced_by is not None:
            self._recorder.replaced(call, reply.replaced_by)
            raise SubjectReplaced(self._new_number(call, reply.replaced_by) if "ssin" in permit.fields else None)
        if reply.document is None:
            if service.list_name is None:
                raise SubjectNotFound(call.source)
            return Outcome(
                {service.list_name: []},
                milliseconds=milliseconds_since(started),
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
            milliseconds_since(started),
            self.now(),
            reply.incomplete,
        )

    def covered(self, call: Call, outcome: Outcome) -> Outcome:
        """After the answer: who lives elsewhere, or is of another age, or is one of too many, is not covered by every purpose."""
        grant = call.permit.grant
        if outcome.error is not None or not afterwards.looks(grant):
            return outcome
        listed = call.service.list_name
        results = len(outcome.values.get(listed, ())) if listed else 1
        home = self._territory(call.request.caller.organisation)
        reason = afterwards.refused(grant, outcome.facts, results, home, clock.today(self.now()))
        if reason is None:
            return outcome
        denied = PolicyDenied(reason, rule=grant.authorisation, advice=ADVICE[reason])
        return Outcome(error=denied, milliseconds=outcome.milliseconds, ended=outcome.ended)

    def given(self, call: Call, outcome: Outcome) -> dict[str, Any]:
        """What the caller gets, with pseudonyms where the purpose gives no numbers."""
        body = _body(call, outcome)
        if call.permit.grant.pseudonymise and self._pseudonyms is not None:
            body = self._pseudonyms.replaced(call.request.caller.organisation, body)
        return body

    def _new_number(self, call: Call, number: str) -> str:
        """As the caller may know it."""
        if not call.permit.grant.pseudonymise or self._pseudonyms is None:
            return number
        return self._pseudonyms.of(call.request.caller.organisation, number)


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


def milliseconds_since(started: float) -> float:
    return (time.monotonic() - started) * 1000
