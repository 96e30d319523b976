"""`integrator audit publish FOLDER`: the whole published ledger with its entries, as a static site for auditors."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from audit import LedgerError
from audit.log import static
from audit.log.publication import Publication
from integrator import settings
from integrator.errors import ConfigurationError
from integrator.publishing import open_logbook


def add(verbs: Any) -> None:
    parser = verbs.add_parser("publish", help="write checkpoints, tiles and entries as files for auditors and replicas")
    parser.add_argument("folder", type=Path, help="where to; what is there already is kept")
    parser.add_argument("--settings", type=Path)
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    logbook = open_logbook(settings.load(chosen.settings))
    try:
        written = static.publish(logbook.log, Publication(chosen.folder))
    except LedgerError as error:
        raise ConfigurationError(
            f"the ledger could not be published: {error}", advice="integrator audit verify says what is wrong with it."
        ) from error
    finally:
        logbook.store.close()
    print(f"{chosen.folder}: {written.logs} logs, {written.entries} entries, {written.files} files written.")
    print("Entries name no person, but tell who asked when for what: give this folder to auditors, not to the street.")
    return 0
