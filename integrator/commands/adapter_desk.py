"""`integrator adapter waiting|show|mend|redrive|drop`: rows in quarantine, for the person who mends them.

Lists name rows by file, number and line, and what is wrong with them; what stands in a row is shown by `show` alone, and
that somebody looked is an entry of the ledger. What is mended is due: whoever runs the adapter hands it in. Each order is
an entry before it is carried out; where the ledger cannot be written, nothing changes.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from audit import Draft
from integrator import clock, settings
from integrator.adapters.book import Book, WaitingRow
from integrator.adapters.findings import advice_of
from integrator.adapters.intake import Intake
from integrator.adapters.serving import OUT
from integrator.commands.delivery import ledger_beside
from integrator.consoles.vault import open_vault
from integrator.database import Database
from integrator.errors import ConfigurationError
from integrator.settings import Settings
from integrator.taking_part import layout_of, organisation_of

_OPS = {"show": "dpv:Consult", "mend": "dpv:Modify", "redrive": "dpv:Use", "drop": "dpv:Erase"}


def add(verbs: Any) -> None:
    waiting = _verb(verbs, "waiting", "rows in quarantine: where, and what is wrong; no values", run_waiting)
    waiting.add_argument("--most", type=int, default=50)
    for name, help_, run in (
        ("show", "what stands in a row that waits (recorded)", run_show),
        ("mend", "the row as it should be, from standard input; it is handed in then", run_mend),
        ("drop", "give a row up; what stood there is gone", run_drop),
    ):
        verb = _verb(verbs, name, help_, run)
        verb.add_argument("row", help="FILE/NUMBER, as `waiting` shows it")
    redrive = _verb(verbs, "redrive", "hand rows in once more as they stand, those that the hub refused", run_redrive)
    redrive.add_argument("--reason", help="only those that wait for this reason")


def _verb(verbs: Any, name: str, help_: str, run: Any) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = verbs.add_parser(name, help=help_)
    parser.add_argument("name", help="the adapter: a folder of connectors/")
    parser.add_argument("--settings", type=Path)
    parser.set_defaults(run=run)
    return parser


@contextmanager
def opened(loaded: Settings) -> Iterator[Database]:
    loaded.state.mkdir(parents=True, exist_ok=True, mode=0o700)
    database = Database(str(loaded.adapters["database"]), "adapters")
    try:
        yield database
    finally:
        database.close()


def run_waiting(chosen: argparse.Namespace) -> int:
    loaded = settings.load(chosen.settings)
    with opened(loaded) as database:
        counts = database.now(lambda c: Book(c).counts(chosen.name))
        rows = database.now(lambda c: Book(c).waiting(chosen.name, limit=chosen.most))
    print(f"{chosen.name}: " + (", ".join(f"{count} {state}" for state, count in sorted(counts.items())) or "none"))
    for one in rows:
        wrong = ", ".join(f"{field or 'row'} {reason}" for field, reason in one.reasons)
        print(f"{one.digest[:12]}/{one.number}  line {one.line}  {wrong}")
    for reason in sorted({reason for one in rows for _, reason in one.reasons}):
        print(f"  {reason}: {advice_of(reason)}")
    return 0


def run_show(chosen: argparse.Namespace) -> int:
    loaded = settings.load(chosen.settings)
    with opened(loaded) as database:
        row = _row(database, chosen.name, chosen.row)
        _record(loaded, chosen.name, "show")  # before it is seen
        print(_intake(loaded, chosen.name, database).piece(row.piece))
    return 0


def run_mend(chosen: argparse.Namespace) -> int:
    import asyncio

    loaded = settings.load(chosen.settings)
    text = sys.stdin.readline().rstrip("\r\n")
    with opened(loaded) as database:
        row = _row(database, chosen.name, chosen.row)
        if row.digest.startswith(OUT):
            raise ConfigurationError(
                "this is a message that the package cannot hold; the hub delivered it",
                advice="`show` it to whoever works with the package, then `drop` it.",
            )
        intake = _intake(loaded, chosen.name, database)
        asyncio.run(intake.offer(row.digest, row.number, text, lambda: _record(loaded, chosen.name, "mend")))
    print("due: whoever runs the adapter hands it in")
    return 0


def run_redrive(chosen: argparse.Namespace) -> int:
    loaded = settings.load(chosen.settings)
    with opened(loaded) as database:
        rows = [
            one
            for one in database.now(lambda c: Book(c).waiting(chosen.name))
            if all(_may_go(field, reason) and (chosen.reason or reason) == reason for field, reason in one.reasons)
        ]
        if rows:
            _record(loaded, chosen.name, "redrive", len(rows))
        due = database.now(lambda c: [Book(c).due(chosen.name, one.digest, one.number) for one in rows])
    print(f"{sum(due)} rows are due")
    return 0


def run_drop(chosen: argparse.Namespace) -> int:
    loaded = settings.load(chosen.settings)
    with opened(loaded) as database:
        row = _row(database, chosen.name, chosen.row)
        _record(loaded, chosen.name, "drop")
        if not database.now(lambda c: Book(c).settle(chosen.name, row.digest, row.number, "dropped")):
            raise _none_waits(chosen.name)
    print("given up; what stood there is gone")
    return 0


def _row(database: Database, adapter: str, named: str) -> WaitingRow:
    """Raises `ConfigurationError` when none waits under this name, or several do."""
    start, _, number = named.partition("/")
    found = [
        one
        for one in database.now(lambda c: Book(c).waiting(adapter, limit=1_000_000))
        if number.isdigit() and one.number == int(number) and len(start) >= 8 and one.digest.startswith(start)
    ]
    if len(found) != 1:
        raise _none_waits(adapter)
    return found[0]


def _may_go(field: str | None, reason: str) -> bool:
    """Whether a row with this wrong may be handed in as it stands. That another row has its key only the whole file tells."""
    return field is None and reason != "DOUBLE"


def _none_waits(adapter: str) -> ConfigurationError:
    return ConfigurationError("no such row waits", advice=f"integrator adapter waiting {adapter} shows those that do.")


def _intake(loaded: Settings, name: str, database: Database) -> Intake:
    """For reading and mending: it has no effect of its own."""
    layout = layout_of(loaded, name)
    vault = open_vault(loaded.state)

    async def none(rows: Any) -> None:
        raise ConfigurationError("what is mended is handed in by whoever runs the adapter")

    return Intake(layout, database, none, seal=vault.seal, unseal=vault.open, now=clock.system)


def _record(loaded: Settings, name: str, word: str, count: int = 1) -> None:
    organisation = organisation_of(layout_of(loaded, name))
    clear: dict[str, object] = {
        "op": _OPS[word], "status": "Ok", "reason_code": "QUARANTINE", "count": count, "consumer": {"org": organisation},
    }  # fmt: skip
    draft = Draft(
        type="admin", trace_id=os.urandom(16).hex(), span_id=os.urandom(8).hex(), name=f"adapter.{word}", clear=clear,
        retention="Y10",
    )  # fmt: skip
    with ledger_beside(loaded) as ledger:
        ledger.append_blocking([draft])
