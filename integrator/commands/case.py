"""`integrator case opened|closed ORGANISATION REFERENCE`: what applications say over the API, said by the operator.

Whose case it is is typed, unseen, or comes from a pipe (`--person`): a number never stands in an argument.
"""

from __future__ import annotations

import argparse
import asyncio
import getpass
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from audit import Draft, LedgerError, Record
from integrator import clock
from integrator import settings as settings_module
from integrator.errors import ConfigurationError, LedgerUnwritable, MalformedRequest
from integrator.keytypes import compile_key
from integrator.publishing import open_publishing
from integrator.settings import Settings
from integrator.watching.cases import State
from integrator.watching.desk import CaseDesk, Teller
from integrator.watching.opening import open_watching
from integrator.years import ThisYear


def add(words: Any) -> None:
    parser = words.add_parser("case", help="which cases are open: what explains a look, and what does not any more")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="opened | closed")
    for name, text in (("opened", "a case is open, or open again"), ("closed", "a case is over")):
        verb = verbs.add_parser(name, help=text)
        verb.add_argument("organisation", help="KBO number or short name of config/organisations.yaml")
        verb.add_argument("reference", help="the dossierReference that looks name")
        verb.add_argument("--settings", type=Path)
        verb.set_defaults(run=run)
    verbs.choices["opened"].add_argument("--person", action="store_true", help="type whose case it is")


def run(chosen: argparse.Namespace) -> int:
    settings = settings_module.load(chosen.settings)
    organisation = number_of(chosen.organisation)
    person = typed_number(settings) if getattr(chosen, "person", False) else None
    teller = Teller(organisation, "command-line")
    with _desk(settings) as desk:
        try:
            if chosen.verb == "opened":
                state: State | None = asyncio.run(desk.opened(teller, chosen.reference, person))
            else:
                state = asyncio.run(desk.closed(teller, chosen.reference))
        except MalformedRequest as error:
            told = "; ".join(issue.detail for issue in error.issues)
            raise ConfigurationError(told, advice="Mend the reference.") from error
    if state is None:
        raise ConfigurationError("nobody ever said that this case is open", advice="See integrator case opened.")
    print(f"opened {_day(state.opened)}" + (f", closed {_day(state.closed)}" if state.closed is not None else ", open"))
    return 0


def number_of(organisation: str) -> str:
    """Enterprise number of an organisation by number or short name. Raises `ConfigurationError`."""
    known = settings_module.organisations()["organisations"]
    number = str(known.get(organisation, {}).get("number", organisation))
    if number not in {str(one["number"]) for one in known.values()}:
        raise ConfigurationError(f"no organisation {organisation}", advice="See config/organisations.yaml.")
    return number


def typed_number(settings: Settings, prompt: str = "National number: ") -> str:
    """A canonical national number of this hub's world, from a person or a pipe. Raises `ConfigurationError`."""
    line = getpass.getpass(prompt) if sys.stdin.isatty() else sys.stdin.readline()
    named = settings.named_numbers if settings.sandbox else None
    try:
        read = compile_key("ssin", {"type": "ssin"}, sandbox=named).read(re.sub(r"[\s.-]", "", line), "/ssin")
    except MalformedRequest as error:
        raise ConfigurationError("that is no national number of this world", advice=error.issues[0].detail) from error
    return str(read)


@contextmanager
def _desk(settings: Settings) -> Iterator[CaseDesk]:
    with writes_beside(settings) as ledger:
        watching = open_watching(settings)
        try:
            yield CaseDesk(watching.cases, ledger, clock.system)
        finally:
            watching.close()


@contextmanager
def writes_beside(settings: Settings) -> Iterator[Writes]:
    """This machine's ledger, written beside a hub that runs."""
    publishing = open_publishing(replace(settings, shard=f"{settings.shard}-desk"), clock.system)
    try:
        if publishing.publisher is not None:
            publishing.publisher.start()
        yield Writes(ThisYear(publishing.books))
    finally:
        publishing.close()


class Writes:
    """One entry at a time; raises `LedgerUnwritable`."""

    def __init__(self, shelf: ThisYear) -> None:
        self._shelf = shelf

    async def write(self, draft: Draft) -> Record:
        """Durable when it returns."""
        try:
            return (await self._shelf.append([draft]))[0]
        except LedgerError as error:
            raise LedgerUnwritable("this could not be written in the ledger, so nothing was done") from error


def _day(micros: int) -> str:
    return datetime.fromtimestamp(micros / 1e6, UTC).date().isoformat()
