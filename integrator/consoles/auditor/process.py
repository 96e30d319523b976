"""A verification in a process of its own, so that exchanges do not wait for it. It reads only."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from pathlib import Path
from time import monotonic
from typing import Any

from cryptography import x509

from audit import LedgerError
from audit.timestamps import RootsMissing, load_roots
from audit.tree.trust import Trust
from audit.verify import Mark, Rules, verify_ledger
from integrator.errors import IntegratorError
from integrator.publishing import open_logbook
from integrator.settings import Settings

Told = Callable[[int, int], None]  # entries done, entries in all
Found = tuple[list[dict[str, Any]], dict[str, Any]]  # verdicts, marks to go on from
_EVERY = 0.2  # seconds between words about progress


class VerificationBroken(RuntimeError):
    """The process ended without a verdict; the name of the reason is all there is to say."""


class Apart:
    """Verifies the ledger of these settings in a process of its own, one at a time."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._worker: SpawnProcess | None = None

    def __call__(self, since: Mapping[str, Any], told: Told) -> Found:
        """Blocks for as long as it takes. Raises VerificationBroken, also when it is stopped."""
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        self._worker = context.Process(target=_work, args=(theirs, self._settings, dict(since)), daemon=True)
        self._worker.start()
        theirs.close()
        try:
            while True:
                match ours.recv():
                    case ("progress", int(done), int(total)):
                        told(done, total)
                    case ("done", verdicts, marks):
                        return verdicts, marks
                    case ("broken", str(why)):
                        raise VerificationBroken(why)
        except EOFError as error:
            raise VerificationBroken("the process ended") from error
        finally:
            ours.close()
            self._worker.join(5)
            self.stop()

    def stop(self) -> None:
        """End the process, whatever it does: it changes nothing."""
        if self._worker is not None:
            self._worker.kill()


def _work(pipe: Connection, settings: Settings, since: Mapping[str, Any]) -> None:
    with suppress(OSError):
        os.nice(10)
    try:
        pipe.send(("done", *_verified(settings, since, _slowly(pipe))))
    except (LedgerError, IntegratorError, OSError, ValueError, KeyError) as error:
        pipe.send(("broken", type(error).__name__))


def _verified(settings: Settings, since: Mapping[str, Any], told: Told) -> Found:
    logbook = open_logbook(settings)
    try:
        trust = Trust.parse(logbook.publication.read("policy").decode())
        stamped = settings.audit.get("timestamps") or ()
        rules = Rules(stamps=bool(stamped), roots=_roots([Path(str(one["roots"])) for one in stamped]))
        marks: dict[str, Mark] = {}
        verdicts = verify_ledger(
            logbook.store, logbook.publication, trust, signed=logbook.state, rules=rules, progress=told,
            since={origin: Mark.from_json(mark) for origin, mark in since.items()}, marks=marks,
        )  # fmt: skip
    finally:
        logbook.store.close()
    return [asdict(one) for one in verdicts], {origin: mark.to_json() for origin, mark in marks.items()}


def _slowly(pipe: Connection) -> Told:
    last = 0.0

    def told(done: int, total: int) -> None:
        nonlocal last
        if monotonic() - last > _EVERY:
            last = monotonic()
            pipe.send(("progress", done, total))

    return told


def _roots(files: list[Path]) -> list[x509.Certificate]:
    """What can be read; with none left, L5 says that stamps were not checked."""
    found: list[x509.Certificate] = []
    for file in files:
        with suppress(RootsMissing):
            found += load_roots(file)
    return found
