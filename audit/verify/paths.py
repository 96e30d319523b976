"""Small readings of what is published: which anchor sizes were stamped or witnessed, and roots of older sizes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from audit.log.proofs import Log
from audit.log.publication import Publication
from audit.tree.checkpoint import Checkpoint
from audit.tree.merkle import CompactRange, Hashes, root_of
from audit.tree.note import split_note
from audit.tree.tiles import TileHashes


def anchor_sizes(log: Log, kind: str, at_most: int) -> list[int]:
    """Sizes of the anchor under `timestamp` or `witnessed`, newest first, none above `at_most`."""
    return sizes_in(log.publication, log.anchor, kind, at_most)


def sizes_in(publication: Publication, origin: str, kind: str, at_most: int) -> list[int]:
    """As anchor_sizes, for any log."""
    names = {path.name.partition("-")[0] for path in (publication.folder / origin / kind).glob("*")}
    return sorted((int(name) for name in names if name.isdigit() and int(name) <= at_most), reverse=True)


def root_at(publication: Publication, origin: str, size: int) -> bytes:
    """The root that a log had at an older size, from the tiles of its newest checkpoint."""
    newest = Checkpoint.parse(split_note(publication.read(f"{origin}/checkpoint"))[0]).size
    tiles = TileHashes(lambda path: publication.read(f"{origin}/{path}"), newest)
    return CompactRange(size, nodes(size, tiles)).root()


def nodes(size: int, hashes: Hashes) -> Iterator[bytes]:
    """The compact range of a tree: the root of one complete subtree per bit of its size, largest first."""
    start = 0
    for level in reversed(range(size.bit_length())):
        if size >> level & 1:
            yield hashes.hash(level, start >> level)
            start += 1 << level


class Leaves:
    """The hashes of complete subtrees over leaf hashes in memory. Implements audit.tree.merkle.Hashes.

    >>> Leaves([bytes(32)]).hash(0, 0) == bytes(32)
    True
    """

    def __init__(self, leaves: Sequence[bytes]) -> None:
        self._leaves = leaves

    def hash(self, level: int, index: int) -> bytes:
        """The root over 2**level leaves."""
        return root_of(self._leaves[index << level : (index + 1) << level])
