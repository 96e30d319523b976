"""A tree as files of at most 256 hashes (C2SP tlog-tiles): their names, their growth, and the proofs read from them.

    level 1   tile/1/000.p/2               each hash is the root of one full tile of the level below
    level 0   tile/0/000  tile/0/001  tile/0/002.p/7               leaf hashes: a tree of 519 leaves

A full tile never changes; a partial one (`.p/<width>`) stays as long as a published checkpoint needs it. `read` is any
function from such a name to bytes that raises FileNotFoundError for what is not there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from audit.canonical import MAX_ENTRY
from audit.errors import ProofInvalid
from audit.tree.merkle import parents

WIDTH = 256  # hashes in a full tile
_HEIGHT = 8  # levels of the tree that one tile spans
_BYTES = WIDTH * 32
_KEPT = 256  # tiles a TileHashes remembers: 2 MB at most

Read = Callable[[str], bytes]


def tile_path(level: int, index: int, width: int = WIDTH) -> str:
    """The name of a tile.

    >>> tile_path(0, 1234067), tile_path(1, 4, 12)
    ('tile/0/x001/x234/067', 'tile/1/004.p/12')
    """
    if not 0 <= level <= 63:
        raise ProofInvalid(f"tiles have levels 0 to 63, not {level}")
    return f"tile/{level}/{_number(index, width)}"


def entries_path(index: int, width: int = WIDTH) -> str:
    """The name of an entry bundle: the entries whose leaf hashes are in `tile_path(0, index, width)`.

    >>> entries_path(273, 112)
    'tile/entries/273.p/112'
    """
    return f"tile/entries/{_number(index, width)}"


def bundle(entries: Sequence[bytes]) -> bytes:
    """Write 1 to 256 entries as an entry bundle: each after its length, an unsigned 16-bit number, big-endian.

    >>> bundle([b"one", b""])
    b'\\x00\\x03one\\x00\\x00'
    """
    if not 1 <= len(entries) <= WIDTH:
        raise ProofInvalid(f"a bundle holds 1 to {WIDTH} entries, not {len(entries)}")
    if max(map(len, entries)) > MAX_ENTRY:
        raise ProofInvalid(f"an entry has at most {MAX_ENTRY} bytes, or its length cannot be written")
    return b"".join([len(entry).to_bytes(2, "big") + entry for entry in entries])


def entries_of(bundle: bytes) -> list[bytes]:
    """Read an entry bundle. ProofInvalid when it is cut off, empty, or longer than a tile is wide.

    >>> entries_of(b"\\x00\\x03one\\x00\\x00")
    [b'one', b'']
    """
    entries: list[bytes] = []
    at = 0
    while at < len(bundle):
        begin = at + 2
        at = begin + int.from_bytes(bundle[at:begin], "big")
        if begin > len(bundle) or at > len(bundle):
            raise ProofInvalid(f"the entry bundle is cut off within entry {len(entries)}; fetch it again")
        entries.append(bundle[begin:at])
    if not 1 <= len(entries) <= WIDTH:
        raise ProofInvalid(f"a bundle holds 1 to {WIDTH} entries, not {len(entries)}")
    return entries


class TileHashes:
    """The hashes of complete subtrees, read from the tiles of a tree of `size` leaves. Implements merkle.Hashes.

    Tiles are *not* believed: what comes out is good for proofs that are then checked against a signed root.
    Raises ProofInvalid for a tile of the wrong length or a node outside the tree, FileNotFoundError when a tile is
    there neither in the width this size needs nor full.
    """

    def __init__(self, read: Read, size: int) -> None:
        self.size = size
        self._read = read
        self._tiles: dict[tuple[int, int], bytes] = {}

    def hash(self, level: int, index: int) -> bytes:
        """The root of the complete subtree over the leaves index * 2**level … (index + 1) * 2**level - 1."""
        if index < 0 or index + 1 << level > self.size:
            raise ProofInvalid(f"node {index} of level {level} is not complete in a tree of {self.size} leaves")
        tile_level, above = divmod(level, _HEIGHT)
        tile_index, first = divmod(index << above, WIDTH)
        return _root(self._tile(tile_level, tile_index)[first * 32 : (first + (1 << above)) * 32])

    def _tile(self, level: int, index: int) -> bytes:
        tile = self._tiles.get((level, index))
        if tile is None:
            width = min(WIDTH, (self.size >> level * _HEIGHT) - index * WIDTH)
            tile = read_tile(self._read, level, index, width)
            if len(self._tiles) >= _KEPT:
                self._tiles.pop(next(iter(self._tiles)))
            self._tiles[level, index] = tile
        return tile


def read_tile(read: Read, level: int, index: int, width: int) -> bytes:
    """The first `width` hashes of a tile; from the full tile when the partial one is gone, as the format allows."""
    name = tile_path(level, index, width)
    try:
        tile, expected = read(name), width
    except FileNotFoundError:
        if width == WIDTH:
            raise
        name = tile_path(level, index)
        tile, expected = read(name), WIDTH
    if len(tile) != expected * 32:
        raise ProofInvalid(f"{name} has {len(tile)} bytes instead of {expected * 32}; fetch it again")
    return tile[: width * 32]


def grow(old_size: int, leaves: Sequence[bytes], read: Read) -> Iterator[tuple[str, bytes]]:
    """Every tile, full and partial, that is new when leaf hashes are added to a tree of `old_size`: (name, content).

    Level 0 first. Of the old tree only its partial tiles are read, at most one per level. Whoever stores the tiles
    MUST have them durable before signing a checkpoint that needs them.
    """
    if set(map(len, leaves)) - {32}:
        raise ProofInvalid("leaves are hashes of 32 bytes (audit.canonical.leaf_hash)")
    level, old, row = 0, old_size, b"".join(leaves)
    while row:
        index, already = divmod(old, WIDTH)
        if already:
            row = read_tile(read, level, index, already) + row
        roots = []
        for start in range(0, len(row), _BYTES):
            tile = row[start : start + _BYTES]
            yield tile_path(level, index, len(tile) // 32), tile
            if len(tile) == _BYTES:
                roots.append(_root(tile))
            index += 1
        level, old, row = level + 1, old // WIDTH, b"".join(roots)


def _root(hashes: bytes) -> bytes:
    """The root over 2**n hashes that stand one after the other."""
    row = [hashes[at : at + 32] for at in range(0, len(hashes), 32)]
    while len(row) > 1:
        row = parents(row)
    return row[0]


def _number(index: int, width: int) -> str:
    """Groups of three digits, all but the last marked x, so that no file has the name of a folder."""
    if index < 0 or not 1 <= width <= WIDTH:
        raise ProofInvalid(f"no tile has index {index} and width {width}")
    digits = str(index)
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    groups = [digits[at : at + 3] for at in range(0, len(digits), 3)]
    path = "/".join([*(f"x{group}" for group in groups[:-1]), groups[-1]])
    return path if width == WIDTH else f"{path}.p/{width}"
