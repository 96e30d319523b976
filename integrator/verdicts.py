"""What a composition says, from how its parts ended: yes, no or unknown of each check and of the whole. Data in, value out.

A part that could not be asked, or did not answer, is unknown with a reason; it is never a no.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from integrator import rules
from integrator.errors import IntegratorError, PolicyDenied, SubjectNotFound
from integrator.policy import Permit
from integrator.recording import Call, Outcome
from integrator.scope import PartAnswer, Scope
from integrator.services import Service


def verdicts(
    services: Mapping[str, Service], service: Service, permit: Permit, scope: Scope, done: Sequence[tuple[Call, Outcome, bytes]]
) -> tuple[dict[str, Any], int | None]:  # fmt: skip
    """(what the caller reads, seconds after which asking again may help). `done`: every call that was made, and how it ended."""
    failed = {call.source: outcome.error for call, outcome, _ in done if outcome.error is not None}
    slowest: dict[str, float] = {}
    for call, outcome, _ in done:
        slowest[call.source] = max(slowest.get(call.source, 0.0), outcome.milliseconds)
    shown, found = [], []
    for check in service.checks:
        if check.code not in permit.fields or (check.when is not None and check.when(scope) is False):
            continue
        needs = [(need.rule(scope), need.reason) for need in check.needs]
        missing = next((reason for met, reason in needs if met is False), None)  # not: nobody could say
        verdict = check.rule(scope) if all(met is True for met, _ in needs) else None
        found.append(verdict)
        line: dict[str, Any] = {
            "code": check.code,
            "result": rules.word(verdict),
            "source": check.source,
            "ms": round(slowest.get(check.source, 0.0), 1),
        }
        if verdict is None:
            rests_on = {services[part.service].source for part in service.parts_for(frozenset({check.code}))}
            concerned = {source: error for source, error in failed.items() if source in rests_on}
            line |= _why_unknown(check.source, concerned, missing)
        shown.append(line)
    # Only the checks granted count; a caller who asked for some of them gets no word on the whole.
    whole = permit.narrowed is False
    body: dict[str, Any] = {service.answer_name: rules.word(rules.kleene_all(found))} if whole else {}
    body["checks"] = shown
    return body, max((int(line["retryAfterSec"]) for line in shown if "retryAfterSec" in line), default=None)


def part_answer(outcome: Outcome) -> PartAnswer:
    """What a rule may see of a part that was asked."""
    if isinstance(outcome.error, SubjectNotFound):
        return PartAnswer(state="notFound")
    if outcome.error is not None:
        return PartAnswer(state="failed")
    return PartAnswer(
        outcome.values, "incomplete" if outcome.incomplete else "found", outcome.guarded + outcome.filtered
    )


def _why_unknown(source: str, failed: Mapping[str, IntegratorError], missing: str | None) -> dict[str, Any]:
    """What the caller reads beside `unknown`: the reason, and when asking again may help."""
    error = failed.get(source) or (None if missing else next(iter(failed.values()), None))
    if error is None or (isinstance(error, SubjectNotFound) and missing):
        return {"reason": missing or "NOT_DECIDABLE"}
    retry = getattr(error, "retry_after", None)
    # Which limit of the purpose it met would tell something about the person: where they live, how old they are.
    reason = "NOT_COVERED" if isinstance(error, PolicyDenied) else error.code
    return {"reason": reason} | ({"retryAfterSec": retry} if retry else {})
