"""The clerk: a process beside the hub that reads what was written. It counts for the reports and raises alerts.

    hub ──starts──► clerk ──reads──► ledger ◄──writes── hub
                      └──alerts──► shard `<shard>-watch`, published like the hub's own

Callers wait for neither, and neither takes the interpreter from callers: that is why it is a process. It ends with its
hub, also when that is killed, and is started again when it fails; what it had not read it reads then.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import time
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from audit import Ledger, LedgerError
from integrator import clock, places
from integrator.alerting import Alerting, Writer, open_alerting, registered_in
from integrator.directory import load_rules, open_directory
from integrator.errors import IntegratorError
from integrator.logs import configure, log
from integrator.publishing import Logbook, Publishing, open_logbook, open_publishing
from integrator.settings import Settings, organisations
from integrator.watching.opening import open_watching

EVERY = 1.0  # seconds between two looks at the ledger
AGAIN = 5.0  # seconds before a clerk that failed is started again
PATIENCE = 10.0  # seconds that a clerk has to end
AT_ONCE = 20_000  # entries counted before alerts have their turn
NICE = 5  # the hub goes first


async def keep_a_clerk(settings: Settings) -> None:
    """A chore of the hub: there is always one clerk. Cancelled, it sends the clerk home."""
    context = multiprocessing.get_context("spawn")
    while True:
        clerk = context.Process(target=work, args=(settings, os.getpid()), name="clerk", daemon=True)
        clerk.start()
        try:
            await asyncio.to_thread(clerk.join)
        finally:
            clerk.terminate()
            await asyncio.shield(asyncio.to_thread(clerk.join, PATIENCE))
        log.warning("clerk_ended", code=clerk.exitcode)
        await asyncio.sleep(AGAIN)


def work(settings: Settings, hub: int) -> None:
    """What the clerk does until it is told to stop, or its hub (process id) is gone."""
    ending: list[int] = []
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches us both; the hub says when
    signal.signal(signal.SIGTERM, lambda number, _: ending.append(number))
    configure()
    with suppress(OSError):
        os.nice(NICE)
    try:
        _work(settings, lambda: not ending and os.getppid() == hub)
    except (IntegratorError, LedgerError) as error:
        log.error("clerk_failed", error=type(error).__name__)
        raise SystemExit(1) from error


def _work(settings: Settings, wanted: Any) -> None:
    from audit.reports import Reports  # late: the hub starts without them
    from integrator.consoles.desks import LATE_REFUSALS

    book = open_logbook(settings)
    writer = _Watch(settings)
    reports = Reports(book.store, book.keyring, lambda: clock.micros(clock.system()), late_refusals=LATE_REFUSALS)
    alerts = _Alerts(settings, book, writer)
    try:
        while wanted():
            busy = _count(reports) | alerts.step()
            if not busy:
                time.sleep(EVERY)
    finally:
        alerts.close()
        reports.close()
        writer.close()
        book.store.close()


def _count(reports: Any) -> bool:
    try:
        return bool(reports.follower.follow(AT_ONCE))
    except LedgerError as error:
        log.warning("counting_failed", error=type(error).__name__)
        return False


class _Alerts:
    """Alerts, as soon as what they must know can be opened: cases and happenings, the directory. Counting waits for neither."""

    def __init__(self, settings: Settings, book: Logbook, writer: Writer) -> None:
        self._settings, self._book, self._writer = settings, book, writer
        self._opened: Alerting | None = None
        self._again = 0.0  # when opening is tried, monotonic seconds
        self._close = ExitStack()

    def step(self) -> bool:
        """As Alerting.step; False while they are not open."""
        if self._opened is None and time.monotonic() >= self._again:
            self._again = time.monotonic() + AGAIN
            self._opened = self._open()
        return self._opened is not None and self._opened.step()

    def _open(self) -> Alerting | None:
        chosen, store = self._settings.directory, self._book.store
        with ExitStack() as stack:
            try:
                watching = open_watching(self._settings)
                stack.callback(watching.close)
                rules = load_rules(places.folder("config") / "directory.yaml", organisations())
                directory = open_directory(chosen["database"], Path(chosen["keys"]), rules, clock.system)
                stack.callback(directory.close)
                registered = registered_in(directory)
                opened = open_alerting(store, self._book.keyring, self._writer, clock.system, watching, registered)
                stack.callback(opened.close)
            except (IntegratorError, LedgerError, SQLAlchemyError) as error:
                log.error("alerts_not_watched", error=type(error).__name__)
                return None
            self._close = stack.pop_all()
        return opened

    def close(self) -> None:
        self._close.close()


class _Watch:
    """The clerk's own shard, opened when there is a first alert to write."""

    def __init__(self, settings: Settings) -> None:
        self._settings = replace(settings, shard=f"{settings.shard}-watch")
        self._publishing: Publishing | None = None

    @property
    def ledger(self) -> Ledger:
        """This year's; see integrator.alerting.Writer."""
        if self._publishing is None:
            self._publishing = open_publishing(self._settings, clock.system)
            if self._publishing.publisher is not None:
                self._publishing.publisher.start()
        return self._publishing.ledger

    def close(self) -> None:
        if self._publishing is not None:
            self._publishing.close()
