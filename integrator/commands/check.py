"""`integrator check`: lint the whole collection; each finding with file and line."""

from __future__ import annotations

import argparse
import time
from typing import Any

from integrator import checks, clock, places


def add(words: Any) -> None:
    parser = words.add_parser("check", help="lint manifests, services, mappings, authorisations")
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    started = time.monotonic()
    findings = checks.check(places.home(), clock.today(clock.system()))
    for finding in findings:
        print(finding)
    errors = sum(finding.severity == "error" for finding in findings)
    print(f"integrator check: {errors} errors, {len(findings) - errors} warnings, {time.monotonic() - started:.1f} s")
    return 1 if errors else 0
