"""`integrator mandate list | give | end ID`: who may act for whom, said by an officer who has no console at hand.

Whoever sits there is named with --as, in a role, and may do what the page lets them: see, give and end the mandates of
their own organisation, or for the hub's officer of all. Who gives one is neither of the two people, and a name said here
does not prove that: in production it is given at the page. Every step is an entry of the ledger first. The numbers of the two
people are typed, unseen, or come from a pipe, a line each: a number never stands in an argument, and none is shown.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

from audit import Subject
from integrator import clock
from integrator import settings as settings_module
from integrator.commands.audit.report import named_account
from integrator.commands.case import number_of, typed_number, writes_beside
from integrator.consoles.database import Database
from integrator.consoles.mandates.store import KINDS, SCOPE, Mandate, Mandates
from integrator.consoles.people import Person
from integrator.consoles.vault import open_vault
from integrator.errors import ConfigurationError
from integrator.settings import Settings


def add(words: Any) -> None:
    parser = words.add_parser("mandate", help="who may act for whom: see, give and end mandates")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="list | give | end")
    _verb(verbs, "list", "those you answer for: as what, for what, until when; nobody's number", run_list)
    give = _verb(
        verbs,
        "give",
        "on proof that you saw; the two numbers are typed, of who acts first (sandbox only: in production at the page)",
        run_give,
    )
    give.add_argument("--kind", choices=KINDS, required=True, help="as what they act")
    give.add_argument("--scope", choices=SCOPE, nargs="+", default=["look"], help="what for; look always")
    give.add_argument("--ends", type=date.fromisoformat, required=True, metavar="2027-06-01", help="last day")
    give.add_argument(
        "--reason", required=True, help="which proof you saw, e.g. judgment and date; both people read it"
    )
    _verb(verbs, "end", "from now on it gives nothing", run_end).add_argument("id", help="as `list` shows it")


def _verb(verbs: Any, name: str, help_: str, run: Callable[[argparse.Namespace], int]) -> argparse.ArgumentParser:
    verb: argparse.ArgumentParser = verbs.add_parser(name, help=help_)
    verb.add_argument("--as", dest="person", required=True, help="your account, e.g. dpo-1; never a national number")
    verb.add_argument("--role", choices=("dpo", "hub_dpo"), required=True, help="dpo needs --organisation")
    verb.add_argument("--organisation", help="KBO number or short name of config/organisations.yaml")
    verb.add_argument("--settings", type=Path)
    verb.set_defaults(run=run)
    return verb


def run_list(chosen: argparse.Namespace) -> int:
    with _opened(chosen) as (mandates, officer, _):
        for one in asyncio.run(mandates.given_at(officer)):
            print(_line(one, mandates))
    return 0


def run_give(chosen: argparse.Namespace) -> int:
    if not settings_module.load(chosen.settings).sandbox:
        raise ConfigurationError(
            "in production nobody gives a mandate at the command line",
            advice="Sign in at /console/mandates/: a name said here does not prove that you are neither of the two.",
        )
    with _opened(chosen) as (mandates, officer, settings):
        holder, person = (
            Subject("nrn", typed_number(settings, prompt))
            for prompt in ("National number of who acts: ", "National number of whom they act for: ")
        )
        made = asyncio.run(
            mandates.give(officer, holder, person, chosen.kind, chosen.scope, chosen.ends, chosen.reason)
        )
        print(_line(made, mandates))
    return 0


def run_end(chosen: argparse.Namespace) -> int:
    with _opened(chosen) as (mandates, officer, _):
        found = asyncio.run(mandates.find(officer, chosen.id))
        if found is None:
            raise ConfigurationError("no such mandate of yours", advice="integrator mandate list shows those that are.")
        asyncio.run(mandates.end(found, officer))
        print(_line(asyncio.run(mandates.find(officer, chosen.id)) or found, mandates))
    return 0


@contextmanager
def _opened(chosen: argparse.Namespace) -> Iterator[tuple[Mandates, Person, Settings]]:
    """The mandates of this machine's consoles, and who is at them. Raises `ConfigurationError`."""
    officer = _officer(chosen)
    settings = settings_module.load(chosen.settings)
    with writes_beside(settings) as ledger:
        database = Database(str(settings.consoles["database"]))
        try:
            yield Mandates(database, open_vault(settings.state), ledger, clock.system), officer, settings
        finally:
            database.close()


def _officer(chosen: argparse.Namespace) -> Person:
    if (chosen.role == "dpo") != bool(chosen.organisation):
        raise ConfigurationError(
            "an officer of an organisation names it, the hub's names none",
            advice="--role dpo --organisation NAME, or --role hub_dpo.",
        )
    org = number_of(chosen.organisation) if chosen.organisation else None
    account = named_account(chosen.person)
    return Person(account, account, frozenset({chosen.role}), org)


def _line(one: Mandate, mandates: Mandates) -> str:
    state = f"ended {one.ended}" if one.ended else mandates.state(one)
    return f"{one.id}  {one.kind}  {','.join(sorted(one.scope))}  until {one.ends}  {state}  {one.org or 'hub'}"
