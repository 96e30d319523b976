"""A line's conditions, each made looser by one thing: what the mutation check tries, as changes of the YAML.

Limits per minute and per day are counted at run time, so no case can notice them; everything else must break a case.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from integrator.policy.conditions import DAYS, LEVELS, REASON_OF, level, strictest

Said = tuple[str, str]  # what was loosened, by what
Changed = dict[str, Any]  # word of the grant -> new value; None = taken away


def each(grant: Mapping[str, Any], purpose_assurance: str | None) -> Iterator[tuple[Said, Changed]]:
    """Every way to ask less of who uses this line. `purpose_assurance`: what the purpose asks of all its lines."""
    for word in ("roles", "registration"):
        if word in grant:
            yield (word, "none"), {word: None}
    if "registration" in grant:
        yield ("registration", "quality 999"), {"registration": [*grant["registration"], "999"]}
    if "roles" in grant:
        yield ("roles", "any_other"), {"roles": [*grant["roles"], "any_other"]}
    if grant.get("dossier"):
        yield ("dossier", "none"), {"dossier": None}
    if level(grant.get("assurance")) > level(purpose_assurance):
        lower = [name for name in LEVELS if level(name) < level(grant["assurance"])]
        yield ("assurance", lower[-1] if lower else "none"), {"assurance": strictest(*lower)}
    yield from _hours(grant.get("hours"))
    asked = [word for word in REASON_OF if word in grant or (word == "assurance" and purpose_assurance)]
    for word in asked:
        if word not in grant.get("breakable", ()):
            yield ("emergency", word), {"breakable": [*grant.get("breakable", ()), word]}
    if grant.get("minors", "any") != "any":
        yield ("minors", "any"), {"minors": "any"}
    if "results" in grant.get("limits", {}):
        more = {**grant["limits"], "results": grant["limits"]["results"] + 1}
        yield ("results", str(more["results"])), {"limits": more}


def purpose(assurance: str | None) -> Iterator[tuple[Said, Changed]]:
    """The same for what the purpose asks of all its lines."""
    if assurance is not None:
        lower = [name for name in LEVELS if level(name) < level(assurance)]
        yield ("assurance of the purpose", lower[-1] if lower else "none"), {"assurance": strictest(*lower)}


def _hours(hours: Mapping[str, Any] | None) -> Iterator[tuple[Said, Changed]]:
    if hours is None:
        return
    yield ("hours", "all"), {"hours": None}
    if "from" in hours and hours["from"] != "00:00":
        yield ("hours", "from the midnight before"), {"hours": {**hours, "from": "00:00"}}
    if "to" in hours and hours["to"] != "24:00":
        yield ("hours", "to the midnight after"), {"hours": {**hours, "to": "24:00"}}
    if len(hours.get("days", DAYS)) < len(DAYS):
        yield ("hours", "every day"), {"hours": {**hours, "days": list(DAYS)}}
