"""`integrator audit report …`: the questions of the consoles at the command line of the hub's own machine.

Whoever sits there is named with --as, in a role, and gives a reason: the look is written in the ledger (in the shard
`<shard>-desk`, beside the running hub), as any look. A number is never an argument, which other users of the machine
and the shell's history would see: it is typed at a prompt, or read from standard input.
"""

from __future__ import annotations

import argparse
import asyncio
import getpass
import json
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from audit import LedgerError
from integrator import clock, places
from integrator import settings as settings_module
from integrator.consoles.asking import SHAPES, read_question
from integrator.consoles.book import LANGUAGES, open_book
from integrator.consoles.desks import open_desk
from integrator.consoles.looking import Desk
from integrator.consoles.people import Person
from integrator.consoles.rights import ROLES, NothingThere, questions
from integrator.consoles.telling import answer_json
from integrator.errors import ConfigurationError, MalformedRequest
from integrator.governing.archive import open_archive
from integrator.mapping import load_sheets
from integrator.policy import load_policies
from integrator.publishing import open_publishing
from integrator.services import load_services

_WORDS = {"about": "subject", "by_agent": "agent"}  # as people say it; other questions by their own name
_TYPED = ("subject", "agent")  # never in an argument
_NUMBERS = ("limit", "index")
_NO_PERSON = re.compile(r"\d[\d. -]{9,}\d").search


def add(verbs: Any) -> None:
    report = verbs.add_parser("report", help="who asked what about whom; the look itself is recorded")
    words = report.add_subparsers(dest="question_word", required=True, metavar="QUESTION")
    for name, line in questions().items():
        if name == "proof":
            continue  # evidence is a file: see `integrator audit`
        parser = words.add_parser(_WORDS.get(name, name.replace("_", "-")), help=line.what)
        parser.add_argument("--settings", type=Path)
        parser.add_argument(
            "--as", dest="person", required=True, help="account of who looks, e.g. dpo-1; never a national number"
        )
        parser.add_argument("--json", action="store_true", help="the answer as /audit/v1 gives it")
        parser.add_argument("--language", choices=LANGUAGES, default="en")
        takes, needs = SHAPES[name]
        for key in takes:
            if key == "role":
                offices = [role for role in ROLES if role in line.roles and role != "citizen"]
                parser.add_argument(
                    "--role", choices=offices, required=True, help="in which you look; dpo needs --organisation"
                )
            elif key == "byDay":
                parser.add_argument("--by-day", dest=key, action="store_true", default=None)
            elif key not in _TYPED:
                kind = int if key in _NUMBERS else str
                parser.add_argument("--" + _kebab(key), dest=key, type=kind, required=key in needs, metavar=key.upper())
        parser.set_defaults(run=run, question=name)


def run(chosen: argparse.Namespace) -> int:
    takes, _ = SHAPES[chosen.question]
    body = {key: value for key in takes if (value := getattr(chosen, key, None)) is not None}
    if chosen.question == "about":
        kind, _, id_ = _typed("Whom (type:number, e.g. nrn:…): ").rpartition(":")
        body["subject"] = {"type": kind or "nrn", "id": id_}
    elif chosen.question == "by_agent":
        body["agent"] = _typed("Which agent: ")
    org = body.get("organisation") if chosen.role == "dpo" else None
    account = named_account(chosen.person)
    person = Person(account, account, frozenset({chosen.role}), org)
    try:
        asked = read_question(chosen.question, body)
        with _desk(chosen.settings) as desk:
            answer = asyncio.run(desk.look(person, chosen.question, **asked))
    except MalformedRequest as error:
        told = "; ".join(f"{issue.name}: {issue.detail}" for issue in error.issues)
        raise ConfigurationError(told, advice="Mend the arguments; --help names them.") from error
    if answer is None:
        raise NothingThere
    told_as = answer_json(
        answer, open_book(open_archive(settings_module.load(chosen.settings)).get), chosen.language, "person"
    )
    if chosen.json:
        print(json.dumps(told_as, ensure_ascii=False, indent=2))
    else:
        _show(told_as)
    return 0


def named_account(named: str) -> str:
    """What --as says, unless it looks like a number of a person. Raises `ConfigurationError`."""
    if _NO_PERSON(named):
        raise ConfigurationError("--as names an account", advice="A national number never stands in an argument.")
    return named


def _typed(prompt: str) -> str:
    """A line from a person, unseen on the screen, or from a pipe."""
    line = getpass.getpass(prompt) if sys.stdin.isatty() else sys.stdin.readline()
    return re.sub(r"\s", "", line)


@contextmanager
def _desk(local: Path | None) -> Iterator[Desk]:
    """The desk over this machine's ledger, writing beside a hub that runs."""
    settings = settings_module.load(local)
    sheets = load_sheets(places.folder("mappings"))
    named = settings.named_numbers if settings.sandbox else None
    services = load_services(places.folder("config") / "services", sheets, sandbox=named)
    policies = load_policies(places.folder("policies"), settings_module.organisations())
    publishing = open_publishing(replace(settings, shard=f"{settings.shard}-desk"), clock.system)
    try:
        book = publishing.logbook
        if book is None or publishing.publisher is None:
            raise ConfigurationError("this ledger is not published, so no look at it would be")
        publishing.publisher.start()
        desk = open_desk(book.store, book.keyring, publishing.books, policies, services, clock.system)
        try:
            while desk.reports.follower.follow(20_000):
                print("counting what is new …", file=sys.stderr)
            yield desk
        finally:
            desk.reports.close()
    except LedgerError as error:
        raise ConfigurationError(
            str(error), advice="Is the ledger's folder readable, and are its keys here?"
        ) from error
    finally:
        publishing.close()


def _show(answer: dict[str, Any]) -> None:
    """Rows as a table; anything else as its own lines."""
    console = Console(soft_wrap=False)
    items = answer.get("items")
    if items is None:
        for name, value in answer.items():
            console.print(f"{name}: {json.dumps(value, ensure_ascii=False)}", markup=False, highlight=False)
        return
    told = any("explanation" in one for one in items)
    table = Table("time", "what happened") if told else Table(*(items[0] if items else ("nothing",)))
    for one in items:
        if told:
            said = one["explanation"]
            lines = [
                said["headline"],
                said.get("reason"),
                *said["sentences"],
                f"--shard {one['shard']} --index {one['index']}",
            ]
            table.add_row(one["time"][:19].replace("T", " "), escape("\n".join(filter(None, lines))))
        else:
            table.add_row(*(escape(str(value)) for value in one.values()))
    console.print(table)
    if "nextCursor" in answer:
        console.print(f"more: --cursor {answer['nextCursor']}", markup=False, highlight=False)
    if "behind" in answer:
        console.print(f"{answer['behind']} new entries were not read yet", markup=False, highlight=False)


def _kebab(name: str) -> str:
    return re.sub(r"[A-Z]", lambda match: "-" + match[0].lower(), name)
