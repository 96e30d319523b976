"""`integrator emergency list | confirm ID | reject ID`: what waits; and, in the sandbox, the second person's word.

In production that word is given at the console, where it is known who gives it: here a name is only said. A hub that runs
writes it in the ledger within a minute; one that does not, when it starts.
"""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from integrator import clock, settings
from integrator.database import Database
from integrator.emergency import Emergencies, Emergency, Rules, Store
from integrator.errors import ConfigurationError


def add(words: Any) -> None:
    parser = words.add_parser("emergency", help="questions that passed a condition, and the second person")
    verbs = parser.add_subparsers(dest="verb", required=True)
    for verb, told in (
        ("list", "what waits, and what was decided"),
        ("confirm", "there was a good reason (sandbox only: in production at the console)"),
        ("reject", "there was none (sandbox only)"),
    ):
        one = verbs.add_parser(verb, help=told)
        if verb != "list":
            one.add_argument("id", help="as `list` shows it")
            one.add_argument("--by", required=True, help="who says so: never the agent who asked")
        one.add_argument("--settings", type=Path)
        one.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    loaded = settings.load(chosen.settings)
    if chosen.verb != "list" and not loaded.sandbox:
        raise ConfigurationError(
            "in production nobody is a second person at the command line",
            advice="Sign in at /console/emergencies: a name said here is no proof.",
        )
    loaded.state.mkdir(parents=True, exist_ok=True, mode=0o700)
    store = Store(Database(str(loaded.emergency["database"]), "emergency"))
    try:
        if chosen.verb == "list":
            for one in store.known(None):
                print(_line(one))
        else:
            office = Emergencies(store, Rules(), clock.system)
            print(_line(office.decide_now(chosen.id, chosen.by, None, confirmed=chosen.verb == "confirm")))
    finally:
        store.database.close()
    return 0


def _line(one: Emergency) -> str:
    due = datetime.fromtimestamp(one.due, UTC).strftime("%Y-%m-%d %H:%M")
    who = f"by {one.second}" if one.second else f"before {due} UTC"
    return f"{one.id}  {one.state} {who}  {one.organisation} {one.agent}  {one.service} for {one.purpose}  {one.broken}  trace {one.trace}"
