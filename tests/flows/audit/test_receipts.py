"""No receipt is ever a lie: kill -9 at any moment of recording and publishing, and every receipt that was given out is proved.

After the kills an outsider, with nothing but the two keys and what is published, checks each receipt: the entry stands where
it was promised, under a checkpoint that is consistent with every checkpoint seen before, in the anchor. Nothing that was
acknowledged is lost, no intent is left open.
"""

from __future__ import annotations

import os
import random
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from audit import open_store
from audit.canonical import leaf_hash
from audit.log.proofs import Log
from audit.log.publication import Publication
from audit.log.receipts import Receipt, open_receipt
from audit.tree.checkpoint import Checkpoint
from audit.tree.merkle import check_consistency, check_inclusion, consistency_proof, root_of
from audit.tree.note import NoteVerifier, open_note
from audit.tree.tiles import TileHashes
from tests.flows.audit.exchanger import NAMES, opened
from tests.unit.audit.kit import ENGINES, engine_url

EXCHANGER = Path(__file__).with_name("exchanger.py")
ROOT = Path(__file__).parents[3]
ROUNDS, SOAK = 2, 50


@pytest.fixture(params=ENGINES)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    with engine_url(request.param, tmp_path) as place:
        yield place


def receipts_until_killed(url: str, folder: Path, seconds: float) -> list[bytes]:
    """Start an exchanger, kill -9 it `seconds` after its first receipt; whole receipts only."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen([sys.executable, EXCHANGER, url, folder], stdout=subprocess.PIPE, env=environment)
    assert process.stdout is not None
    with process.stdout as pipe, selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ)
        said = read_for(selector, pipe.fileno(), 60.0, until_first_word=True)
        said += read_for(selector, pipe.fileno(), seconds)
        process.send_signal(signal.SIGKILL)
        process.wait()
        said += pipe.read()
    return said[: said.rfind(b"\n") + 1].split()


def read_for(selector: selectors.BaseSelector, pipe: int, seconds: float, *, until_first_word: bool = False) -> bytes:
    said = b""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0 and not (said and until_first_word):
        if selector.select(left):
            chunk = os.read(pipe, 65_536)
            if not chunk:
                raise AssertionError("the exchanger died by itself")
            said += chunk
    return said


def published(log: Log, origin: str, verifier: NoteVerifier) -> Checkpoint | None:
    """The checkpoint as it stands after a kill, verified; None before the first."""
    try:
        note = log.publication.read(f"{origin}/checkpoint")
    except FileNotFoundError:
        return None
    return Checkpoint.parse(open_note(note, [verifier]).text)


def kill_and_prove(url: str, folder: Path, rounds: int) -> tuple[int, int, int]:
    """(receipts, entries, intents that a kill left open), after checking all there is to check."""
    shard = ""
    receipts: list[Receipt] = []
    seen: list[Checkpoint] = []
    for _ in range(rounds):
        given = receipts_until_killed(url, folder, random.uniform(0.02, 0.6))
        with closing(open_store(url)) as store:
            [shard] = [name for name in store.shards() if name != NAMES.anchor]
            log = Log(Publication(folder / "log"), store, NAMES.anchor)
            verifier = NoteVerifier(log.vkey(shard))
            fresh = [open_receipt(one, [verifier]) for one in given]
            stored = {one.index: one for one in store.read(shard)}
            assert [] == [one.index for one in fresh if one.index not in stored or stored[one.index].leaf != one.leaf]
            receipts += fresh
            checkpoint = published(log, shard, verifier)
            if checkpoint is not None:
                seen.append(checkpoint)
    store, books, publisher = opened(url, folder)  # the next start: refuses a ledger that went back
    left = books.tidy(timedelta(0))
    books.close()
    publisher.close()
    store.close()
    prove(url, folder, shard, receipts, seen)
    with closing(open_store(url)) as store:
        return len(receipts), store.size(shard), left


def prove(url: str, folder: Path, shard: str, receipts: list[Receipt], seen: list[Checkpoint]) -> None:
    with closing(open_store(url)) as store:
        log = Log(Publication(folder / "log"), store, NAMES.anchor)
        note = log.checkpoint(shard)
        now = Checkpoint.parse(open_note(note, [NoteVerifier(log.vkey(shard))]).text)
        bodies = [one.body for one in store.read(shard)]
        assert (len(bodies), root_of(map(leaf_hash, bodies))) == (now.size, now.root)
        for receipt in receipts:
            proof = log.proof(shard, receipt.index)
            check_inclusion(receipt.index, now.size, receipt.leaf, proof.hashes, now.root)
        tiles = TileHashes(lambda path: log.publication.read(f"{shard}/{path}"), now.size)
        for earlier in seen:
            check_consistency(
                earlier.size, now.size, earlier.root, now.root, consistency_proof(earlier.size, now.size, tiles)
            )
        above = log.anchor_proof(note)
        anchor = Checkpoint.parse(open_note(above.checkpoint_note, [NoteVerifier(log.vkey(NAMES.anchor))]).text)
        check_inclusion(above.index, anchor.size, leaf_hash(now.text().encode()), above.hashes, anchor.root)
        assert [] == store.dangling(shard, 2**60)


def test_every_receipt_given_before_a_kill_9_is_proved_afterwards(url: str, tmp_path: Path):
    receipts, entries, _ = kill_and_prove(url, tmp_path, ROUNDS)

    assert 0 < receipts <= entries // 2


@pytest.mark.soak
def test_fifty_times_kill_9_leaves_no_receipt_unproved(url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    receipts, entries, left = kill_and_prove(url, tmp_path, SOAK)

    with capsys.disabled():
        print(
            f"\n{SOAK} kills, {receipts} receipts, all proved; {entries} entries, {left} intents left by the last kill"
        )
    assert 0 < receipts
