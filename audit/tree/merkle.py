"""The arithmetic of an append-only tree (RFC 6962 §2.1): roots, inclusion proofs, consistency proofs. SHA-256 only.

Everything here works on hashes of 32 bytes; `audit.canonical.leaf_hash` turns an entry into one. Where the hashes of
complete subtrees come from (tiles, memory) is the business of a `Hashes`.

    level 2          h(2,0)                 A tree of 5 leaves. Its root is node_hash(h(2,0), h(0,4)):
    level 1      h(1,0)  h(1,1)             the *compact range* of size 5 is (h(2,0), h(0,4)).
    level 0      0   1   2   3   4
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import reduce
from hashlib import sha256
from itertools import islice
from typing import Protocol

from audit.errors import ProofInvalid

EMPTY_ROOT = sha256(b"").digest()  # the root of a tree without leaves (RFC 6962 §2.1)
MAX_SIZE = 2**63 - 1  # what every other implementation can count to
_AT_ONCE = 65_536  # leaves taken from an iterator in one go: bounds memory


class Hashes(Protocol):
    """Roots of complete subtrees: `hash(level, index)` covers the 2**level leaves from index * 2**level on."""

    def hash(self, level: int, index: int) -> bytes: ...


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash two nodes into their parent: 32 bytes, SHA-256 over 0x01 || left || right.

    >>> node_hash(bytes(32), bytes(32)).hex()[:16]
    'ae0798d0ecaed2b7'
    """
    return sha256(b"\x01" + left + right).digest()


def root_of(leaves: Iterable[bytes]) -> bytes:
    """The root over leaf hashes; EMPTY_ROOT for none. Memory stays bounded for any number of leaves."""
    tree = CompactRange()
    tree.extend(leaves)
    return tree.root()


class CompactRange:
    """All that must be remembered of a tree to let it grow: one hash per bit that is set in its size.

    `nodes` are the roots of the complete subtrees, largest first. Raises ProofInvalid when they do not fit the size,
    or when a hash is not 32 bytes.

    >>> tree = CompactRange()
    >>> tree.extend([bytes([i]) * 32 for i in range(5)])
    >>> again = CompactRange(tree.size, tree.nodes)
    >>> tree.size, len(tree.nodes), again.root() == tree.root()
    (5, 2, True)
    """

    def __init__(self, size: int = 0, nodes: Iterable[bytes] = ()) -> None:
        self.size = _a_size(size)
        self._nodes = list(nodes)
        if len(self._nodes) != size.bit_count():
            raise ProofInvalid(f"a tree of {size} leaves has {size.bit_count()} subtrees, not {len(self._nodes)}")
        _all_hashes(self._nodes)

    @property
    def nodes(self) -> tuple[bytes, ...]:
        return tuple(self._nodes)

    def append(self, leaf: bytes) -> None:
        """Add one leaf hash."""
        _all_hashes([leaf])
        size = self.size
        while size & 1:
            leaf = node_hash(self._nodes.pop(), leaf)
            size >>= 1
        self._nodes.append(leaf)
        self.size += 1

    def extend(self, leaves: Iterable[bytes]) -> None:
        """Add leaf hashes in their order."""
        flow = iter(leaves)
        while some := list(islice(flow, _AT_ONCE)):
            self._grow(some)

    def root(self) -> bytes:
        """The root of what was added so far: 32 bytes."""
        if not self._nodes:
            return EMPTY_ROOT
        return reduce(lambda right, left: node_hash(left, right), reversed(self._nodes))

    def _grow(self, row: list[bytes]) -> None:
        """Level by level: what waited alone at this level comes first, what stays alone waits, pairs go up."""
        _all_hashes(row)
        size, waiting, left_over = self.size, self._nodes, []
        waiting = waiting.copy()
        self.size += len(row)
        while row or waiting:
            if size & 1:
                row.insert(0, waiting.pop())
            if len(row) & 1:
                left_over.append(row.pop())
            row = parents(row)
            size >>= 1
        self._nodes = left_over[::-1]


def parents(row: Sequence[bytes]) -> list[bytes]:
    """One level up: the hash of each two neighbours. An even number of hashes; nothing is checked (the hot path)."""
    pairs = iter(row)
    return [sha256(b"\x01" + left + right).digest() for left, right in zip(pairs, pairs)]  # noqa: B905 (same iterator)


def inclusion_proof(index: int, size: int, hashes: Hashes) -> list[bytes]:
    """The siblings on the way from leaf `index` to the root of the tree of `size` leaves, from the leaf up.

    Raises ProofInvalid when that tree has no such leaf.
    """
    if not 0 <= index < _a_size(size):
        raise ProofInvalid(f"a tree of {size} leaves has no leaf {index}; ask for a newer checkpoint")
    proof, low, high = [], 0, size
    while high - low > 1:
        middle = low + _split(high - low)
        if index < middle:
            proof.append(_subtree(middle, high, hashes))
            high = middle
        else:
            proof.append(_subtree(low, middle, hashes))
            low = middle
    return proof[::-1]


