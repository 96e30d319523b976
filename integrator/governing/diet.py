"""The data diet: what an application may get, what it asked for and what it was given; and a narrower text.

A field is used when it was given, or looked at inside an answer. What nobody under an authorisation used in the period
can go out of its text: `narrowed` writes that text, cases included, leaving every comment where it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from integrator.governing.traffic import Traffic
from integrator.policy import Grant, Policies, expand
from integrator.services import Service

DAYS = 90


@dataclass(frozen=True, slots=True)
class Use:
    """One field that an application may get from one service under one authorisation. Numbers are calls."""

    org: str
    app: str
    purpose: str
    authorisation: str
    service: str
    field: str  # canonical name, or the code of an answer
    calls: int  # of this application to this service under this authorisation
    asked: int  # of these, those that asked for it, or for everything
    delivered: int  # of these, those in which it left the hub, or served an answer

    @property
    def unused(self) -> bool:
        return not self.delivered

    def json(self) -> dict[str, Any]:
        return {
            "organisation": self.org, "application": self.app, "purpose": self.purpose, "authorisation": self.authorisation,
            "service": self.service, "field": self.field, "calls": self.calls, "asked": self.asked, "delivered": self.delivered,
        }  # fmt: skip


def diet(traffic: Traffic, policies: Policies, services: Mapping[str, Service], org: str | None = None) -> list[Use]:
    """Every granted field of every application that asked anything, by organisation, application and service."""
    grants = _by_authorisation(policies)
    asked, calls = _asked(traffic, services)
    given = _given(traffic, services)
    found = []
    for consumer, app, authorisation in sorted({key[:3] for key in calls}):
        if org not in (None, consumer):
            continue
        for service_name, fields, purpose in sorted(_fields(grants, authorisation, consumer, services)):
            where = (consumer, app, authorisation, service_name)
            for name in fields:
                found.append(
                    Use(
                        consumer, app, purpose, authorisation, service_name, name, calls.get(where, 0),
                        asked.get((*where, name), 0), given.get((*where, name), 0),
                    )
                )  # fmt: skip
    return found


def unused(
    uses: Iterable[Use], policies: Policies, services: Mapping[str, Service]
) -> dict[str, dict[str, dict[str, frozenset[str]]]]:
    """What no application used: purpose -> authorisation -> service -> fields. Services that nobody asked at all are left
    as they are: whether those are still needed is no question of fields. So is what an answer that is granted rests on."""
    needed = _needed(policies, services)
    used: dict[tuple[str, str, str], dict[str, bool]] = {}
    asked: set[tuple[str, str, str]] = set()
    for one in uses:
        key = (one.purpose, one.authorisation, one.service)
        fields = used.setdefault(key, {})
        fields[one.field] = fields.get(one.field, False) or not one.unused
        if one.calls:
            asked.add(key)
    found: dict[str, dict[str, dict[str, frozenset[str]]]] = {}
    for (purpose, authorisation, service), fields in sorted(used.items()):
        rests = needed.get((authorisation, service), frozenset())
        idle = frozenset(name for name, busy in fields.items() if not busy and not _touches(name, rests))
        if idle and len(idle) < len(fields) and (purpose, authorisation, service) in asked:
            found.setdefault(purpose, {}).setdefault(authorisation, {})[service] = idle
    return found


def _needed(policies: Policies, services: Mapping[str, Service]) -> dict[tuple[str, str], frozenset[str]]:
    """(authorisation, service) -> fields that the parts of a granted composition look at."""
    found: dict[tuple[str, str], frozenset[str]] = {}
    for authorisation, grants in _by_authorisation(policies).items():
        for grant in grants:
            composed = services.get(grant.service)
            for part in composed.parts_for(grant.fields) if composed is not None else ():
                key = (authorisation, part.service)
                found[key] = found.get(key, frozenset()) | part.fields
    return found


def _touches(name: str, others: Iterable[str]) -> bool:
    return any(one == name or one.startswith(name + ".") or name.startswith(one + ".") for one in others)


def _by_authorisation(policies: Policies) -> dict[str, list[Grant]]:
    found: dict[str, dict[int, Grant]] = {}
    for purpose, organisation, _ in policies.held():
        for grant in policies.grants(purpose, organisation):
            found.setdefault(grant.authorisation, {})[id(grant)] = grant
    return {name: list(grants.values()) for name, grants in found.items()}


def _fields(
    grants: Mapping[str, list[Grant]], authorisation: str, org: str, services: Mapping[str, Service]
) -> Iterator[tuple[str, tuple[str, ...], str]]:
    """(service, fields, purpose) of what an authorisation gives an organisation, as its lines are written."""
    merged: dict[tuple[str, str], set[str]] = {}
    for grant in grants.get(authorisation, ()):
        if org in grant.organisations and grant.service in services:
            merged.setdefault((grant.service, grant.purpose), set()).update(grant.fields)
    for (service, purpose), fields in merged.items():
        yield service, tuple(sorted(fields)), purpose


def _asked(
    traffic: Traffic, services: Mapping[str, Service]
) -> tuple[dict[tuple[str, ...], int], dict[tuple[str, ...], int]]:
    """Calls that asked for a field (under every name it has), and calls in all."""
    asked: dict[tuple[str, ...], int] = {}
    calls: dict[tuple[str, ...], int] = {}
    for shape, n in traffic.asked.items():
        service = services.get(shape.service)
        if shape.outcome != "permit" or service is None:
            continue
        where = (shape.org, shape.app, shape.policy, shape.service)
        calls[where] = calls.get(where, 0) + n
        for name in _names(shape.fields, service):
            asked[*where, name] = asked.get((*where, name), 0) + n
    return asked, calls


def _given(traffic: Traffic, services: Mapping[str, Service]) -> dict[tuple[str, ...], int]:
    """Calls that gave a field; a part of a composition gives what it was asked for, to the answer alone."""
    given: dict[tuple[str, ...], int] = {}
    for answer, n in traffic.given.items():
        service = services.get(answer.service)
        names = frozenset(one.removeprefix("answer:") for one in answer.categories)
        for name in _names(names, service) if service else ():
            key = (answer.org, answer.app, answer.policy, answer.service, name)
            given[key] = given.get(key, 0) + n
    for shape, n in traffic.asked.items():
        service = services.get(shape.service)
        if shape.part and shape.outcome == "permit" and service is not None:
            for name in _names(shape.fields, service):
                key = (shape.org, shape.app, shape.policy, shape.service, name)
                given[key] = given.get(key, 0) + n
    return given


def _names(fields: frozenset[str] | None, service: Service) -> frozenset[str]:
    """Every name under which a grant may have written these fields: inside them, and around them."""
    whole = service.offers if fields is None else expand(fields, service.offers)
    above = {name[:cut] for name in whole for cut in range(len(name)) if name[cut] == "."}
    return frozenset(whole | above | (fields or frozenset()))
