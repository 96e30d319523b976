"""Trees, logs and keys for the tests of the tree. Leaves are hashes of their own number: any two trees share a prefix."""

from __future__ import annotations

from functools import cache
from hashlib import sha256

from audit.tree.checkpoint import Checkpoint
from audit.tree.cosignature import Cosigner, MldsaCosigner
from audit.tree.merkle import CompactRange, inclusion_proof, root_of
from audit.tree.note import NoteSigner
from audit.tree.tiles import TileHashes, grow

ORIGIN = "log.example/one"
LOG = NoteSigner.from_seed(ORIGIN, bytes(32))
WITNESS = Cosigner.from_seed("witness.example/a", b"a" * 32)
OTHER_WITNESS = Cosigner.from_seed("witness.example/b", b"b" * 32)
MLDSA = MldsaCosigner.from_seed("witness.example/pq", b"q" * 32)


@cache
def leaves(size: int) -> list[bytes]:
    return [sha256(index.to_bytes(8, "big")).digest() for index in range(size)]


@cache
def root(size: int) -> bytes:
    return root_of(leaves(size))


def flipped(data: bytes, bit: int) -> bytes:
    """The same bytes with one bit changed."""
    changed = bytearray(data)
    changed[bit // 8 % len(data)] ^= 1 << bit % 8
    return bytes(changed)


class Memory:
    """The hashes of a tree, straight from the definition: slow and obviously right."""

    def __init__(self, size: int) -> None:
        self._leaves = leaves(size)

    def hash(self, level: int, index: int) -> bytes:
        tree = CompactRange()
        tree.extend(self._leaves[index << level : index + 1 << level])
        assert tree.size == 1 << level
        return tree.root()


class Files(dict[str, bytes]):
    """A publication in memory."""

    def read(self, name: str) -> bytes:
        try:
            return self[name]
        except KeyError:
            raise FileNotFoundError(name) from None

    def grow(self, old: int, new: int) -> Files:
        self.update(grow(old, leaves(new)[old:], self.read))
        return self


@cache
def published(size: int) -> Files:
    return Files().grow(0, size)


def checkpoint(size: int, origin: str = ORIGIN) -> Checkpoint:
    return Checkpoint(origin, size, root(size))


def proof_of(index: int, size: int) -> list[bytes]:
    return inclusion_proof(index, size, TileHashes(published(size).read, size))
