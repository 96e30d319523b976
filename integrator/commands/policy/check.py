"""`integrator policy check`: what is wrong with the authorisations as texts, each finding with file and line.

Schema, a missing translation, a purpose without retention, names that do not exist, grants that can never apply,
overlaps, and what ends within 60 days. The same findings stand in `integrator check`, among those of the other rooms.
"""

from __future__ import annotations

import argparse
from datetime import date
from typing import Any

from integrator import checks, clock, places

ROOMS = ("policies/", "config/organisations.yaml", "config/retention.yaml")


def add(verbs: Any) -> None:
    parser = verbs.add_parser("check", help="the texts: schema, overlaps, grants that can never apply, what ends soon")
    parser.add_argument("--at", type=date.fromisoformat, help="YYYY-MM-DD, default today")
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    everything = checks.check(places.home(), chosen.at or clock.today(clock.system()))
    findings = [finding for finding in everything if finding.file.startswith(ROOMS)]
    for finding in findings:
        print(finding)
    errors = sum(finding.severity == "error" for finding in findings)
    elsewhere = sum(finding.severity == "error" for finding in everything) - errors
    print(f"integrator policy check: {errors} errors, {len(findings) - errors} warnings")
    if elsewhere:  # a collection that does not hang together is not followed to its end
        print(f"{elsewhere} errors in other rooms may hide more: see integrator check")
    return 1 if errors or elsewhere else 0
