"""Yesterday's questions under tomorrow's texts: which applications would lose what, who would gain what, how many calls.

Both sets decide the same questions at the same moment (the day the draft takes effect), so that what differs comes from
the texts alone. A composition is judged as the exchange does it: whole, then each part.

Of conditions, hours are held against when it was asked, and one of which the refusal says that it was not met is not met.
Who asked and about whom is sealed: the other conditions count as met, and it is said of how many calls. Limits are not
counted again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from integrator.governing.traffic import Shape, Traffic
from integrator.policy import Ask, Denial, Permit, Policies, tops
from integrator.policy.conditions import Facts, moment_of
from integrator.policy.terms import QUESTION
from integrator.services import Service

Where = tuple[str, str, str, str]  # organisation, application, purpose, service
_UNMET: Mapping[str, Mapping[str, Any]] = {  # by reason of a refusal, the fact that was not there
    "ROLE_NOT_ALLOWED": {"roles": frozenset()}, "ASSURANCE_TOO_LOW": {"assurance": None}, "DOSSIER_MISSING": {"dossier": False},
    "NOT_REGISTERED": {"registered": frozenset()}, "REGISTRATION_UNKNOWN": {"registered": None},
}  # fmt: skip


@dataclass(slots=True)
class Change:
    """What becomes of the questions of one application, to one service, for one purpose. Numbers are calls."""

    org: str
    app: str
    purpose: str
    service: str
    calls: int = 0
    refused: dict[str, int] = field(default_factory=dict)  # now allowed, then refused: by reason
    allowed: dict[str, int] = field(default_factory=dict)  # now refused, then allowed: by the reason of now
    lost: dict[str, int] = field(default_factory=dict)  # by field: calls that get it now and would not
    gained: dict[str, int] = field(default_factory=dict)

    @property
    def changes(self) -> bool:
        return bool(self.refused or self.allowed or self.lost or self.gained)

    def json(self) -> dict[str, Any]:
        return {
            "organisation": self.org, "application": self.app, "purpose": self.purpose, "service": self.service,
            "calls": self.calls, "refused": self.refused, "allowed": self.allowed, "lost": self.lost, "gained": self.gained,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Replay:
    """`changes`: only applications that would notice. `assumed`: calls from before keys, or directions, were noted, taken to
    have used what is granted. `unweighed`: calls under a line that looks at an agent, a case or a file, taken to meet it."""

    calls: int
    untouched: int
    assumed: int
    unweighed: int
    changes: tuple[Change, ...]

    def json(self) -> dict[str, Any]:
        return {
            "calls": self.calls, "untouched": self.untouched, "assumed": self.assumed,
            "unweighed": self.unweighed, "changes": [one.json() for one in self.changes],
        }  # fmt: skip


def of_one(told: Mapping[str, Any], org: str) -> dict[str, Any]:
    """A replay as JSON, as far as one organisation goes: what changes for it, and no total, since that tells of the others."""
    return {"changes": [one for one in told["changes"] if one["organisation"] == org]}


def replay(traffic: Traffic, old: Policies, new: Policies, services: Mapping[str, Service], at: float) -> Replay:
    """`at`: epoch seconds at which both decide."""
    purposes = {one.activity: code for one_set in (new, old) for code, one in one_set.purposes.items()}
    found: dict[Where, Change] = {}
    calls = touched = assumed = unweighed = 0
    for shape, n in traffic.asked.items():
        service = services.get(shape.service)
        if shape.part or service is None:
            continue
        calls += n
        assumed += n if shape.keys is None or (service.directions and shape.direction is None) else 0
        purpose = purposes.get(shape.activity, "")
        unweighed += n if any(_looks_further(one, shape, purpose, service) for one in (old, new)) else 0
        where = (shape.org, shape.app, purpose, shape.service)
        change = found.setdefault(where, Change(*where))
        change.calls += n
        touched += n if _note(change, shape, service, services, old, new, at, n) else 0
    noticed = sorted(
        (one for one in found.values() if one.changes), key=lambda one: (one.org, one.app, one.purpose, one.service)
    )
    return Replay(calls, calls - touched, assumed, unweighed, tuple(noticed))


def with_hours(policies: Policies) -> frozenset[str]:
    """Activities of purposes of which a line has hours: of their questions the minute matters."""
    return frozenset(
        policies.purposes[code].activity
        for code, org, _ in policies.held()
        if any(line.conditions is not None and line.conditions.hours for line in policies.grants(code, org))
    )


def _looks_further(policies: Policies, shape: Shape, purpose: str, service: Service) -> bool:
    """Whether a line that may decide looks at what no entry says in clear."""
    asked = {shape.service, *(part.service for part in service.parts_for(service.offers))}
    return any(
        line.service in asked and line.conditions is not None and line.conditions.kinds - {"hours"}
        for line in policies.grants(purpose, shape.org)
    )


def _note(
    change: Change,
    shape: Shape,
    service: Service,
    services: Mapping[str, Service],
    old: Policies,
    new: Policies,
    at: float,
    n: int,
) -> bool:
    before = whole(old, shape, change.purpose, service, services, at)
    after = whole(new, shape, change.purpose, service, services, at)
    if isinstance(before, Denial):
        if isinstance(after, Denial):
            return False
        _add(change.allowed, before.reason, n)
        for name in after.categories:
            _add(change.gained, name, n)
        return True
    if isinstance(after, Denial):
        _add(change.refused, after.reason, n)
        return True
    for name in tops(before.fields - after.fields):
        _add(change.lost, name, n)
    for name in tops(after.fields - before.fields):
        _add(change.gained, name, n)
    return before.fields != after.fields


def whole(
    policies: Policies, shape: Shape, purpose: str, service: Service, services: Mapping[str, Service], at: float
) -> Permit | Denial:
    """The decision on a question and on every part of it, as integrator.exchange takes it."""
    facts = _facts(policies, shape, purpose)
    decision = policies.decide(_ask(shape, purpose, service, policies), at, facts)
    if isinstance(decision, Permit):
        for part in service.parts_for(decision.fields):
            inner = services[part.service]
            asked = Ask(shape.org, shape.app, purpose, inner.name, part.keys, inner.offers, part.fields, False, True)
            judged = policies.decide(asked, at, facts)
            if isinstance(judged, Denial):
                return judged
            if judged.withheld:
                return Denial("NOTHING_GRANTED", judged.grant.authorisation, "", judged.purpose)
    return decision


def _ask(shape: Shape, purpose: str, service: Service, policies: Policies) -> Ask:
    """The question. Of a delivery from before its direction was noted: the one that a line of its organisation gives."""
    given = [line for line in policies.grants(purpose, shape.org) if line.service == service.name]
    assumed = sorted(service.directions & frozenset().union(*(line.directions for line in given)))
    direction = shape.direction or next(iter(assumed), QUESTION)
    keys, fields = shape.keys or frozenset(), shape.fields
    return Ask(shape.org, shape.app, purpose, service.name, keys, service.offers, fields, shape.past, direction=direction)


def _facts(policies: Policies, shape: Shape, purpose: str) -> Facts:
    asked = None if shape.minute is None else moment_of(shape.minute)
    return replace(policies.met(purpose, shape.org), asked=asked, **_UNMET.get(shape.outcome, {}))


def _add(counts: dict[str, int], name: str, n: int) -> None:
    counts[name] = counts.get(name, 0) + n
