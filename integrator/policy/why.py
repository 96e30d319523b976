"""Why a question is allowed or refused: the lines that decided, and the fewest changes that would turn the answer round.

    found = why(policies, ask, now, facts)
    found.by          lines that permit, the one that decided first; of a refusal, the lines that came nearest
    found.changes     what would have to be otherwise, together: () when nothing near would help
    turned(ask, now, found.changes, facts)   the same question after those changes: the engine says the opposite

A change is about the question (another key, another day, another purpose), never advice to amend a legal text. The
service stays: another service is another question. Off the hot path: only refusals and people ask this.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from integrator.model import Withheld
from integrator.policy.conditions import Conditions, level
from integrator.policy.engine import Policies
from integrator.policy.names import expand, granted, tops
from integrator.policy.terms import FOREVER, NO_FACTS, QUESTION, Ask, Decision, Facts, Grant, Permit

# What an application can change by itself comes first, where two changes would do.
_EFFORT = (
    "key", "field", "history", "dossier", "use", "direction", "application", "hours", "assurance", "registration", "role", "date", "purpose",
    "organisation",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that would have to be otherwise."""

    kind: str  # one of _EFFORT
    was: str  # as asked; ISO day for a date, names joined by a comma for fields
    to: tuple[str, ...]  # any one of these would do; () = leave it out
    moment: float = 0.0  # of a date or hours: the nearest second that would do


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


def why(policies: Policies, ask: Ask, now: float, facts: Facts = NO_FACTS) -> Why:
    """The decision, and what would turn it round."""
    decision = policies.decide(ask, now, facts)
    if isinstance(decision, Permit):
        return _permitted(policies, ask, now, decision, facts)
    steps = nearest(policies, ask, now, facts)
    by = [grant.id for grant in policies.of_service(ask.service) if steps and steps == _steps(ask, grant, now, facts)]
    return Why(decision, tuple(sorted(by)), steps)


def nearest(policies: Policies, ask: Ask, now: float, facts: Facts = NO_FACTS) -> tuple[Change, ...]:
    """The fewest changes that make a refused question a permitted one; () when it is permitted, or no line grants this service."""
    best: tuple[Change, ...] = ()
    least: tuple[int, list[int], str] | None = None
    groups: tuple[list[Grant], ...] = ([], [], [])  # by how many of purpose and organisation are another
    for grant in policies.of_service(ask.service):
        groups[(grant.purpose != ask.purpose) + (ask.organisation not in grant.organisations)].append(grant)
    for apart, grant in ((apart, grant) for apart, group in enumerate(groups) for grant in group):
        if least is not None and apart > least[0]:
            break  # whatever follows needs more changes than what was found
        steps = _steps(ask, grant, now, facts)
        if steps is None:
            continue
        weight = (len(steps), [_EFFORT.index(step.kind) for step in steps], grant.id)
        if least is None or weight < least:
            least, best = weight, steps
    return best


def turned(ask: Ask, now: float, changes: Sequence[Change], facts: Facts = NO_FACTS) -> tuple[Ask, float, Facts]:
    """The question after these changes, its moment, and the facts about it."""
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
            case "direction":
                ask = replace(ask, direction=to)
            case "date" | "hours":
                now = change.moment
            case "dossier":
                facts = replace(facts, dossier=True)
            case "assurance":
                facts = replace(facts, assurance=to)
            case "registration":
                facts = replace(facts, registered=(facts.registered or frozenset()) | {to})
            case "role":
                facts = replace(facts, roles=facts.roles | {to})
            case "application":
                ask = replace(ask, application=to)
            case "purpose":
                ask = replace(ask, purpose=to)
            case "organisation":
                ask = replace(ask, organisation=to)
    return ask, now, facts


def _steps(ask: Ask, grant: Grant, now: float, facts: Facts) -> tuple[Change, ...] | None:
    """What stands between a question and this line; None when the line gives nothing of what the service offers, or never."""
    given = granted(grant.fields, ask.offers)
    if not given or grant.starts >= grant.ends or (QUESTION in grant.directions) != (ask.direction == QUESTION):
        return None  # nothing turns what is asked into something that is delivered
    if facts.emergency and grant.conditions is not None:
        grant = replace(grant, conditions=grant.conditions.broken())
    moment = _moment(grant, now)
    return None if moment is None else tuple(_apart(ask, grant, now, given, facts, moment))


