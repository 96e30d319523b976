"""Everything an application holds: services, search keys, fields, what is withheld by design, depth, conditions, legal text.

Lines stand beside each other and are never added up: a question is allowed by one line, whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from integrator.identity.lives import written
from integrator.model import LocalizedString
from integrator.policy import Grant, Policies, tops
from integrator.policy.conditions import Conditions
from integrator.policy.names import granted
from integrator.policy.terms import FOREVER, Purpose
from integrator.services import Service

Json = dict[str, Any]


class Law(Protocol):
    """The legal text behind an authorisation, as integrator.consoles.book.Law."""

    @property
    def kind(self) -> str: ...
    @property
    def number(self) -> str: ...
    @property
    def issuer(self) -> str: ...
    @property
    def date(self) -> str: ...
    @property
    def text(self) -> LocalizedString | None: ...


def mine(
    policies: Policies, services: Mapping[str, Service], laws: Mapping[str, Law], organisation: str, application: str,
    purposes: Iterable[str], now: float,
) -> Json:  # fmt: skip
    """For these purposes, each with its services and lines; ended lines are left out, coming ones say from when."""
    told: list[Json] = []
    for code in sorted(purposes):
        purpose = policies.purposes.get(code)
        if purpose is None:  # it was enrolled for one that has gone: said, so that nobody wonders
            told.append({"purpose": code, "services": []})
            continue
        lines = [line for line in policies.grants(code, organisation) if now < line.ends and _named(line, application)]
        told.append({**_purpose(purpose), "services": _services(lines, services, laws, now)})
    return {"organisation": organisation, "application": application, "purposes": told}


def _named(line: Grant, application: str) -> bool:
    return line.applications is None or application in line.applications


def _purpose(purpose: Purpose) -> Json:
    return {
        "purpose": purpose.code, "title": purpose.title.json(), "why": purpose.why.json(), "legalBasis": purpose.legal_basis,
        "retention": purpose.retention, "processingActivity": purpose.activity,
    }  # fmt: skip


def _services(lines: list[Grant], services: Mapping[str, Service], laws: Mapping[str, Law], now: float) -> list[Json]:
    told = []
    for name in sorted({line.service for line in lines} & services.keys()):
        service = services[name]
        own = [line for line in lines if line.service == name]
        told.append({
            "service": name, "title": service.title.json(), "method": service.method, "path": service.path,
            "lines": [_line(line, service, laws, now) for line in own],
        })  # fmt: skip
    return told


def _line(line: Grant, service: Service, laws: Mapping[str, Law], now: float) -> Json:
    given = granted(line.fields, service.offers)
    told: Json = {
        "line": line.id, "authorisation": line.authorisation, "digest": f"sha256:{line.digest}",
        "searchKeys": sorted(line.keys), "fields": list(tops(given)),
        "withheld": [{"field": name, "reason": "NOT_GRANTED"} for name in tops(service.offers - given)],
        "historyYears": line.history_years, "population": "ownTerritory" if line.territory_own else "any",
        "use": "answersOnly" if line.answers_only else "release", "conditions": conditions(line, service),
        "validFrom": written(line.starts), "inForce": line.starts <= now < line.ends,
    }  # fmt: skip
    if service.directions:
        told["as"] = sorted(line.directions & service.directions)
    if line.ends < FOREVER:
        told["validUntil"] = written(line.ends)
    law = laws.get(line.authorisation)
    return told | ({"legal": _legal(law)} if law is not None else {})


def conditions(line: Grant, service: Service) -> list[Json]:
    """What must hold beside the line itself, in codes that a program can look at."""
    told: list[Json] = []
    if service.needs_dossier:
        told.append({"kind": "dossierReference"})
    if line.applications is not None:
        told.append({"kind": "applications", "of": sorted(line.applications)})
    if line.territory_own:
        told.append({"kind": "ownTerritory"})
    if line.lifts:
        told.append({"kind": "lifts", "of": sorted(line.lifts)})
    if line.minors != "any":
        told.append({"kind": "minors", "of": [line.minors]})
    if line.pseudonymise:
        told.append({"kind": "pseudonyms"})
    if line.notify:
        told.append({"kind": "notify", "of": sorted(line.notify)})
    return told + (_before(line.conditions) if line.conditions is not None else [])


def _before(needed: Conditions) -> list[Json]:
    """What must be known of the agent, the moment and the file before anything is asked."""
    told: list[Json] = []
    if needed.roles:
        told.append({"kind": "roles", "of": sorted(needed.roles)})
    if needed.assurance:
        told.append({"kind": "assurance", "of": [needed.assurance]})
    if needed.hours is not None:
        told.append({"kind": "hours"})
    if needed.dossier:
        told.append({"kind": "dossierReference"})
    if needed.registration:
        told.append({"kind": "registration", "of": sorted(needed.registration)})
    return told


def _legal(law: Law) -> Json:
    told: Json = {"kind": law.kind, "number": law.number, "issuer": law.issuer, "date": law.date}
    return told | ({"text": law.text.json()} if law.text is not None else {})
