"""Two lines side by side: does one give all that the other gives, and what does it give beyond?

From this follow the overlaps of one collection, and the difference between two of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from integrator.policy.conditions import Conditions, Hours, Limits, level
from integrator.policy.engine import Policies
from integrator.policy.names import granted, tops
from integrator.policy.terms import FOREVER, Grant
from integrator.policy.why import day_of

Offers = Mapping[str, frozenset[str]]


@dataclass(frozen=True, slots=True, order=True)
class More:
    """One thing that a line gives beyond another."""

    kind: str  # service | field | key | sender | receiver | past | use | application | territory | minors | lifts | identifiers | silence | from | until
    # … and, without or with less of a condition: role | assurance | hours | dossier | registration | emergency | amount
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, order=True)
class Difference:
    """What organisations gain or lose with one service, for one purpose."""

    purpose: str
    service: str
    gained: tuple[More, ...]
    lost: tuple[More, ...]
    organisations: tuple[str, ...]  # KBO numbers


def overlaps(policies: Policies, offers: Offers) -> Iterator[tuple[Grant, Grant]]:
    """(superfluous line, line that gives all of it already) within one purpose."""
    for service in sorted(offers):
        lines = policies.of_service(service)
        for place, line in enumerate(lines):
            for other_place, other in enumerate(lines):
                within = line.purpose == other.purpose and line.organisations <= other.organisations
                if place != other_place and within and not _beyond(line, other, offers[service]):
                    same = line.organisations == other.organisations and not _beyond(other, line, offers[service])
                    if not same or other_place < place:  # of twins one is superfluous
                        yield line, other
                        break


def differences(old: Policies, new: Policies, offers: Offers) -> list[Difference]:
    """What changes for whom between two collections; organisations for which the same changes stand together."""
    found: dict[tuple[str, str, tuple[More, ...], tuple[More, ...]], list[str]] = {}
    for purpose, organisation, service in sorted({*old.held(), *new.held()}):
        before = [line for line in old.grants(purpose, organisation) if line.service == service]
        after = [line for line in new.grants(purpose, organisation) if line.service == service]
        offered = offers.get(service, frozenset().union(*(line.fields for line in (*before, *after))))
        gained, lost = _all_beyond(after, before, offered), _all_beyond(before, after, offered)
        if gained or lost:
            found.setdefault((purpose, service, gained, lost), []).append(organisation)
    return sorted(Difference(*key, tuple(named)) for key, named in found.items())


def _all_beyond(lines: Iterable[Grant], others: list[Grant], offers: frozenset[str]) -> tuple[More, ...]:
    """What each line gives beyond the other that comes nearest to it; grants are never added up."""
    found: set[More] = set()
    for line in lines:
        beyond = [_beyond(line, other, offers) for other in others]
        whole = (More("service", tops(granted(line.fields, offers))),)
        found.update(min(beyond, key=lambda more: (sum(max(1, len(one.names)) for one in more), more), default=whole))
    return tuple(sorted(found))


def _beyond(line: Grant, other: Grant, offers: frozenset[str]) -> tuple[More, ...]:
    """What `line` gives that `other` does not, for an organisation that has both."""
    more = []
    if fields := granted(line.fields, offers) - granted(other.fields, offers):
        more.append(More("field", tops(fields)))
    if keys := line.keys - other.keys:
        more.append(More("key", tuple(sorted(keys))))
    more += [More(one) for one in sorted(line.directions - other.directions)]
    if line.history_years > other.history_years:
        more.append(More("past", (str(line.history_years),)))
    if other.answers_only and not line.answers_only:
        more.append(More("use"))
    if other.applications is not None and (line.applications is None or line.applications - other.applications):
        more.append(More("application", tuple(sorted((line.applications or frozenset()) - other.applications))))
    if other.territory_own and not line.territory_own:
        more.append(More("territory"))
    if line.minors != other.minors and other.minors != "any":
        more.append(More("minors"))
    if line.lifts - other.lifts:
        more.append(More("lifts"))
    if other.pseudonymise and not line.pseudonymise:
        more.append(More("identifiers"))
    if other.notify - line.notify:
        more.append(More("silence", tuple(sorted(other.notify - line.notify))))
    if any(mine > theirs for mine, theirs in zip(line.limits.text(), other.limits.text(), strict=True)):
        more.append(More("amount", _amounts(line.limits)))
    more += _looser(line.conditions or _NONE, other.conditions or _NONE)
    if line.starts < other.starts:
        more.append(More("from", (day_of(line.starts),)))
    if line.ends > other.ends:
        more.append(More("until", () if line.ends >= FOREVER else (day_of(line.ends - 1),)))
    return tuple(more)


_NONE = Conditions()


def _looser(line: Conditions, other: Conditions) -> Iterator[More]:
    """Conditions that `line` asks less of: what its user may do beyond the other's."""
    if other.roles and (not line.roles or line.roles - other.roles):
        yield More("role", tuple(sorted(line.roles - other.roles)))
    if level(line.assurance) < level(other.assurance):
        yield More("assurance", (line.assurance,) if line.assurance else ())
    if other.hours is not None and (line.hours is None or not _within(line.hours, other.hours)):
        yield More("hours", (str(line.hours),) if line.hours else ())
    if other.dossier and not line.dossier:
        yield More("dossier")
    if other.registration and (not line.registration or line.registration - other.registration):
        yield More("registration", tuple(sorted(line.registration - other.registration)))
    if broken := line.breakable - other.breakable:
        yield More("emergency", tuple(sorted(broken)))


def _within(hours: Hours, other: Hours) -> bool:
    return hours.days <= other.days and other.start <= hours.start and hours.end <= other.end


def _amounts(limits: Limits) -> tuple[str, ...]:
    named = (
        ("perMinute", limits.per_minute), ("perDay", limits.per_day), ("perAgentPerDay", limits.per_agent_per_day),
        ("results", limits.results),
    )  # fmt: skip
    return tuple(f"{name} {limit}" for name, limit in named if limit is not None)
