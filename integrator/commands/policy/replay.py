"""`integrator policy replay --since 2026-11-01 --with DRAFT`: recorded questions under other texts.

Reads the clear part of the ledger, from wherever its copy lies; opens nothing sealed, writes nothing.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from audit import LedgerError
from integrator import clock, settings
from integrator.commands.policy.house import drafts, in_force, moment, word
from integrator.consoles.book import open_book
from integrator.errors import ConfigurationError
from integrator.governing.looking_back import DAY, REPLAYED, replay_of
from integrator.governing.replaying import Change, Replay
from integrator.policy.telling import LANGUAGES


def add(verbs: Any) -> None:
    parser = word(verbs, "replay", "recorded questions under other texts: who would lose or gain what", run)
    parser.add_argument(
        "--with", dest="changed", nargs="+", type=Path, required=True, metavar="DRAFT", help="changed texts"
    )
    parser.add_argument("--since", help=f"day or moment; default {REPLAYED} days ago")
    parser.add_argument("--until", help="default now")
    parser.add_argument("--at", help="when the texts decide; default now")
    parser.add_argument("--language", choices=LANGUAGES, default="en")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--settings", type=Path)


def run(chosen: argparse.Namespace) -> int:
    loaded, now = settings.load(chosen.settings), clock.system()
    since, until = moment(chosen.since, now - REPLAYED * DAY), moment(chosen.until, now)
    texts, suspended = in_force(loaded)
    try:
        found = replay_of(loaded.ledger, texts, drafts(chosen.changed), suspended, since, until, moment(chosen.at, now))
    except LedgerError as error:
        raise ConfigurationError(
            str(error), advice="Is this the ledger of that hub (INTEGRATOR_STATE, --settings)?"
        ) from error
    if chosen.json:
        print(json.dumps(found.json(), ensure_ascii=False, indent=2))
    else:
        _show(found, chosen.language)
    return 0


def _show(found: Replay, language: str) -> None:
    console, book = Console(soft_wrap=False), open_book()
    console.print(f"{found.calls} questions judged again, {found.untouched} with the same answer", highlight=False)
    if found.assumed:
        console.print(f"of {found.assumed} the keys were not noted: taken to be as allowed", highlight=False)
    if found.unweighed:
        said = f"of {found.unweighed} the agent, the case or the registration matters, which is sealed: taken to be as it must"
        console.print(said, highlight=False)
    if not found.changes:
        return
    table = Table("organisation", "application", "purpose", "service", "calls", "loses", "gains")
    for one in found.changes:
        name = book.organisation(one.org, language)
        table.add_row(name, one.app, one.purpose, one.service, str(one.calls), _loses(one), _gains(one))
    console.print(table)


def _loses(one: Change) -> str:
    lines = [f"{n} refused ({reason})" for reason, n in one.refused.items()]
    return "\n".join(lines + [f"{field} ({n})" for field, n in one.lost.items()])


def _gains(one: Change) -> str:
    lines = [f"{n} allowed ({reason} until now)" for reason, n in one.allowed.items()]
    return "\n".join(lines + [f"{field} ({n})" for field, n in one.gained.items()])
