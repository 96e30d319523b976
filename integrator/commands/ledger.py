"""`integrator ledger show SHARD/1,2`: the entries of one exchange, as they stand, without any sealed value."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from audit import Store, open_store
from integrator import settings as settings_module
from integrator.errors import ConfigurationError


def add(words: Any) -> None:
    parser = words.add_parser("ledger", help="what was recorded")
    verbs = parser.add_subparsers(dest="verb", required=True)
    show = verbs.add_parser("show", help="the entries of one exchange")
    show.add_argument("entries", help="the answer's header Integrator-Ledger-Entries: SHARD/INDEX,INDEX…")
    show.add_argument("--settings", type=Path)
    show.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    for entry in named(settings_module.load(chosen.settings), chosen.entries):
        print(json.dumps(entry, ensure_ascii=False, sort_keys=True))
    return 0


def named(settings: settings_module.Settings, reference: str) -> list[dict[str, Any]]:
    """The clear part of the entries an answer names, in order of index. Raises `ConfigurationError` when one is missing."""
    shard, _, written = reference.rpartition("/")
    if not shard or not all(part.isdigit() for part in written.split(",")):
        raise ConfigurationError(
            "entries are named SHARD/INDEX,INDEX…", advice="Copy the header Integrator-Ledger-Entries."
        )
    store = open_store(settings.ledger)
    try:
        return [_entry(store, shard, int(part)) for part in sorted(written.split(","), key=int)]
    finally:
        store.close()


def _entry(store: Store, shard: str, index: int) -> dict[str, Any]:
    for stored in store.read(shard, index, index + 1):
        return {"shard": shard, "index": index, **json.loads(stored.body)}
    raise ConfigurationError(
        f"the ledger has no entry {index} in {shard}",
        advice="Copy the header Integrator-Ledger-Entries whole; is this the ledger of that hub (INTEGRATOR_STATE, --settings)?",
    )
