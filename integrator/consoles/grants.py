"""The fields that authorisations grant, as the reports want them: one line for each authorisation, service and field.

A field that may only be looked at inside an answer is used whenever an answer that rests on it is given: the line names
those answers, so that such a field is not called unused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from audit.reports import Granted
from integrator.policy import Grant, Policies
from integrator.services import Service


def granted_fields(
    policies: Policies, services: Mapping[str, Service], organisations: Iterable[str]
) -> Callable[[str | None], Sequence[Granted]]:
    """A function from an organisation (None = all of `organisations`) to the fields it was granted."""
    everybody = list(organisations)

    def granted(org: str | None) -> Sequence[Granted]:
        found: dict[tuple[str, str, str], Granted] = {}
        for purpose in policies.purposes:
            for number in everybody if org is None else [org]:
                grants = list(policies.grants(purpose, number))
                for grant in grants:
                    found.update(_lines(grant, grants, services))
        return [found[key] for key in sorted(found)]

    return granted


def _lines(
    grant: Grant, grants: Sequence[Grant], services: Mapping[str, Service]
) -> Iterable[tuple[tuple[str, str, str], Granted]]:
    service = services.get(grant.service)
    answers = service is not None and service.is_composition
    for name in sorted(grant.fields):
        field = f"answer:{name}" if answers else name
        within = () if answers else _within(grant, name, grants, services)
        yield (grant.authorisation, grant.service, field), Granted(grant.authorisation, grant.service, field, within)


def _within(
    grant: Grant, field: str, grants: Sequence[Grant], services: Mapping[str, Service]
) -> tuple[tuple[str, str], ...]:
    """The answers of the same authorisation that rest on a field."""
    found = []
    for other in grants:
        composed = services.get(other.service)
        if other.authorisation != grant.authorisation or composed is None or not composed.is_composition:
            continue
        for code in sorted(other.fields):
            parts = composed.parts_for(frozenset({code}))
            if any(part.service == grant.service and _touches(part.fields, field) for part in parts):
                found.append((other.service, f"answer:{code}"))
    return tuple(found)


def _touches(fields: Iterable[str], name: str) -> bool:
    return any(one == name or one.startswith(name + ".") or name.startswith(one + ".") for one in fields)