def _moment(grant: Grant, now: float) -> float | None:
    """The nearest moment at which this line may be used: now, if it may; None when it never may."""
    last = grant.ends - 1
    moment = min(max(now, grant.starts), last)
    hours = grant.conditions.hours if grant.conditions else None
    if hours is None or hours.hold(moment):
        return moment if grant.starts <= moment < grant.ends else None
    return hours.nearest(moment, grant.starts, last)


def _apart(ask: Ask, grant: Grant, now: float, given: frozenset[str], facts: Facts, moment: float) -> Iterator[Change]:
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
    if ask.direction not in grant.directions:
        yield Change("direction", ask.direction, tuple(sorted(grant.directions)))
    if grant.applications is not None and ask.application not in grant.applications:
        yield Change("application", ask.application, tuple(sorted(grant.applications)))
    if not grant.starts <= now < grant.ends:
        yield Change("date", day_of(now), (day_of(moment),), moment)
    elif grant.conditions is not None and grant.conditions.hours is not None and moment != now:
        yield Change("hours", "", (str(grant.conditions.hours),), moment)
    if grant.conditions is not None:
        yield from _lacking(grant.conditions, facts)
    if grant.purpose != ask.purpose:
        yield Change("purpose", ask.purpose, (grant.purpose,))
    if ask.organisation not in grant.organisations:
        yield Change("organisation", ask.organisation, tuple(sorted(grant.organisations)))


def _lacking(conditions: Conditions, facts: Facts) -> Iterator[Change]:
    """Conditions that these facts do not meet; hours are looked at with the date. An emergency is never proposed."""
    if conditions.dossier and not facts.dossier:
        yield Change("dossier", "", ())
    if conditions.assurance and level(facts.assurance) < level(conditions.assurance):
        yield Change("assurance", facts.assurance or "", (conditions.assurance,))
    if conditions.registration and conditions.registration.isdisjoint(facts.registered or ()):
        yield Change("registration", "", tuple(sorted(conditions.registration)))
    if conditions.roles and conditions.roles.isdisjoint(facts.roles):
        yield Change("role", ", ".join(sorted(facts.roles)), tuple(sorted(conditions.roles)))


def _permitted(policies: Policies, ask: Ask, now: float, permit: Permit, facts: Facts) -> Why:
    """Of a permit: every line that allows it alone, and the day from which none does."""
    lines = [grant for grant in policies.of_service(ask.service) if _allows(ask, grant, now, facts)]
    standing = [grant for grant in lines if grant.starts <= now < grant.ends]
    end = now
    while (later := max((grant.ends for grant in lines if grant.starts <= end < grant.ends), default=end)) > end:
        end = later
    others = sorted(grant.id for grant in standing if grant is not permit.grant)
    change = () if end >= FOREVER else (Change("date", day_of(now), (day_of(end),), end),)
    kept = tuple(Kept(one, _elsewhere(policies, ask, now, one.field, facts)) for one in permit.withheld)
    return Why(permit, (permit.grant.id, *others), change, kept)


def _allows(ask: Ask, grant: Grant, now: float, facts: Facts) -> bool:
    """Whether this line alone allows the question on some day, at this hour, with these facts."""
    given = granted(grant.fields, ask.offers)
    if not given or grant.starts >= grant.ends:
        return False
    bare = replace(grant, conditions=None)
    return not tuple(_apart(ask, bare, grant.starts, given, facts, grant.starts)) and (
        grant.conditions is None or grant.conditions.unmet(facts, now) is None
    )


def _elsewhere(policies: Policies, ask: Ask, now: float, field: str, facts: Facts) -> tuple[str, ...]:
    """Purposes of the same organisation for which the same question gives this field."""
    wanted = replace(ask, fields=frozenset({field}))
    purposes = {grant.purpose for grant in policies.of_service(ask.service) if ask.organisation in grant.organisations}
    return tuple(
        purpose
        for purpose in sorted(purposes - {ask.purpose})
        if isinstance(policies.decide(replace(wanted, purpose=purpose), now, facts), Permit)
    )


def day_of(moment: float) -> str:
    """ISO day in UTC."""
    return datetime.fromtimestamp(moment, UTC).date().isoformat()
