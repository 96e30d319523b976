"""`integrator audit bundle SHARD/INDEX`: evidence of one exchange as a zip that anybody verifies without the hub.

Its values stay closed: who opens them looks at somebody, which is recorded, so that happens in the consoles only.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from audit import LedgerError
from audit.timestamps import RootsMissing, load_roots
from audit.verify.bundle import make_bundle, name_of
from integrator import settings as settings_module
from integrator.errors import ConfigurationError
from integrator.publishing import open_logbook


def add(verbs: Any) -> None:
    parser = verbs.add_parser("bundle", help="evidence of one exchange, verified without the hub (values stay closed)")
    parser.add_argument("entry", help="SHARD/INDEX, as in the answer's header Integrator-Ledger-Entries")
    parser.add_argument("--out", type=Path, help="the zip to write; default evidence-….zip here")
    parser.add_argument("--settings", type=Path)
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    shard, _, written = chosen.entry.rpartition("/")
    index = written.partition(",")[0]
    if not shard or not index.isdigit():
        raise ConfigurationError("an entry is named SHARD/INDEX", advice="Copy the header Integrator-Ledger-Entries.")
    settings = settings_module.load(chosen.settings)
    logbook = open_logbook(settings)
    try:
        data = make_bundle(
            logbook.log, logbook.store, logbook.keyring, shard, int(index), (), signers=logbook.signers,
            tsa_roots=tsa_roots(settings),
        )  # fmt: skip
    except (LedgerError, FileNotFoundError) as error:
        advice = "A new entry has its proof within a minute; is this the ledger of that hub (INTEGRATOR_STATE)?"
        raise ConfigurationError(f"no evidence: {error}", advice=advice) from error
    finally:
        logbook.store.close()
    out = chosen.out or Path(name_of(shard, int(index)))
    out.write_bytes(data)
    print(f"{out}: {len(data)} bytes. Verify it with: integrator audit verify {out}, or open the verify.html in it.")
    return 0


def tsa_roots(settings: settings_module.Settings) -> bytes:
    """PEM of every root of a time-stamping authority that the settings name and that can be read."""
    found = b""
    for authority in settings.audit.get("timestamps") or ():
        path = Path(str(authority["roots"]))
        try:
            load_roots(path)
        except RootsMissing:
            continue
        found += path.read_bytes()
    return found
