"""`integrator audit keep …`: what is kept and until when; erase what is due; orders of data protection officers and courts.

The hub does `expire` itself, daily. A running hub writes its own shard, so what is ordered here is written to another,
`<shard>-keep`, which is published beside it. Nobody's number is ever typed here: entries are named SHARD/INDEX.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from audit import LedgerError, Record, open_store
from audit.keeping import (
    Order,
    calendar,
    erase_one,
    exchange_of,
    expire,
    hold,
    mend,
    release,
    restrict,
    restrictions,
    unhold,
)
from audit.keeping.orders import AUTHORITIES
from integrator import clock
from integrator import settings as settings_module
from integrator.errors import ConfigurationError
from integrator.keeping import retention_classes
from integrator.publishing import Logbook, Publishing, open_publishing

_ENTRIES = "the answer's header Integrator-Ledger-Entries: SHARD/INDEX,INDEX…"


def add(verbs: Any) -> None:
    keep = verbs.add_parser("keep", help="retention: calendar, erasure, holds, restrictions")
    words = keep.add_subparsers(
        dest="word", required=True, metavar="calendar | expire | hold | unhold | erase | restrict | release"
    )
    shown = _word(words, "calendar", "what is kept, until when, what is held or restricted", run_calendar, order=False)
    shown.add_argument("--count", action="store_true", help="count the entries too; slow on a large ledger")
    _word(words, "expire", "erase what is due now; the hub does it daily by itself", run_expire)
    for name, help_, run in (
        ("hold", "let nothing of a class, a month or both expire", run_hold),
        ("unhold", "end the hold of exactly this class and month", run_unhold),
    ):
        held = _word(words, name, help_, run)
        held.add_argument("--class", dest="retention", metavar="Y10", help="without: every class")
        held.add_argument("--month", type=_month, metavar="2026-11", help="without: every month")
    erased = _word(words, "erase", "erase what is sealed beside entries, on order of a court or authority", run_erase)
    erased.add_argument("entries", help=_ENTRIES)
    erased.add_argument("--second", required=True, help="the second person who agreed")
    restricted = _word(words, "restrict", "show the whole exchange to no citizen (GDPR art. 23)", run_restrict)
    released = _word(words, "release", "show it again", run_release)
    for one in (restricted, released):
        one.add_argument("entries", help=_ENTRIES)
    for one in (words.choices["hold"], restricted):
        one.add_argument(
            "--review",
            type=date.fromisoformat,
            required=True,
            metavar="2027-06-01",
            help="when somebody must look again",
        )


def _word(
    words: Any, name: str, help_: str, run: Callable[[argparse.Namespace], int], *, order: bool = True
) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = words.add_parser(name, help=help_)
    parser.add_argument("--settings", type=Path)
    parser.set_defaults(run=run)
    if order:
        parser.add_argument(
            "--by", required=True, help="identifier of who orders this, e.g. dpo-1; never a national number"
        )
        parser.add_argument("--basis", required=True, help="legal basis: an article or ELI, e.g. eu-gdpr:A23-1-d")
        parser.add_argument("--authority", choices=sorted(AUTHORITIES), default="controller")
        parser.add_argument("--reference", default="", help="file number of the order (kept under seal)")
        parser.add_argument("--reason", default="", help="why (kept under seal)")
    return parser


def run_calendar(chosen: argparse.Namespace) -> int:
    settings = settings_module.load(chosen.settings)
    store = open_store(settings.ledger)
    try:
        for row in calendar(store, retention_classes(), clock.today(clock.system()), count=chosen.count):
            held = f"  until {row.hold.review} at least ({row.hold.shard}/{row.hold.index})" if row.hold else ""
            counted = "" if row.entries is None else f"  {row.entries} entries"
            print(
                f"{row.month // 100}-{row.month % 100:02d}  {row.retention:<5} due {row.due or 'never'}  {row.state}{counted}{held}"
            )
        for one in restrictions(store):
            print(f"restricted  {one.shard}/{one.index}  look again on {one.review}")
    finally:
        store.close()
    return 0


def run_expire(chosen: argparse.Namespace) -> int:
    with _desk(chosen) as (desk, book, order):
        mend(book.store)
        today = clock.today(clock.system())
        for one in expire(book.store, book.keyring, desk.ledger, retention_classes(), today, order):
            print(f"{one.month // 100}-{one.month % 100:02d}  {one.retention}  erased ({one.rows} rows)")
    return 0


def run_hold(chosen: argparse.Namespace) -> int:
    with _desk(chosen) as (desk, _, order):
        record = hold(desk.ledger, order, retention=chosen.retention, month=chosen.month, review=chosen.review)
        _told(desk, [record])
    return 0


def run_unhold(chosen: argparse.Namespace) -> int:
    with _desk(chosen) as (desk, _, order):
        _told(desk, [unhold(desk.ledger, order, retention=chosen.retention, month=chosen.month)])
    return 0


def run_erase(chosen: argparse.Namespace) -> int:
    with _desk(chosen) as (desk, book, order):
        shard, indices = _named(chosen.entries)
        _told(desk, erase_one(book.store, desk.ledger, shard, indices, order))
    return 0


def run_restrict(chosen: argparse.Namespace) -> int:
    with _desk(chosen) as (desk, book, order):
        shard, indices = _whole(book, chosen.entries)
        _told(desk, restrict(book.store, desk.ledger, shard, indices, order, review=chosen.review))
    return 0


def run_release(chosen: argparse.Namespace) -> int:
    with _desk(chosen) as (desk, book, order):
        shard, indices = _whole(book, chosen.entries)
        _told(desk, release(book.store, desk.ledger, shard, indices, order))
    return 0


@contextmanager
def _desk(chosen: argparse.Namespace) -> Iterator[tuple[Publishing, Logbook, Order]]:
    """The ledger, opened for writing beside a hub that runs; what was refused is told as what to mend."""
    settings = settings_module.load(chosen.settings)
    try:
        order = Order(
            chosen.by, chosen.basis, chosen.authority, chosen.reference, chosen.reason, getattr(chosen, "second", "")
        )
        desk = open_publishing(replace(settings, shard=f"{settings.shard}-keep"), clock.system)
        try:
            if desk.logbook is None or desk.publisher is None:
                raise ConfigurationError("this ledger is not published, so no order about it would be")
            desk.publisher.start()
            yield desk, desk.logbook, order
        finally:
            desk.close()
    except LedgerError as error:
        raise ConfigurationError(str(error), advice="Nothing was changed that the ledger does not record.") from error


def _told(desk: Publishing, records: Sequence[Record]) -> None:
    print(f"{desk.ledger.shard}/{','.join(str(record.index) for record in records)}")


def _named(entries: str) -> tuple[str, list[int]]:
    shard, _, written = entries.rpartition("/")
    if not shard or not all(part.isdigit() for part in written.split(",")):
        raise ConfigurationError(
            "entries are named SHARD/INDEX,INDEX…", advice="Copy the header Integrator-Ledger-Entries."
        )
    return shard, sorted({int(part) for part in written.split(",")})


def _whole(book: Logbook, entries: str) -> tuple[str, list[int]]:
    """Every entry of the exchanges: a part that stayed visible would tell the rest."""
    shard, indices = _named(entries)
    return shard, sorted({one for index in indices for one in exchange_of(book.store, shard, index)})


def _month(written: str) -> int:
    year, _, month = written.partition("-")
    if not (len(year) == 4 and year.isdigit() and month.isdigit() and 1 <= int(month) <= 12):
        raise argparse.ArgumentTypeError("a month is written 2026-11")
    return int(year) * 100 + int(month)
