"""`integrator policy check`: what is wrong with the authorisations as texts, each finding with file and line.

Schema, a missing translation, a purpose without retention, names that do not exist, grants that can never apply,
overlaps, and what ends within 60 days. The same findings stand in `integrator check`, among those of the other rooms.
With texts named, those are read in the place of the ones in force, with their cases and every loosening: what a proposal
of them would be told. Where a file of policies/ is not what is in force, that is said.
"""

from __future__ import annotations

import argparse
from datetime import date
from pathlib import Path
from typing import Any

from integrator import checks, clock, places, settings
from integrator.checks import Finding
from integrator.commands.policy.house import drafts, in_force
from integrator.governing.proving import prove
from integrator.governing.texts import read_texts

ROOMS = ("policies/", "config/organisations.yaml", "config/retention.yaml")


def add(verbs: Any) -> None:
    parser = verbs.add_parser("check", help="the texts: schema, overlaps, grants that can never apply, what ends soon")
    parser.add_argument("--at", type=date.fromisoformat, help="YYYY-MM-DD, default today")
    parser.add_argument("drafts", nargs="*", type=Path, help="changed texts, held against the ones in force")
    parser.add_argument("--settings", type=Path)
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    if chosen.drafts:
        return _drafts(chosen)
    everything = checks.check(places.home(), chosen.at or clock.today(clock.system()))
    findings = [finding for finding in everything if finding.file.startswith(ROOMS)]
    findings += _drift(settings.load(chosen.settings))
    for finding in findings:
        print(finding)
    errors = sum(finding.severity == "error" for finding in findings)
    elsewhere = sum(finding.severity == "error" for finding in everything) - errors
    print(f"integrator policy check: {errors} errors, {len(findings) - errors} warnings")
    if elsewhere:  # a collection that does not hang together is not followed to its end
        print(f"{elsewhere} errors in other rooms may hide more: see integrator check")
    return 1 if errors or elsewhere else 0


def _drafts(chosen: argparse.Namespace) -> int:
    """What the machine would say of a proposal."""
    texts, _ = in_force(settings.load(chosen.settings))
    proof = prove(texts, drafts(chosen.drafts), chosen.at or clock.today(clock.system()))
    for one in proof["findings"]:
        print(f"{one['file']}:{one['line']}: {one['severity']}: {one['message']}")
    errors = sum(one["severity"] == "error" for one in proof["findings"])
    print(
        f"integrator policy check: {errors} errors, {len(proof['findings']) - errors} warnings;"
        f" {proof['cases']} cases, {proof['loosenings']} loosenings tried"
    )
    return 0 if proof["sound"] else 1


def _drift(loaded: settings.Settings) -> list[Finding]:
    """Files that are not what decides: an approved text stands in their place until the file says the same."""
    files, (texts, _) = read_texts(places.folder("policies")), in_force(loaded)
    said = "not what is in force: an approved text decides (integrator policy history {code})"
    return [
        Finding(f"policies/{code}.yaml", 1, "warning", said.format(code=code))
        for code, text in sorted(texts.items())
        if files.get(code) != text
    ]
