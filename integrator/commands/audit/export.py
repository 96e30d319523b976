"""`integrator audit export FORMAT --since … --until …`: a period of the ledger for another system, on standard output.

Without --names nobody is named: blind tags only. With it the look is written in the ledger first, in `<shard>-keep` as
every order given here, and each person named finds it among who looked at them.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from audit import LedgerError, Subject
from audit.exports import usage
from audit.reports import CursorInvalid, Reports
from integrator import clock
from integrator import settings as settings_module
from integrator.consoles.exporting import FORMS, Exporter
from integrator.consoles.looking import Desk
from integrator.consoles.rights import Right
from integrator.errors import ConfigurationError, MalformedRequest
from integrator.publishing import open_logbook, open_publishing
from integrator.settings import Settings

_WORDS = usage.Words(lambda row: row.name, lambda org: None)  # no form here says codes to people


@dataclass(frozen=True, slots=True)
class _Operator:
    """Whoever runs this command answers for the whole ledger; the ledger says who it was."""

    id: str
    roles: frozenset[str] = frozenset(("hub_dpo",))
    org: str | None = None
    subject: Subject | None = None


def add(verbs: Any) -> None:
    parser = verbs.add_parser("export", help="a period of the ledger as LDV (OTLP/JSON), CSV or OCSF")
    parser.add_argument("format", choices=sorted(FORMS))
    parser.add_argument("--since", type=_moment, default=0, metavar="2026-11-01T00:00:00Z")
    parser.add_argument("--until", type=_moment, default=2**52, metavar="2026-12-01T00:00:00Z")
    parser.add_argument("--org", help="only this consumer: an enterprise number of 10 digits")
    parser.add_argument("--cursor", help="go on after an earlier export, which said its cursor on standard error")
    parser.add_argument(
        "--limit", type=int, help="at most so many exchanges; the next cursor is said on standard error"
    )
    parser.add_argument("--names", action="store_true", help="open who it is about; needs --by and --reason")
    parser.add_argument("--by", help="identifier of who exports with names, e.g. dpo-1; never a national number")
    parser.add_argument("--reason", default="", help="why; everybody named can read it")
    parser.add_argument("--language", choices=("nl", "fr", "en"), default="en", help="of the titles in CSV")
    parser.add_argument("--bom", action="store_true", help="begin CSV with a byte order mark, for Excel")
    parser.add_argument("--delimiter", default=",", choices=(",", ";", "\t"), help="of CSV")
    parser.add_argument("--settings", type=Path)
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    if chosen.names and not (chosen.by and chosen.reason):
        raise ConfigurationError("an export with names is a look at people", advice="Say --by and --reason.")
    settings = settings_module.load(chosen.settings)
    asked = {name: getattr(chosen, name) for name in ("since", "until", "language", "bom", "delimiter", "names")}
    asked |= {name: getattr(chosen, name) for name in ("cursor", "limit") if getattr(chosen, name)}
    try:
        with _exporter(settings) as (exporter, reports):
            if chosen.names:
                asyncio.run(_named(settings, exporter, reports, chosen, asked))
            else:
                right = Right("export", "hub_dpo", "all", None, chosen.org, False, False)
                _write(*_part(exporter, right, chosen.format, asked))
    except MalformedRequest as error:
        raise ConfigurationError("; ".join(issue.detail for issue in error.issues)) from error
    except CursorInvalid as error:
        raise ConfigurationError(str(error), advice="Leave --cursor out, or copy it whole.") from error
    except LedgerError as error:
        raise ConfigurationError(str(error), advice="What was written until then is whole lines.") from error
    return 0


def _part(exporter: Exporter, right: Right, form: str, asked: dict[str, Any]) -> tuple[Iterator[bytes], str | None]:
    part, _ = exporter.export(right, form, asked)
    return part.lines, part.next


async def _named(
    settings: Settings, exporter: Exporter, reports: Reports, chosen: argparse.Namespace, asked: dict[str, Any]
) -> None:
    """Part after part: each is written out once the look at those it names is durable."""
    publishing = open_publishing(replace(settings, shard=f"{settings.shard}-keep"), clock.system)
    try:
        if publishing.publisher is not None:
            publishing.publisher.start()
        desk = Desk(reports, publishing.ledger)
        person = _Operator(chosen.by)
        while True:
            part = await desk.export(
                person, "export", lambda right, seen: exporter.export(right, chosen.format, asked), chosen.reason, org=chosen.org
            )  # fmt: skip
            _write(part.lines, part.next if chosen.limit else None)
            if part.next is None or chosen.limit:
                return
            asked["cursor"] = part.next
    finally:
        publishing.close()


def _write(lines: Iterator[bytes], following: str | None) -> None:
    for line in lines:
        sys.stdout.buffer.write(line)
    sys.stdout.buffer.flush()
    if following:
        print(f"--cursor {following}", file=sys.stderr)


@contextmanager
def _exporter(settings: Settings) -> Iterator[tuple[Exporter, Reports]]:
    book = open_logbook(settings)
    reports = Reports(book.store, book.keyring, lambda: clock.micros(clock.system()))
    exporter = Exporter(book.store, book.keyring, reports, "hub", lambda language: _WORDS, "0.1.0")
    try:
        yield exporter, reports
    finally:
        exporter.close()
        reports.close()
        book.store.close()


def _moment(written: str) -> int:
    try:
        moment = datetime.fromisoformat(written)
    except ValueError:
        raise argparse.ArgumentTypeError("a moment is written 2026-11-23T13:30:00Z") from None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return int(moment.timestamp()) * 1_000_000 + moment.microsecond
