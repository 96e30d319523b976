"""What the Merkle tree costs: leaves added, tiles grown, proofs made and checked, notes signed and opened.

    python -P tests/bench/tree.py [--leaves 1000000]

One thread; each figure is the best of several turns. Absolute times drift: read ratios of one run.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from audit.tree.checkpoint import Checkpoint  # noqa: E402
from audit.tree.cosignature import Cosigner, MldsaCosigner  # noqa: E402
from audit.tree.merkle import (  # noqa: E402
    CompactRange,
    check_consistency,
    check_inclusion,
    consistency_proof,
    inclusion_proof,
    root_of,
)
from audit.tree.note import NoteSigner, make_verifier, open_note, sign_note  # noqa: E402
from audit.tree.tiles import TileHashes, grow  # noqa: E402


def best(work: Callable[[], object], turns: int) -> float:
    """Seconds of the quickest of some turns."""
    seconds = []
    for _ in range(turns):
        begin = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - begin)
    return min(seconds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--leaves", type=int, default=1_000_000)
    size = parser.parse_args().leaves
    leaves = [os.urandom(32) for _ in range(size)]
    tiles = dict(grow(0, leaves, {}.__getitem__))
    index, old = size // 3, size * 2 // 3
    rooted, before = root_of(leaves), root_of(leaves[:old])

    def hashes() -> TileHashes:
        return TileHashes(tiles.__getitem__, size)

    def one_by_one() -> None:
        tree = CompactRange()
        for leaf in leaves[:100_000]:
            tree.append(leaf)

    included, consistent = inclusion_proof(index, size, hashes()), consistency_proof(old, size, hashes())
    log = NoteSigner.from_seed("log.example/bench", os.urandom(32))
    text = Checkpoint(log.name, size, rooted).text()
    note, known = sign_note(text, log), [make_verifier(log.vkey)]
    cosigner, mldsa = (kind.from_seed("witness.example", os.urandom(32)) for kind in (Cosigner, MldsaCosigner))

    print(f"a tree of {size} leaves, {len(tiles)} tiles")
    for name, count, seconds in (
        ("compact range, in bulk", size, best(lambda: root_of(leaves), 3)),
        ("compact range, one by one", min(size, 100_000), best(one_by_one, 3)),
        ("tiles grown", size, best(lambda: sum(1 for _ in grow(0, leaves, tiles.__getitem__)), 3)),
    ):
        print(f"  {name:<28} {count / seconds:>12,.0f} leaves/s")
    for name, work in (
        ("inclusion proof, cold", lambda: inclusion_proof(index, size, hashes())),
        ("consistency proof, cold", lambda: consistency_proof(old, size, hashes())),
        ("inclusion checked", lambda: check_inclusion(index, size, leaves[index], included, rooted)),
        ("consistency checked", lambda: check_consistency(old, size, before, rooted, consistent)),
        ("checkpoint signed", lambda: sign_note(text, log)),
        ("checkpoint opened", lambda: open_note(note, known)),
        ("cosigned, Ed25519", lambda: cosigner.line(text, 1)),
        ("cosigned, ML-DSA-44", lambda: mldsa.line(text, 1)),
    ):
        print(f"  {name:<28} {best(work, 100) * 1e6:>12,.0f} µs")


if __name__ == "__main__":
    main()
