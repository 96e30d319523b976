"""Roots and proofs are those of RFC 6962, and no changed proof is accepted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pymerkle
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.canonical import leaf_hash
from audit.errors import ProofInvalid
from audit.tree.merkle import (
    EMPTY_ROOT,
    CompactRange,
    check_consistency,
    check_inclusion,
    consistency_proof,
    inclusion_proof,
    node_hash,
    root_of,
)
from tests.unit.audit.tree.kit import Memory, flipped, leaves, root

_SIZES = st.integers(1, 300)

# The eight entries and the roots over the first n of them that Certificate Transparency's implementations share.
_ENTRIES = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
_ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


@pytest.mark.parametrize("size", range(9))
def test_root_is_the_one_every_implementation_knows(size: int) -> None:
    assert _ROOTS[size] == root_of(leaf_hash(bytes.fromhex(entry)) for entry in _ENTRIES[:size]).hex()


@settings(deadline=None)
@given(st.lists(st.integers(0, 70), max_size=8), st.booleans())
def test_a_tree_that_grows_in_any_steps_has_the_root_of_the_definition(steps: list[int], one_by_one: bool) -> None:
    tree = CompactRange()
    for step in steps:
        new = leaves(600)[tree.size : tree.size + step]
        if one_by_one:
            for leaf in new:
                tree.append(leaf)
        else:
            tree.extend(iter(new))
        tree = CompactRange(tree.size, tree.nodes)  # as if it had been put away and read back

    assert _by_definition(leaves(600)[: tree.size]) == tree.root()
    assert sum(steps) == tree.size


def test_more_leaves_than_are_taken_at_once_have_the_same_root() -> None:
    tree = CompactRange()
    for start in range(0, 65_537, 4_000):
        tree.extend(leaves(65_537)[start : start + 4_000])

    assert tree.root() == root_of(iter(leaves(65_537)))


@settings(deadline=None)
@given(st.data(), _SIZES)
def test_every_inclusion_proof_verifies(data: st.DataObject, size: int) -> None:
    index = data.draw(st.integers(0, size - 1))

    check_inclusion(index, size, leaves(size)[index], inclusion_proof(index, size, Memory(size)), root(size))


@settings(deadline=None)
@given(st.data(), _SIZES)
def test_every_consistency_proof_verifies(data: st.DataObject, size: int) -> None:
    old = data.draw(st.integers(0, size))

    check_consistency(old, size, root(old), root(size), consistency_proof(old, size, Memory(size)))


def test_all_proofs_of_small_trees_verify() -> None:
    for size in range(1, 34):
        for one in range(size):
            check_inclusion(one, size, leaves(size)[one], inclusion_proof(one, size, Memory(size)), root(size))
            check_consistency(one, size, root(one), root(size), consistency_proof(one, size, Memory(size)))


@settings(deadline=None, max_examples=50)
@given(st.data(), st.integers(2, 120))
def test_roots_and_inclusion_proofs_are_those_of_pymerkle(data: st.DataObject, size: int) -> None:
    """Its consistency proofs are longer than those of RFC 6962; for these see the example of the RFC and Go."""
    index = data.draw(st.integers(0, size - 1))
    oracle = pymerkle.InmemoryTree(algorithm="sha256")
    for number in range(size):
        oracle.append_entry(str(number).encode())
    ours = [leaf_hash(str(number).encode()) for number in range(size)]
    included = [bytes.fromhex(step) for step in oracle.prove_inclusion(index + 1, size).serialize()["path"]]
    included.remove(ours[index])  # its paths begin with what they prove

    assert oracle.get_root(size) == root_of(ours)
    assert included == inclusion_proof(index, size, _Listed(ours))


def test_proofs_are_those_of_the_example_in_rfc_6962() -> None:
    """§2.1.3: seven leaves a b c d e f j; g = ab, h = cd, i = ef, k = gh, l = ij."""
    a, b, c, d, e, f, j = leaves(7)
    g, h, i = node_hash(a, b), node_hash(c, d), node_hash(e, f)
    k, l = node_hash(g, h), node_hash(i, j)  # noqa: E741 (the RFC's letter)
    tree = Memory(7)

    assert [b, h, l] == inclusion_proof(0, 7, tree)
    assert [c, g, l] == inclusion_proof(3, 7, tree)
    assert [f, j, k] == inclusion_proof(4, 7, tree)
    assert [i, k] == inclusion_proof(6, 7, tree)
    assert [c, d, g, l] == consistency_proof(3, 7, tree)
    assert [l] == consistency_proof(4, 7, tree)
    assert [i, j, k] == consistency_proof(6, 7, tree)


_MUTATIONS: dict[str, Callable[[list[bytes], int], list[bytes]]] = {
    "one hash too many": lambda proof, at: [*proof, bytes(32)],
    "one hash too many in front": lambda proof, at: [bytes(32), *proof],
    "last hash cut off": lambda proof, at: proof[:-1],
    "first hash cut off": lambda proof, at: proof[1:],
    "no hashes": lambda proof, at: [],
    "a bit flipped": lambda proof, at: [
        flipped(step, at) if n == at % len(proof) else step for n, step in enumerate(proof)
    ],
    "a hash of 31 bytes": lambda proof, at: [proof[0][:31], *proof[1:]],
    "an empty hash": lambda proof, at: [b"", *proof[1:]],
    "a hash of 33 bytes": lambda proof, at: [proof[0] + b"\0", *proof[1:]],
    "two hashes glued together": lambda proof, at: [b"".join(proof[:2]), *proof[2:]] if len(proof) > 1 else [],
    "the order reversed": lambda proof, at: proof[::-1] if proof[::-1] != proof else [],
}


@pytest.mark.parametrize("wound", _MUTATIONS)
@settings(deadline=None, max_examples=15)
@given(st.data(), st.integers(2, 100), st.integers(0, 4000))
def test_inclusion_is_refused_with(wound: str, data: st.DataObject, size: int, at: int) -> None:
    index = data.draw(st.integers(0, size - 1))
    proof = _MUTATIONS[wound](inclusion_proof(index, size, Memory(size)), at)

    with pytest.raises(ProofInvalid):
        check_inclusion(index, size, leaves(size)[index], proof, root(size))


@pytest.mark.parametrize("wound", _MUTATIONS)
@settings(deadline=None, max_examples=15)
@given(st.data(), st.integers(2, 100), st.integers(0, 4000))
def test_consistency_is_refused_with(wound: str, data: st.DataObject, size: int, at: int) -> None:
    old = data.draw(st.integers(1, size - 1))
    proof = _MUTATIONS[wound](consistency_proof(old, size, Memory(size)), at)

    with pytest.raises(ProofInvalid):
        check_consistency(old, size, root(old), root(size), proof)


@settings(deadline=None)
@given(st.data(), st.integers(2, 100), st.integers(0, 255))
def test_an_entry_elsewhere_another_entry_or_another_root_is_refused(data: st.DataObject, size: int, bit: int) -> None:
    index = data.draw(st.integers(0, size - 1))
    elsewhere = data.draw(st.integers(0, size - 1).filter(lambda other: other != index))
    proof, leaf = inclusion_proof(index, size, Memory(size)), leaves(size)[index]

    for claim in (
        (elsewhere, size, leaf, proof, root(size)),
        (index, size, leaves(size)[elsewhere], proof, root(size)),
        (index, size, flipped(leaf, bit), proof, root(size)),
        (index, size, leaf, proof, flipped(root(size), bit)),
    ):
        with pytest.raises(ProofInvalid):
            check_inclusion(*claim)


@settings(deadline=None)
@given(st.data(), st.integers(2, 100), st.integers(0, 255))
def test_another_old_or_new_root_is_refused(data: st.DataObject, size: int, bit: int) -> None:
    old = data.draw(st.integers(1, size - 1))
    proof = consistency_proof(old, size, Memory(size))

    for old_root, new_root in ((flipped(root(old), bit), root(size)), (root(old), flipped(root(size), bit))):
        with pytest.raises(ProofInvalid):
            check_consistency(old, size, old_root, new_root, proof)


_NOT_INCLUDED: dict[str, tuple[Any, ...]] = {
    "in an empty tree": (0, 0, leaves(1)[0], [], EMPTY_ROOT),
    "an empty leaf in an empty tree": (0, 0, b"", [], b""),
    "an empty leaf under an empty root": (0, 1, b"", [], b""),
    "behind the end": (5, 5, leaves(5)[4], [], root(5)),
    "before the begin": (-1, 5, leaves(5)[4], [], root(5)),
    "a root of 31 bytes": (0, 1, leaves(1)[0], [], leaves(1)[0][:31]),
    "a tree larger than can be": (0, 2**63, leaves(1)[0], [bytes(32)] * 63, root(1)),
    "a node taken for a leaf": (0, 2, node_hash(*leaves(2)), [], root(2)),
    "a negative size": (0, -1, leaves(1)[0], [], root(1)),
}


@pytest.mark.parametrize("wound", _NOT_INCLUDED)
def test_nothing_is_included(wound: str) -> None:
    with pytest.raises(ProofInvalid):
        check_inclusion(*_NOT_INCLUDED[wound])


_NOT_CONSISTENT: dict[str, tuple[Any, ...]] = {
    "rolled back": (5, 4, root(5), root(4), []),
    "forked at the same size": (5, 5, root(5), flipped(root(5), 0), []),
    "forked at the same size with a proof": (5, 5, root(5), root(5), [bytes(32)]),
    "from an empty tree with a root of something": (0, 5, root(1), root(5), []),
    "from an empty tree with a proof": (0, 5, EMPTY_ROOT, root(5), [root(5)]),
    "between two empty trees with another root": (0, 0, root(1), root(1), []),
    "roots of no bytes": (0, 0, b"", b"", []),
    "a negative size": (-1, 5, EMPTY_ROOT, root(5), []),
    "a new tree larger than can be": (4, 2**63, root(4), root(5), []),
}


@pytest.mark.parametrize("wound", _NOT_CONSISTENT)
def test_no_consistency(wound: str) -> None:
    with pytest.raises(ProofInvalid):
        check_consistency(*_NOT_CONSISTENT[wound])


def test_from_nothing_everything_is_consistent() -> None:
    check_consistency(0, 0, EMPTY_ROOT, EMPTY_ROOT, [])
    check_consistency(0, 5, EMPTY_ROOT, root(5), consistency_proof(0, 5, Memory(5)))
    check_consistency(5, 5, root(5), root(5), consistency_proof(5, 5, Memory(5)))


def test_proofs_that_cannot_be_made_are_refused() -> None:
    for ask in (
        lambda: inclusion_proof(5, 5, Memory(5)),
        lambda: inclusion_proof(-1, 5, Memory(5)),
        lambda: consistency_proof(6, 5, Memory(5)),
        lambda: consistency_proof(-1, 5, Memory(5)),
    ):
        with pytest.raises(ProofInvalid):
            ask()


@pytest.mark.parametrize(
    ("size", "nodes"), [(1, []), (0, [bytes(32)]), (3, [bytes(32)]), (1, [bytes(31)]), (1, [b""]), (-1, [bytes(32)])]
)
def test_a_compact_range_that_does_not_fit_its_size_is_refused(size: int, nodes: list[bytes]) -> None:
    with pytest.raises(ProofInvalid):
        CompactRange(size, nodes)


def test_a_leaf_that_is_no_hash_is_refused_and_changes_nothing() -> None:
    tree = CompactRange()
    tree.extend(leaves(5))

    with pytest.raises(ProofInvalid):
        tree.extend([bytes(32), b"entry instead of hash"])
    assert (5, root(5)) == (tree.size, tree.root())


class _Listed:
    def __init__(self, hashes: list[bytes]) -> None:
        self._hashes = hashes

    def hash(self, level: int, index: int) -> bytes:
        return _by_definition(self._hashes[index << level : index + 1 << level])


def _by_definition(hashes: list[bytes]) -> bytes:
    """RFC 6962 §2.1, word for word."""
    if len(hashes) < 2:
        return hashes[0] if hashes else EMPTY_ROOT
    split = 1
    while split * 2 < len(hashes):
        split *= 2
    return node_hash(_by_definition(hashes[:split]), _by_definition(hashes[split:]))
