"""`integrator policy test`: every purpose's cases judged, and every authorisation loosened by one thing must break one."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from integrator import places
from integrator.checks import Finding, Lines
from integrator.commands.policy.rooms import Rooms, open_rooms
from integrator.errors import ConfigurationError
from integrator.governing.proving import tried
from integrator.places import parse_yaml
from integrator.policy.cases import mutants


def add(verbs: Any) -> None:
    parser = verbs.add_parser("test", help="the cases: judged, complete, and broken by every loosening")
    parser.add_argument("purpose", nargs="*", help="default: all")
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    rooms = open_rooms()
    unknown = set(chosen.purpose) - set(rooms.policies.purposes)
    if unknown:
        raise ConfigurationError(f"no such purpose: {', '.join(sorted(unknown))}", advice="See policies/.")
    wrong, judged, loosened = 0, 0, 0
    for path in sorted(places.folder("policies").glob("*.yaml")):
        if chosen.purpose and path.stem not in chosen.purpose:
            continue
        data = parse_yaml(path.name, path.read_bytes())
        for finding in _findings(path, data, rooms):
            print(finding)
            wrong += 1
        judged += len(data["cases"])
        loosened += sum(1 for _ in mutants(data, rooms.offers, rooms.keys, rooms.directions, rooms.organisations))
    print(f"integrator policy test: {judged} cases, {loosened} loosenings tried, {wrong} findings")
    return 1 if wrong else 0


def _findings(path: Path, data: Any, rooms: Rooms) -> Iterator[Finding]:
    """Services that no case permits or none denies, then what the machine says of a proposal too."""
    text = path.read_bytes()
    lines, name = Lines(text.decode()), f"policies/{path.name}"
    proved = {(case["ask"]["service"], "deny" if "deny" in case["expect"] else "permit") for case in data["cases"]}
    for number, entry in enumerate(data["authorisations"]):
        for position, grant in enumerate(entry["grants"]):
            for outcome in ("permit", "deny"):
                if (grant["service"], outcome) not in proved:
                    at = lines.at(("authorisations", number, "grants", position))
                    yield Finding(name, at, "error", f"no {outcome} case for {grant['service']}")
    yield from tried(
        path.stem, text, data, rooms.policies, rooms.offers, rooms.keys, rooms.directions, rooms.organisations
    )
