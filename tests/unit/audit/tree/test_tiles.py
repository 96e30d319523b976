"""Tiles: their names, their growth at the edges, and the proofs read from them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.errors import ProofInvalid
from audit.tree.merkle import check_consistency, check_inclusion, consistency_proof, inclusion_proof
from audit.tree.tiles import TileHashes, bundle, entries_of, entries_path, grow, tile_path
from tests.unit.audit.tree.kit import Files, Memory, leaves, published, root

EDGES = [1, 255, 256, 257, 511, 512, 65_535, 65_536, 65_537]


@pytest.mark.parametrize(
    ("expected", "asked"),
    [
        ("tile/0/000", (0, 0)),
        ("tile/0/999", (0, 999)),
        ("tile/0/x001/000", (0, 1000)),
        ("tile/0/x001/x234/067", (0, 1234067)),
        ("tile/0/x001/x234/067.p/12", (0, 1234067, 12)),
        ("tile/63/000.p/255", (63, 0, 255)),
        ("tile/3/005", (3, 5, 256)),
    ],
)
def test_a_tile_is_called(expected: str, asked: tuple[int, ...]) -> None:
    assert expected == tile_path(*asked)


def test_the_bundle_of_a_tile_has_its_number() -> None:
    assert "tile/entries/x001/x234/067.p/12" == entries_path(1234067, 12)


@pytest.mark.parametrize("wrong", [(64, 0), (-1, 0), (0, -1), (0, 0, 0), (0, 0, 257), (0, 0, -1)])
def test_no_tile_is_called(wrong: tuple[int, ...]) -> None:
    with pytest.raises(ProofInvalid):
        tile_path(*wrong)


@pytest.mark.parametrize("size", EDGES)
def test_a_tree_has_exactly_the_tiles_of_its_size(size: int) -> None:
    expected = set()
    for level in range(4):
        full, part = divmod(size >> 8 * level, 256)
        expected |= {tile_path(level, index) for index in range(full)}
        expected |= {tile_path(level, full, part)} if part else set()

    assert expected == set(published(size))
    assert all(len(tile) == 32 * int(name.partition(".p/")[2] or 256) for name, tile in published(size).items())


@pytest.mark.parametrize("size", EDGES)
def test_proofs_from_tiles_lead_to_the_root(size: int) -> None:
    hashes = TileHashes(published(size).read, size)
    for index in {0, size // 2, size - 2, size - 1} & set(range(size)):
        check_inclusion(index, size, leaves(size)[index], inclusion_proof(index, size, hashes), root(size))
    for old in {0, 1, 255, 256, 257, size // 2, size - 1, size} & set(range(size + 1)):
        check_consistency(old, size, root(old), root(size), consistency_proof(old, size, hashes))


@settings(deadline=None, max_examples=30)
@given(st.lists(st.sampled_from([0, 1, 2, 3, 254, 255, 256, 257, 300, 511, 512, 513]), max_size=7))
def test_a_tree_that_grows_in_any_steps_has_the_tiles_of_one_that_grew_at_once(steps: list[int]) -> None:
    files, size = Files(), 0
    for step in steps:
        before = dict(files)
        files.grow(size, size + step)
        size += step
        assert before == {name: files[name] for name in before}, "a published tile changed"

    assert {name: files[name] for name in published(size)} == published(size)


def test_growth_across_two_levels_is_the_same_in_steps() -> None:
    files = Files().grow(0, 300).grow(300, 65_535).grow(65_535, 65_536).grow(65_536, 65_537)

    assert {name: files[name] for name in published(65_537)} == published(65_537)


@settings(deadline=None, max_examples=50)
@given(st.data(), st.integers(1, 1500))
def test_nodes_from_tiles_are_those_of_memory(data: st.DataObject, size: int) -> None:
    level = data.draw(st.integers(0, size.bit_length() - 1))
    index = data.draw(st.integers(0, (size >> level) - 1))

    assert Memory(size).hash(level, index) == TileHashes(published(1500).read, 1500).hash(level, index)


@pytest.mark.parametrize(("level", "index"), [(0, 700), (0, -1), (8, 2), (9, 1), (10, 0), (63, 0)])
def test_a_node_that_is_not_complete_yet_is_refused(level: int, index: int) -> None:
    with pytest.raises(ProofInvalid):
        TileHashes(published(700).read, 700).hash(level, index)


def test_a_partial_tile_that_is_gone_is_read_from_the_full_one() -> None:
    files = Files(published(300))
    del files["tile/0/001.p/44"]
    files["tile/0/001"] = published(512)["tile/0/001"]
    proof = inclusion_proof(299, 300, TileHashes(files.read, 300))

    check_inclusion(299, 300, leaves(300)[299], proof, root(300))


def test_a_tile_that_is_nowhere_is_said_to_be_missing() -> None:
    with pytest.raises(FileNotFoundError):
        TileHashes(Files().read, 300).hash(0, 299)


@pytest.mark.parametrize("damage", [b"", bytes(32), bytes(44 * 32 + 1), bytes(45 * 32), bytes(8192)])
def test_a_tile_of_the_wrong_length_is_refused(damage: bytes) -> None:
    files = Files(published(300))
    files["tile/0/001.p/44"] = damage

    with pytest.raises(ProofInvalid):
        TileHashes(files.read, 300).hash(0, 299)
    with pytest.raises(ProofInvalid):
        list(grow(300, leaves(301)[300:], files.read))


def test_a_leaf_that_is_no_hash_never_gets_into_a_tile() -> None:
    with pytest.raises(ProofInvalid):
        list(grow(0, [bytes(33), bytes(31)], Files().read))


def test_nothing_new_means_no_tiles() -> None:
    assert [] == list(grow(300, [], published(300).read))


@settings(deadline=None)
@given(st.lists(st.binary(max_size=40), min_size=1, max_size=256))
def test_entries_come_back_from_their_bundle(entries: list[bytes]) -> None:
    assert entries == entries_of(bundle(entries))


def test_the_largest_entry_fits_a_bundle() -> None:
    assert [b"x" * 65_535, b""] == entries_of(bundle([b"x" * 65_535, b""]))


@pytest.mark.parametrize("wrong", [[], [b""] * 257, [b"x" * 65_536]], ids=["none", "one too many", "one too long"])
def test_no_bundle_of(wrong: list[bytes]) -> None:
    with pytest.raises(ProofInvalid):
        bundle(wrong)


@pytest.mark.parametrize("wrong", [b"", b"\0", b"\0\3on", b"\0\3one\0", b"\0\0" * 257, b"\0\1x\xff\xff"])
def test_a_damaged_bundle_is_refused(wrong: bytes) -> None:
    with pytest.raises(ProofInvalid):
        entries_of(wrong)
