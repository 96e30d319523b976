"""`integrator audit accounts …`: local accounts of the consoles, in the sandbox only. Prints one-time set-up codes."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from integrator import clock
from integrator import settings as settings_module
from integrator.consoles.accounts import Accounts
from integrator.consoles.database import Database
from integrator.consoles.vault import open_vault
from integrator.errors import ConfigurationError
from integrator.settings import Settings

READY = (
    ("dpo-ixelles", "dpo", "ixelles"), ("dpo-hub", "hub_dpo", None), ("dpo-hub-2", "hub_dpo", None), ("auditor", "auditor", None),
)  # fmt: skip


def add(verbs: Any) -> None:
    accounts = verbs.add_parser("accounts", help="local accounts of the consoles (sandbox only)")
    words = accounts.add_subparsers(dest="word", required=True, metavar="add | list | reset | ready")
    one = words.add_parser("add", help="make one; prints its one-time set-up code")
    one.add_argument("name", help="lower case letters, digits and -")
    one.add_argument("--role", action="append", required=True, choices=("dpo", "hub_dpo", "auditor", "steward"))
    one.add_argument("--org", help="of a dpo: KBO number or short name of config/organisations.yaml")
    one.set_defaults(run=run_add)
    words.add_parser("list", help="every account, its roles, and whether it is set up").set_defaults(run=run_list)
    again = words.add_parser("reset", help="a new set-up code; password, app and sessions of before end")
    again.add_argument("name")
    again.set_defaults(run=run_reset)
    words.add_parser("ready", help="four accounts to try the consoles with").set_defaults(run=run_ready)
    for word in words.choices.values():
        word.add_argument("--settings", type=Path)


def run_add(chosen: argparse.Namespace) -> int:
    with _opened(chosen) as (settings, accounts):
        _print(settings, chosen.name, accounts.add(chosen.name, chosen.role, _number(chosen.org)))
    return 0


def run_reset(chosen: argparse.Namespace) -> int:
    with _opened(chosen) as (settings, accounts):
        _print(settings, chosen.name, accounts.reset(chosen.name))
    return 0


def run_list(chosen: argparse.Namespace) -> int:
    with _opened(chosen) as (_, accounts):
        for one in accounts.all():
            state = "ready" if one.ready else "to be set up"
            print(f"{one.name:20} {', '.join(sorted(one.roles)):20} {one.org or '-':12} {state}")
    return 0


def run_ready(chosen: argparse.Namespace) -> int:
    """Those that are missing are made; those that were never set up get a new code."""
    with _opened(chosen) as (settings, accounts):
        known = {one.name: one for one in accounts.all()}
        for name, role, org in READY:
            if name not in known:
                _print(settings, name, accounts.add(name, [role], _number(org)))
            elif not known[name].ready:
                _print(settings, name, accounts.reset(name))
            else:
                print(f"{name}: set up already; `integrator audit accounts reset {name}` begins anew")
    return 0


@contextmanager
def _opened(chosen: argparse.Namespace) -> Iterator[tuple[Settings, Accounts]]:
    settings = settings_module.load(chosen.settings)
    if not settings.sandbox:
        raise ConfigurationError(
            "local accounts exist in the sandbox only",
            advice="In production people sign in by OpenID: consoles.signIn.",
        )
    settings.state.mkdir(parents=True, exist_ok=True, mode=0o700)
    database = Database(str(settings.consoles["database"]))
    try:
        yield settings, Accounts(database, open_vault(settings.state), clock.system)
    finally:
        database.close()


def _number(org: str | None) -> str | None:
    if org is None:
        return None
    known = settings_module.organisations()["organisations"]
    number = known.get(org, {}).get("number", org)
    if number not in {one["number"] for one in known.values()}:
        raise ConfigurationError(f"no organisation {org}", advice="See config/organisations.yaml.")
    return str(number)


def _print(settings: Settings, name: str, code: str) -> None:
    print(f"{name}: set-up code {code}\n  once, within a week, at {settings.issuer}/console/setup")