def consistency_proof(old: int, new: int, hashes: Hashes) -> list[bytes]:
    """The hashes that show that the tree of `new` leaves begins with the tree of `old` leaves (RFC 6962 §2.1.2).

    Empty when the sizes are equal or `old` is 0. Raises ProofInvalid when `old` is the larger.
    """
    if _a_size(old) > _a_size(new):
        raise ProofInvalid(f"a tree of {new} leaves cannot begin with one of {old}: logs only grow")
    if old == 0:
        return []
    proof, low, high = [], 0, new
    while high != old:
        middle = low + _split(high - low)
        if old <= middle:
            proof.append(_subtree(middle, high, hashes))
            high = middle
        else:
            proof.append(_subtree(low, middle, hashes))
            low = middle
    if low:  # otherwise the verifier holds this hash already: it is the old root
        proof.append(_subtree(low, high, hashes))
    return proof[::-1]


def check_inclusion(index: int, size: int, leaf: bytes, proof: Sequence[bytes], root: bytes) -> None:
    """Whether this leaf hash stands at `index` of the tree of `size` leaves with this root; ProofInvalid otherwise."""
    if not 0 <= index < _a_size(size):
        raise ProofInvalid(f"a tree of {size} leaves has no leaf {index}; the proof belongs to another checkpoint")
    _all_hashes([leaf, root, *proof])
    inside = (index ^ (size - 1)).bit_length()  # below this level the tree is complete around the leaf
    expected = inside + (index >> inside).bit_count()
    if len(proof) != expected:
        raise ProofInvalid(f"leaf {index} of {size} is proven by {expected} hashes, not {len(proof)}")
    for level, sibling in enumerate(proof):
        on_the_right = level < inside and not index >> level & 1
        leaf = node_hash(leaf, sibling) if on_the_right else node_hash(sibling, leaf)
    if leaf != root:
        raise ProofInvalid(
            f"the proof of leaf {index} of {size} leads to root {leaf.hex()}, the checkpoint says {root.hex()}:"
            " the entry, the proof or the checkpoint is not the log's"
        )


def check_consistency(old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> None:
    """Whether the tree with `new_root` begins with the one with `old_root`; ProofInvalid otherwise.

    From size 0 everything is consistent: the proof is empty and the old root is EMPTY_ROOT (C2SP tlog-witness).
    """
    if _a_size(old) > _a_size(new):
        raise ProofInvalid(f"a tree of {new} leaves cannot begin with one of {old}: the log was rolled back")
    _all_hashes([old_root, new_root, *proof])
    for size, root in ((old, old_root), (new, new_root)):
        if (size == 0) and root != EMPTY_ROOT:
            raise ProofInvalid(f"a tree without leaves has root {EMPTY_ROOT.hex()}, not {root.hex()}")
    if old == 0 or old == new:
        if proof:
            raise ProofInvalid(f"from {old} to {new} leaves nothing needs proving, yet {len(proof)} hashes were given")
        if old == new and old_root != new_root:
            raise ProofInvalid(f"two roots for {old} leaves, {old_root.hex()} and {new_root.hex()}: the log forked")
        return
    led_to_old, led_to_new = _replay(old - 1, new - 1, old_root, proof)
    for size, root, led_to in ((old, old_root, led_to_old), (new, new_root, led_to_new)):
        if root != led_to:
            raise ProofInvalid(
                f"the proof from {old} to {new} leaves leads to root {led_to.hex()} at {size}, not {root.hex()}"
            )


def _replay(old: int, new: int, old_root: bytes, proof: Sequence[bytes]) -> tuple[bytes, bytes]:
    """Both roots that a consistency proof leads to, from the last leaves' indices (RFC 9162 §2.1.4.2)."""
    skip = (~old & (old + 1)).bit_length() - 1  # trailing ones: levels at which the old tree is complete by itself
    whole = old >> skip == 0  # the old tree is one complete subtree: its root is where the proof starts
    old, new = old >> skip, new >> skip
    expected = (old ^ new).bit_length() + (new >> (old ^ new).bit_length()).bit_count() + (0 if whole else 1)
    if len(proof) != expected:
        raise ProofInvalid(f"this consistency is proven by {expected} hashes, not {len(proof)}")
    first, *rest = (old_root, *proof) if whole else proof
    in_old = in_new = first
    for sibling in rest:
        if old & 1 or old == new:
            in_old, in_new = node_hash(sibling, in_old), node_hash(sibling, in_new)
            while old and not old & 1:
                old, new = old >> 1, new >> 1
        else:
            in_new = node_hash(in_new, sibling)
        old, new = old >> 1, new >> 1
    return in_old, in_new


def _split(size: int) -> int:
    """The largest power of two below `size`: how many leaves stand on the left of the top node."""
    return 1 << (size - 1).bit_length() - 1


def _subtree(low: int, high: int, hashes: Hashes) -> bytes:
    """The root over the leaves low … high-1, where `low` is a place at which RFC 6962 splits."""
    return reduce(lambda right, left: node_hash(left, right), _complete(low, high, hashes))


def _complete(low: int, high: int, hashes: Hashes) -> Iterator[bytes]:
    """The complete subtrees that make up low … high-1, smallest (rightmost) first."""
    while low < high:
        level = ((high - low) & -(high - low)).bit_length() - 1
        yield hashes.hash(level, (high >> level) - 1)
        high -= 1 << level


def _a_size(size: int) -> int:
    if not 0 <= size <= MAX_SIZE:
        raise ProofInvalid(f"{size} is not the size of a tree")
    return size


def _all_hashes(hashes: Sequence[bytes]) -> None:
    """An empty or long "hash" could stand for anything: nothing but 32 bytes is ever compared or hashed."""
    if wrong := set(map(len, hashes)) - {32}:
        raise ProofInvalid(f"a hash is 32 bytes, not {min(wrong)}")
