"""The authorisations in Cedar: a second reading of the same YAML by another engine, sharing none of our code.

Who belongs to which group, what stands inside which field and when a day ends is worked out here anew, plainly.

    permit (principal in Authorisation::"a@2026-1", action == Action::"ask", resource == Service::"person.get")
    when { context.purpose == "…" && ["ssin"].containsAll(context.keys) && ["name"].containsAny(context.fields) && … };
"""

from __future__ import annotations

import json
from calendar import timegm
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import cedarpy
import yaml

from integrator.policy import Ask, Facts

Offers = Mapping[str, frozenset[str]]


class Cedar:
    """One collection of purposes, as Cedar sees it. `offers`: the names of each service's fields."""

    def __init__(self, files: Sequence[tuple[str, bytes]], organisations: Mapping[str, Any], offers: Offers) -> None:
        self._offers = offers
        self.lines: dict[str, str] = {}  # Cedar's name of a policy -> our id of the line
        purposes = [yaml.load(text, Loader=yaml.CSafeLoader) for _, text in files]
        texts = [text for purpose in purposes for text in self._purpose(purpose)]
        self._policies = cedarpy.PolicySet.from_str("\n".join(texts))
        self._entities = cedarpy.Entities.from_json_str(json.dumps(list(_entities(purposes, organisations))))

    def judge(self, asks: Sequence[tuple[Ask, int, Facts]]) -> list[frozenset[str]]:
        """For each question, the ids of all lines that permit it; empty = denied. Raises when Cedar cannot evaluate."""
        found = []
        for answer in cedarpy.is_authorized_batch(
            [self._request(*one) for one in asks], self._policies, self._entities
        ):
            if answer.diagnostics.errors:
                raise AssertionError(answer.diagnostics.errors)
            by = frozenset(self.lines[name] for name in answer.diagnostics.reasons)
            assert answer.allowed == bool(by)
            found.append(by)
        return found

    def _purpose(self, data: Mapping[str, Any]) -> Iterator[str]:
        for entry in data["authorisations"]:
            for number, grant in enumerate(entry["grants"], start=1):
                self.lines[f"policy{len(self.lines)}"] = f"{entry['id']}#{number}"
                yield self._grant(data["purpose"], entry, grant, data.get("assurance"))

    def _grant(self, purpose: str, entry: Mapping[str, Any], grant: Mapping[str, Any], assurance: str | None) -> str:
        granted = inside(grant.get("fields") or grant["answers"], self._offers[grant["service"]])
        conditions = [
            f"context.purpose == {json.dumps(purpose)}",
            f"context.now >= {_midnight(entry['validFrom'])}",
            f"{_list(grant['keys'])}.containsAll(context.keys)",
            f"{_list(granted)}.containsAny(context.fields)",
        ]
        if "validUntil" in entry:
            conditions.append(f"context.now < {_midnight(entry['validUntil'], days=1)}")
        if entry.get("applications", "any") != "any":
            conditions.append(f"{_list(entry['applications'])}.contains(context.application)")
        if grant.get("use") == "answersOnly":
            conditions.append("context.part")
        if not grant.get("historyYears"):
            conditions.append("!context.history")
        conditions.append(f"{_list(grant.get('as', ['']))}.contains(context.direction)")
        conditions += _conditions(grant, assurance)
        head = f'principal in Authorisation::{json.dumps(entry["id"])}, action == Action::"ask", resource == Service::{json.dumps(grant["service"])}'
        return f"permit ({head}) when {{ {' && '.join(conditions)} }};"

    def _request(self, ask: Ask, now: int, facts: Facts) -> dict[str, Any]:
        offers = self._offers[ask.service]
        context = {
            "purpose": ask.purpose, "application": ask.application, "keys": sorted(ask.keys), "now": now, "history": ask.history,
            "part": ask.part, "direction": ask.direction, "fields": sorted(offers if ask.fields is None else inside(ask.fields, offers)),
            "roles": sorted(facts.roles), "assurance": _RANKS.index(facts.assurance or ""), "dossier": facts.dossier,
            "registered": sorted(facts.registered or ()), "emergency": facts.emergency, **_clock(now),
        }  # fmt: skip
        return {
            "principal": {"type": "Organisation", "id": ask.organisation}, "action": {"type": "Action", "id": "ask"},
            "resource": {"type": "Service", "id": ask.service}, "context": context,
        }  # fmt: skip


_RANKS = ["", "low", "substantial", "high"]
_WEEK = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


def _conditions(grant: Mapping[str, Any], purpose: str | None) -> Iterator[str]:
    """What a line asks for beside the question; each gives way to an emergency where the line says so."""
    least = max(_RANKS.index(grant.get("assurance", "")), _RANKS.index(purpose or ""))
    asked = {"assurance": f"context.assurance >= {least}"} if least else {}
    if "roles" in grant:
        asked["roles"] = f"{_list(grant['roles'])}.containsAny(context.roles)"
    if "registration" in grant:
        asked["registration"] = f"{_list(grant['registration'])}.containsAny(context.registered)"
    if grant.get("dossier"):
        asked["dossier"] = "context.dossier"
    if hours := grant.get("hours"):
        begin, end = (
            60 * int(clock[:2]) + int(clock[3:]) for clock in (hours.get("from", "00:00"), hours.get("to", "24:00"))
        )
        days = _list(hours.get("days", _WEEK))
        asked["hours"] = f"({days}.contains(context.day) && context.minute >= {begin} && context.minute < {end})"
    for kind, said in sorted(asked.items()):
        yield f"({said} || context.emergency)" if kind in grant.get("breakable", ()) else said


def _clock(now: int) -> dict[str, Any]:
    """The wall clock of Brussels."""
    local = datetime.fromtimestamp(now, UTC).astimezone(ZoneInfo("Europe/Brussels"))
    return {"day": _WEEK[local.isoweekday() - 1], "minute": local.hour * 60 + local.minute}


def inside(names: Any, offers: frozenset[str]) -> set[str]:
    """What of the offer stands at or inside one of the names, by the definition."""
    return {one for one in offers for name in names if one == name or one.startswith(name + ".")}


def _entities(purposes: Sequence[Mapping[str, Any]], organisations: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Organisations in groups in authorisations: Cedar finds who belongs where by itself."""
    parents: dict[tuple[str, str], list[tuple[str, str]]] = {}
    known = organisations["organisations"]

    def uid(name: str) -> tuple[str, str]:
        if name.startswith("group:"):
            return "Group", name.removeprefix("group:")
        return "Organisation", known[name]["number"] if name in known else name

    for group, named in organisations["groups"].items():
        for name in named:
            parents.setdefault(uid(name), []).append(("Group", group))
    for purpose in purposes:
        for entry in purpose["authorisations"]:
            for name in entry["organisations"]:
                parents.setdefault(uid(name), []).append(("Authorisation", entry["id"]))
    for (kind, name), above in parents.items():
        yield {
            "uid": {"type": kind, "id": name},
            "attrs": {},
            "parents": [{"type": one, "id": other} for one, other in above],
        }


def _list(names: Any) -> str:
    return json.dumps(sorted(names))


def _midnight(day: Any, days: int = 0) -> int:
    parsed = day if isinstance(day, date) else date.fromisoformat(day)
    return timegm((parsed + timedelta(days=days)).timetuple())
