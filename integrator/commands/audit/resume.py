"""`integrator audit resume --after-restore`: the store is a restored backup; say so in the ledger and go on in new logs."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from audit import LedgerError
from audit.log.gap import Behind, ask_witnesses, behind, resume
from audit.log.names import newest
from audit.tree.checkpoint import Checkpoint
from audit.tree.note import NoteSigner, sign_note
from audit.witness.client import WitnessClient, WitnessConflict
from integrator import clock, settings
from integrator.errors import ConfigurationError
from integrator.publishing import Logbook, open_logbook, refused


def add(verbs: Any) -> None:
    parser = verbs.add_parser("resume", help="go on after the ledger's store was restored from a backup")
    parser.add_argument("--after-restore", action="store_true", required=True, help="yes, entries are lost for good")
    parser.add_argument(
        "--no-witnesses", action="store_true", help="I confirm that nobody outside cosigned this ledger"
    )
    parser.add_argument("--settings", type=Path)
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    loaded = settings.load(chosen.settings)
    logbook = open_logbook(loaded)
    try:
        return _resume(loaded, logbook, confirmed=chosen.no_witnesses)
    except LedgerError as error:
        raise refused(error) from error
    finally:
        logbook.store.close()


def _resume(loaded: settings.Settings, logbook: Logbook, *, confirmed: bool) -> int:
    year = clock.today(clock.system()).year
    shard = newest(logbook.names.shard(year), logbook.known())
    lost = behind((shard, logbook.anchor), logbook.store, logbook.publication, logbook.state, logbook.signers)
    witnessed = _witnessed(loaded, logbook) if loaded.audit.get("witnesses") else {}
    lost = _with_what_witnesses_know(lost, witnessed, logbook, shard)
    if not lost:
        print("The store holds everything that was signed, as far as anybody remembers: nothing is to be resumed.")
        return 0
    if not witnessed and not confirmed:
        raise ConfigurationError(
            "no witnesses are configured that could say how far the ledger had come",
            advice="Add audit.witnesses to the settings; if nobody ever cosigned this ledger: --no-witnesses.",
        )
    successor, anchor = resume(lost, shard, logbook.store, logbook.keyring, logbook.signers, witnessed=witnessed)
    for one in lost:
        print(f"{one.origin}: {one.signed} entries were signed for, {one.stored} are stored. It is not continued.")
    print(f"The hub goes on in {successor}, whose entry `gap` says so" + (f", and in {anchor}." if anchor else "."))
    print("Tell the data protection officer: answers whose entries are missing still have their receipts.")
    return 0


def _witnessed(loaded: settings.Settings, logbook: Logbook) -> dict[str, int]:
    """What every witness remembers of the anchor. Raises RollbackRefused while one does not answer."""
    last = logbook.state.last(logbook.anchor)
    if last is None:
        raise ConfigurationError(
            f"nothing is remembered of {logbook.anchor}", advice="Bring back the folder of setting audit.signedState."
        )
    signer = logbook.signers.signer(logbook.anchor)
    return ask_witnesses(last, {one["name"]: _size_of(one, signer) for one in loaded.audit["witnesses"]})


def _size_of(witness: dict[str, Any], signer: NoteSigner) -> Callable[[Checkpoint], int]:
    """Asks a witness by showing it what we signed last: it agrees, or names another size."""
    client = WitnessClient(witness["url"], witness["vkey"], name=witness["name"])

    def ask(last: Checkpoint) -> int:
        try:
            client.cosign(last.size, (), sign_note(last.text(), signer))
        except WitnessConflict as conflict:
            return conflict.size
        return last.size

    return ask


def _with_what_witnesses_know(
    lost: list[Behind], witnessed: dict[str, int], logbook: Logbook, shard: str
) -> list[Behind]:
    """When a witness saw more than we remember to have signed, our memory is a restored copy too: both logs are given up."""
    last = logbook.state.last(logbook.anchor)
    most = max(witnessed.values(), default=0)
    if last is None or most <= last.size:
        return lost
    found = {one.origin: one for one in lost}
    held = logbook.store.size(logbook.anchor)
    found[logbook.anchor] = Behind(logbook.anchor, most, held, "a witness saw more")
    if shard not in found:
        mine, stored = logbook.state.last(shard), logbook.store.size(shard)
        found[shard] = Behind(shard, mine.size if mine else 0, stored, "signed to an unknown size")
    return [found[origin] for origin in (shard, logbook.anchor)]
