"""A map per day, tag → that day's entries, so that "these, and nothing else" can be proved to a citizen. Pure, no I/O.

An inclusion proof shows that an entry is there; it cannot show that none was left out. So each night an `index` entry
commits to a Merkle tree (RFC 6962) over the sorted map of the day before:

    leaf = key (16 bytes) ‖ value (32 bytes)      sorted by key, no key twice
    key ‖ salt = HMAC-SHA-256(index key of the year, "map1|" day "|" tag)      16 bytes each: other days, other keys
    value = SHA-256(salt ‖ "shard\\nindex\\n" …)                                entries in order of shard, then index

A tag that had entries is proved with its leaf, one that had none with the two leaves between which it would lie. The
neighbours shown then say nothing: their keys are of that day only, their values salted. That a key is that of a citizen's
tag only the holder of the index key can recompute, as an auditor does.
"""

from __future__ import annotations

import hashlib
import hmac
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from audit.canonical import leaf_hash
from audit.errors import ProofInvalid
from audit.tree.merkle import EMPTY_ROOT, check_inclusion, inclusion_proof, root_of

KEY, SALT, VALUE = 16, 16, 32
Place = tuple[str, int]  # shard, index


def key_of(index_key: bytes, day: date, tag: bytes, label: str = "map1") -> tuple[bytes, bytes]:
    """Key and salt of a tag on one day, 16 bytes each. `label`: which map (see shown.py for the others)."""
    mixed = hmac.digest(index_key, f"{label}|{day.isoformat()}|".encode() + tag, "sha256")
    return mixed[:KEY], mixed[KEY:]


def value_of(salt: bytes, places: Iterable[Place]) -> bytes:
    """What the map holds for a key: 32 bytes."""
    listed = "".join(f"{shard}\n{index}\n" for shard, index in sorted(set(places)))
    return hashlib.sha256(salt + listed.encode()).digest()


@dataclass(frozen=True, slots=True)
class Leaf:
    """One leaf of a day's map, with its proof."""

    index: int
    key: bytes
    value: bytes
    proof: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class DayProof:
    """What a day's map holds for one key: its leaf, or the leaves beside the place where it would lie (at most two)."""

    size: int  # leaves in the map
    leaves: tuple[Leaf, ...]


class DayMap:
    """The map of one day. `records`: key → value."""

    def __init__(self, records: Iterable[tuple[bytes, bytes]]) -> None:
        self.records = sorted(records)
        self._levels = [[leaf_hash(key + value) for key, value in self.records]]

    def __len__(self) -> int:
        return len(self.records)

    @property
    def root(self) -> bytes:
        return root_of(self._levels[0]) if self.records else EMPTY_ROOT

    def hash(self, level: int, index: int) -> bytes:
        """Root of the complete subtree of 2**level leaves: a Hashes for audit.tree.merkle."""
        while len(self._levels) <= level:
            below = self._levels[-1]
            self._levels.append([root_of(below[at : at + 2]) for at in range(0, len(below) - 1, 2)])
        return self._levels[level][index]

    def prove(self, key: bytes) -> DayProof:
        """That the map holds this key with its value, or that it does not hold it."""
        at = bisect_left(self.records, (key, b""))
        here = at < len(self.records) and self.records[at][0] == key
        indices = [at] if here else [one for one in (at - 1, at) if 0 <= one < len(self.records)]
        return DayProof(len(self.records), tuple(map(self._leaf, indices)))

    def _leaf(self, index: int) -> Leaf:
        return Leaf(index, *self.records[index], tuple(inclusion_proof(index, len(self.records), self)))


def check_day(proof: DayProof, root: bytes, size: int, key: bytes, salt: bytes, places: Sequence[Place]) -> None:
    """Check that on a day with this root and size (of its `index` entry) a key had exactly these entries; [] = none.

    Raises ProofInvalid, saying which of the two lied: the proof, or the list.
    """
    if (len(key), len(salt)) != (KEY, SALT):  # a longer salt could hide lines: the hash runs over both in one
        raise ProofInvalid("a key and a salt have 16 bytes each")
    if proof.size != size:
        raise ProofInvalid(f"the proof is of a map with {proof.size} keys, the ledger's has {size}")
    if size == 0 and root != EMPTY_ROOT:
        raise ProofInvalid("a map without keys has the root of the empty tree")
    for leaf in proof.leaves:
        if (len(leaf.key), len(leaf.value)) != (KEY, VALUE):
            raise ProofInvalid("a leaf of the map has a key of 16 bytes and a value of 32")
        check_inclusion(leaf.index, size, leaf_hash(leaf.key + leaf.value), list(leaf.proof), root)
    if places:
        _check_held(proof, key, value_of(salt, places))
    else:
        _check_absent(proof, key)


def _check_held(proof: DayProof, key: bytes, value: bytes) -> None:
    if [key] != [leaf.key for leaf in proof.leaves]:
        raise ProofInvalid("entries are listed, but the proof is not that the map holds this key")
    if proof.leaves[0].value != value:
        raise ProofInvalid("the map holds other entries for this key: one is missing from the list, or too many")


def _check_absent(proof: DayProof, key: bytes) -> None:
    before = [leaf for leaf in proof.leaves if leaf.key < key]
    after = [leaf for leaf in proof.leaves if leaf.key > key]
    if len(before) + len(after) != len(proof.leaves) or len(before) > 1 or len(after) > 1:
        raise ProofInvalid("no entry is listed, but the map holds this key, or leaves that prove nothing")
    last = before[0].index if before else -1
    first = after[0].index if after else proof.size
    if first != last + 1:
        raise ProofInvalid("the two leaves are no neighbours: the key could lie between them")
