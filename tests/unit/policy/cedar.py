"""The authorisations in Cedar: a second reading of the same YAML by another engine, sharing none of our code.

Who belongs to which group, what stands inside which field and when a day ends is worked out here anew, plainly.

    permit (principal in Authorisation::"a@2026-1", action == Action::"ask", resource == Service::"person.get")
    when { context.purpose == "…" && ["ssin"].containsAll(context.keys) && ["name"].containsAny(context.fields) && … };
"""

from __future__ import annotations

import json
from calendar import timegm
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import cedarpy
import yaml

from integrator.policy import Ask

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

    def judge(self, asks: Sequence[tuple[Ask, int]]) -> list[frozenset[str]]:
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
                yield self._grant(data["purpose"], entry, grant)

    def _grant(self, purpose: str, entry: Mapping[str, Any], grant: Mapping[str, Any]) -> str:
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
        head = f'principal in Authorisation::{json.dumps(entry["id"])}, action == Action::"ask", resource == Service::{json.dumps(grant["service"])}'
        return f"permit ({head}) when {{ {' && '.join(conditions)} }};"

    def _request(self, ask: Ask, now: int) -> dict[str, Any]:
        offers = self._offers[ask.service]
        context = {
            "purpose": ask.purpose, "application": ask.application, "keys": sorted(ask.keys), "now": now, "history": ask.history,
            "part": ask.part, "fields": sorted(offers if ask.fields is None else inside(ask.fields, offers)),
        }  # fmt: skip
        return {
            "principal": {"type": "Organisation", "id": ask.organisation}, "action": {"type": "Action", "id": "ask"},
            "resource": {"type": "Service", "id": ask.service}, "context": context,
        }  # fmt: skip


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
