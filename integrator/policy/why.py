"""Why a question is allowed or refused: the lines that decided, and the fewest changes that would turn the answer round.

    found = why(policies, ask, now)
    found.by          lines that permit, the one that decided first; of a refusal, the lines that came nearest
    found.changes     what would have to be otherwise, together: () when nothing near would help
    turned(ask, now, found.changes)   the same question after those changes: the engine says the opposite

A change is about the question (another key, another day, another purpose), never advice to amend a legal text. The
service stays: another service is another question. Off the hot path: only refusals and people ask this.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from integrator.model import Withheld
from integrator.policy.engine import Policies
from integrator.policy.names import expand, granted, tops
from integrator.policy.terms import FOREVER, Ask, Decision, Grant, Permit

# What an application can change by itself comes first, where two changes would do.
_EFFORT = ("key", "field", "history", "use", "application", "date", "purpose", "organisation")


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that would have to be otherwise."""

    kind: str  # one of _EFFORT
    was: str  # as asked; ISO day for a date, names joined by a comma for fields
    to: tuple[str, ...]  # any one of these would do; () = leave it out
    moment: float = 0.0  # of a date: the nearest second that would do


@dataclass(frozen=True, slots=True)
class Kept:
    """A field asked and not given, and the purposes of the same organisation for which it is."""

    withheld: Withheld
    elsewhere: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Why:
    """A decision with its reasons."""

    decision: Decision
    by: tuple[str, ...]  # ids of lines: school@2026-1#2
    changes: tuple[Change, ...]
    kept: tuple[Kept, ...] = ()


def why(policies: Policies, ask: Ask, now: float) -> Why:
    """The decision, and what would turn it round."""
    decision = policies.decide(ask, now)
    if isinstance(decision, Permit):
        return _permitted(policies, ask, now, decision)
    steps = nearest(policies, ask, now)
    by = [grant.id for grant in policies.of_service(ask.service) if steps and steps == _steps(ask, grant, now)]
    return Why(decision, tuple(sorted(by)), steps)


def nearest(policies: Policies, ask: Ask, now: float) -> tuple[Change, ...]:
    """The fewest changes that make a refused question a permitted one; () when it is permitted, or no line grants this service."""
    best: tuple[Change, ...] = ()
    least: tuple[int, list[int], str] | None = None
    groups: tuple[list[Grant], ...] = ([], [], [])  # by how many of purpose and organisation are another
    for grant in policies.of_service(ask.service):
        groups[(grant.purpose != ask.purpose) + (ask.organisation not in grant.organisations)].append(grant)
    for apart, grant in ((apart, grant) for apart, group in enumerate(groups) for grant in group):
        if least is not None and apart > least[0]:
            break  # whatever follows needs more changes than what was found
        steps = _steps(ask, grant, now)
        if steps is None:
            continue
        weight = (len(steps), [_EFFORT.index(step.kind) for step in steps], grant.id)
        if least is None or weight < least:
            least, best = weight, steps
    return best


def turned(ask: Ask, now: float, changes: Sequence[Change]) -> tuple[Ask, float]:
    """The question after these changes, and its moment."""
    for change in changes:
        to = change.to[0] if change.to else ""
        match change.kind:
            case "key":
                ask = replace(ask, keys=(ask.keys - {change.was}) | frozenset(change.to[:1]))
            case "field":
                ask = replace(ask, fields=frozenset(change.to[:1]))
            case "history":
                ask = replace(ask, history=not ask.history)
            case "use":
                ask = replace(ask, part=True)
            case "date":
                now = change.moment
            case "application":
                ask = replace(ask, application=to)
            case "purpose":
                ask = replace(ask, purpose=to)
            case "organisation":
                ask = replace(ask, organisation=to)
    return ask, now


def _steps(ask: Ask, grant: Grant, now: float) -> tuple[Change, ...] | None:
    """What stands between a question and this line; None when the line gives nothing of what the service offers."""
    given = granted(grant.fields, ask.offers)
    if not given or grant.starts >= grant.ends:
        return None
    return tuple(_apart(ask, grant, now, given))


def _apart(ask: Ask, grant: Grant, now: float, given: frozenset[str]) -> Iterator[Change]:
    beyond = sorted(ask.keys - grant.keys)
    instead = tuple(sorted(grant.keys)) if beyond and len(beyond) == len(ask.keys) else ()
    for number, key in enumerate(beyond):  # of keys that are all refused the first is replaced, the others left out
        yield Change("key", key, instead if number == 0 else ())
    if ask.fields is not None and not given & expand(ask.fields, ask.offers):
        yield Change("field", ", ".join(tops(ask.fields)), tops(given))
    if ask.history and not grant.history_years:
        yield Change("history", "", ())
    if grant.answers_only and not ask.part:
        yield Change("use", "", ())
    if grant.applications is not None and ask.application not in grant.applications:
        yield Change("application", ask.application, tuple(sorted(grant.applications)))
    if now < grant.starts:
        yield Change("date", day_of(now), (day_of(grant.starts),), grant.starts)
    elif now >= grant.ends:
        last = grant.ends - 1
        yield Change("date", day_of(now), (day_of(last),), last)
    if grant.purpose != ask.purpose:
        yield Change("purpose", ask.purpose, (grant.purpose,))
    if ask.organisation not in grant.organisations:
        yield Change("organisation", ask.organisation, tuple(sorted(grant.organisations)))


def _permitted(policies: Policies, ask: Ask, now: float, permit: Permit) -> Why:
    """Of a permit: every line that allows it alone, and the day from which none does."""
    lines = [grant for grant in policies.of_service(ask.service) if _steps(ask, grant, grant.starts) == ()]
    standing = [grant for grant in lines if grant.starts <= now < grant.ends]
    end = now
    while (later := max((grant.ends for grant in lines if grant.starts <= end < grant.ends), default=end)) > end:
        end = later
    others = sorted(grant.id for grant in standing if grant is not permit.grant)
    change = () if end >= FOREVER else (Change("date", day_of(now), (day_of(end),), end),)
    kept = tuple(Kept(one, _elsewhere(policies, ask, now, one.field)) for one in permit.withheld)
    return Why(permit, (permit.grant.id, *others), change, kept)


def _elsewhere(policies: Policies, ask: Ask, now: float, field: str) -> tuple[str, ...]:
    """Purposes of the same organisation for which the same question gives this field."""
    wanted = replace(ask, fields=frozenset({field}))
    purposes = {grant.purpose for grant in policies.of_service(ask.service) if ask.organisation in grant.organisations}
    return tuple(
        purpose
        for purpose in sorted(purposes - {ask.purpose})
        if isinstance(policies.decide(replace(wanted, purpose=purpose), now), Permit)
    )


def day_of(moment: float) -> str:
    """ISO day in UTC."""
    return datetime.fromtimestamp(moment, UTC).date().isoformat()
