"""`integrator check`: lint the whole collection; each finding with file and line."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from integrator import checks, clock, places
from integrator.errors import ConfigurationError
from integrator.indicators.definitions import load_indicators, load_words
from integrator.mapping import load_sheets
from integrator.opened.catalogue import catalogue
from integrator.opened.exchange import open_services
from integrator.places import read_yaml
from integrator.registry import manifests
from integrator.services import load_services


def add(words: Any) -> None:
    parser = words.add_parser("check", help="lint manifests, services, mappings, authorisations")
    parser.set_defaults(run=run)


def _open_and_counted(home: Path) -> Iterator[checks.Finding]:
    """What would keep the hub from starting, or a centre from counting."""
    try:
        services = load_services(home / "config" / "services", load_sheets(home / "mappings"), sandbox=frozenset())
        opened = open_services(services, manifests(home / "connectors"))
        catalogue(read_yaml(home / "config" / "open" / "catalog.yaml"), opened, "")
        load_indicators(home / "config" / "indicators")
        for words in sorted((home / "connectors").glob("*/indicators.yaml")):
            load_words(words.parent)
    except ConfigurationError as error:
        yield checks.Finding(str(error).partition(":")[0], 1, "error", str(error))


def run(chosen: argparse.Namespace) -> int:
    started = time.monotonic()
    findings = checks.check(places.home(), clock.today(clock.system()))
    if not findings:  # else it may be said twice, or stand on what is broken
        findings = [*_open_and_counted(places.home())]
    for finding in findings:
        print(finding)
    errors = sum(finding.severity == "error" for finding in findings)
    print(f"integrator check: {errors} errors, {len(findings) - errors} warnings, {time.monotonic() - started:.1f} s")
    return 1 if errors else 0
