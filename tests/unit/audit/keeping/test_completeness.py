"""That a day held these entries and nothing else: proved for who had some and for who had none, refused for every lie."""

from __future__ import annotations

import hashlib
from base64 import b64decode
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import orjson
import pytest

from audit import FileKeyRing, Ledger, Store, Subject
from audit.errors import ProofInvalid
from audit.keeping import alias, erase_one, release, restrict
from audit.keeping.completeness import DayMap, DayProof, check_day, key_of, value_of
from audit.keeping.maps import DayEvidence, forget_maps, make_maps, prove_day
from audit.tree.merkle import EMPTY_ROOT
from tests.unit.audit.keeping.conftest import COURT, DPO, both
from tests.unit.audit.kit import SHARD, Clock

KEY = bytes(32)
DAY = date(2026, 11, 23)
A_DAY = 86_400_000_000
LATER = date(2027, 6, 1)
ME, OTHER, STRANGER = (Subject("nrn", number) for number in ("85610100147", "85610100246", "85610100345"))
PLACES = [("a", 1), ("a", 7), ("b", 2)]


def tag(number: int) -> bytes:
    return hashlib.sha256(bytes([number])).digest()[:16]


def day_map(count: int) -> DayMap:
    keys = [key_of(KEY, DAY, tag(number)) for number in range(count)]
    return DayMap((key, value_of(salt, PLACES)) for key, salt in keys)


# --- the map


@pytest.mark.parametrize("count", [1, 2, 3, 8, 33])
def test_every_key_of_a_map_is_proved_and_every_other_key_is_proved_absent(count: int) -> None:
    found = day_map(count)
    for number in range(count + 9):
        key, salt = key_of(KEY, DAY, tag(number))
        check_day(found.prove(key), found.root, count, key, salt, PLACES if number < count else [])


def test_a_day_without_entries_proves_everybody_absent() -> None:
    key, salt = key_of(KEY, DAY, tag(0))

    check_day(DayMap(()).prove(key), EMPTY_ROOT, 0, key, salt, [])
    with pytest.raises(ProofInvalid, match="empty tree"):
        check_day(DayProof(0, ()), bytes(32), 0, key, salt, [])


@pytest.mark.parametrize(
    "told",
    [[], [("a", 1), ("a", 7)], [*PLACES, ("b", 3)], [("a", 1), ("a", 7), ("c", 2)]],
    ids=["all_left_out", "one_left_out", "one_invented", "one_exchanged"],
)
def test_a_list_that_is_not_the_days_is_refused(told: list[tuple[str, int]]) -> None:
    found = day_map(5)
    key, salt = key_of(KEY, DAY, tag(3))
    with pytest.raises(ProofInvalid):
        check_day(found.prove(key), found.root, 5, key, salt, told)


def test_absence_is_not_proved_by_leaves_that_are_no_neighbours() -> None:
    found = day_map(5)
    hidden = found.records[2][0]
    before, after = found._leaf(1), found._leaf(3)
    for leaves in ((before, after), (before,), (after,), (), (before, before)):
        with pytest.raises(ProofInvalid):
            check_day(DayProof(5, leaves), found.root, 5, hidden, bytes(16), [])


def test_a_proof_of_another_map_or_with_a_bent_hash_is_refused() -> None:
    found = day_map(5)
    key, salt = key_of(KEY, DAY, tag(3))
    proof = found.prove(key)
    [leaf] = proof.leaves
    bent = replace(leaf, proof=(bytes(32), *leaf.proof[1:]))
    for wrong, root, size in (
        (proof, day_map(6).root, 5),
        (proof, found.root, 6),
        (DayProof(5, (bent,)), found.root, 5),
        (DayProof(5, (replace(leaf, key=leaf.key + b"x", value=leaf.value[1:]),)), found.root, 5),
    ):
        with pytest.raises(ProofInvalid):
            check_day(wrong, root, size, key, salt, PLACES)


def test_one_person_has_other_keys_on_other_days() -> None:
    keys = {key_of(KEY, date(2026, 11, day), tag(0))[0] for day in range(1, 31)}

    assert 30 == len(keys)


# --- the nightly chore, over both engines


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "maps"


@pytest.fixture
def night(store: Store, keyring: FileKeyRing, ledger: Ledger, folder: Path, clock: Clock) -> Callable[[], int]:
    """A day goes by and the map is made; returns how many `index` entries were written."""

    def pass_() -> int:
        clock.now += A_DAY
        return len(make_maps(store, keyring, ledger, folder))

    return pass_


def checked(store: Store, evidence: DayEvidence) -> list[int]:
    """What the evidence proves against the ledger's own entry: the indices of that day."""
    [stored] = store.read(evidence.shard, evidence.index, evidence.index + 1)
    entry = orjson.loads(stored.body)
    assert ("index", evidence.day.isoformat()) == (entry["type"], entry["day"])
    check_day(evidence.proof, b64decode(entry["root"]), entry["size"], evidence.key, evidence.salt, evidence.places)
    return [index for _, index in evidence.places]


@both
def test_a_citizen_is_proved_what_a_day_held_and_another_that_it_held_nothing(
    store: Store, keyring: FileKeyRing, folder: Path, exchange: Callable[..., list[int]], night: Callable[[], int]
) -> None:
    mine = exchange(subjects=[ME])
    exchange(subjects=[OTHER])
    assert 1 == night()

    assert [mine] == [checked(store, one) for one in prove_day(store, keyring, folder, ME, DAY)]
    assert [[]] == [checked(store, one) for one in prove_day(store, keyring, folder, STRANGER, DAY)]


def test_each_day_is_made_once_and_a_hub_that_stood_still_catches_up(
    store: Store,
    keyring: FileKeyRing,
    folder: Path,
    exchange: Callable[..., list[int]],
    night: Callable[[], int],
    clock: Clock,
) -> None:
    exchange(subjects=[ME])
    assert (1, 1) == (night(), night())
    clock.now += 2 * A_DAY
    assert 3 == night()
    clock.now -= A_DAY
    assert 0 == night()

    assert [[]] == [checked(store, one) for one in prove_day(store, keyring, folder, ME, date(2026, 11, 25))]


def test_a_ledger_that_never_recorded_anything_has_no_maps(store: Store, night: Callable[[], int]) -> None:
    assert (0, 0) == (night(), store.size(SHARD))


def test_a_day_that_is_not_over_has_no_map(
    store: Store, keyring: FileKeyRing, folder: Path, exchange: Callable[..., list[int]], night: Callable[[], int]
) -> None:
    exchange(subjects=[ME])
    night()
    exchange(subjects=[ME])

    assert [] == prove_day(store, keyring, folder, ME, date(2026, 11, 24))


def test_a_replaced_number_is_proved_under_both_its_tags(
    store: Store,
    keyring: FileKeyRing,
    folder: Path,
    ledger: Ledger,
    exchange: Callable[..., list[int]],
    night: Callable[[], int],
) -> None:
    old, new = exchange(subjects=[ME]), exchange(subjects=[OTHER])
    alias(store, keyring, ledger, ME, OTHER)
    night()
    proved = [checked(store, one) for one in prove_day(store, keyring, folder, OTHER, DAY)]

    assert sorted([[*old, 4], [*new, 4]]) == sorted(proved)


def test_what_was_restricted_before_the_night_does_not_exist_and_once_released_is_told_beside_the_proof(
    store: Store,
    keyring: FileKeyRing,
    folder: Path,
    ledger: Ledger,
    exchange: Callable[..., list[int]],
    night: Callable[[], int],
    clock: Clock,
) -> None:
    hidden, open_ = exchange(subjects=[STRANGER]), exchange(subjects=[ME])
    restrict(store, ledger, SHARD, hidden, DPO, review=LATER)
    night()
    assert [[]] == [checked(store, one) for one in prove_day(store, keyring, folder, STRANGER, DAY)]
    clock.now += 1
    release(store, ledger, SHARD, hidden, DPO)

    assert [[]] == [checked(store, one) for one in prove_day(store, keyring, folder, STRANGER, DAY)]
    assert [open_] == [checked(store, one) for one in prove_day(store, keyring, folder, ME, DAY)]


@both
def test_a_restriction_or_erasure_after_the_night_leaves_others_their_proof(
    store: Store,
    keyring: FileKeyRing,
    folder: Path,
    ledger: Ledger,
    exchange: Callable[..., list[int]],
    night: Callable[[], int],
    clock: Clock,
) -> None:
    gone, hidden, mine = exchange(subjects=[STRANGER]), exchange(subjects=[OTHER]), exchange(subjects=[ME])
    night()
    clock.now += 1
    erase_one(store, ledger, SHARD, gone, COURT)
    restrict(store, ledger, SHARD, hidden, DPO, review=LATER)

    assert [] == prove_day(store, keyring, folder, OTHER, DAY)
    [one] = prove_day(store, keyring, folder, STRANGER, DAY)
    assert (gone, gone) == (checked(store, one), [index for (_, index), _ in one.erased])
    assert [mine] == [checked(store, one) for one in prove_day(store, keyring, folder, ME, DAY)]
    clock.now += 1
    release(store, ledger, SHARD, hidden, DPO)
    assert [hidden] == [checked(store, one) for one in prove_day(store, keyring, folder, OTHER, DAY)]


def test_a_map_that_was_changed_on_disk_proves_nothing(
    store: Store, keyring: FileKeyRing, folder: Path, exchange: Callable[..., list[int]], night: Callable[[], int]
) -> None:
    exchange(subjects=[ME])
    night()
    path = folder / "2026-11-23.map"
    path.write_bytes(path.read_bytes()[:-1] + b"x")

    assert [] == prove_day(store, keyring, folder, ME, DAY)


def test_a_map_goes_with_the_last_class_of_its_month(
    store: Store, folder: Path, exchange: Callable[..., list[int]], night: Callable[[], int]
) -> None:
    exchange(subjects=[ME])
    night()
    assert 0 == forget_maps(store, folder)
    for retention, month in store.kept():
        store.drop_month(retention, month)

    assert (1, []) == (forget_maps(store, folder), list(folder.iterdir()))


def test_neither_map_nor_entry_holds_a_number_or_a_tag(
    store: Store, folder: Path, exchange: Callable[..., list[int]], night: Callable[[], int]
) -> None:
    [first, _] = exchange(subjects=[ME])
    night()
    [stored] = store.rare(["index"], 0, 2**52)
    [part] = store.sealed(SHARD, first)
    said = stored.body + (folder / "2026-11-23.map").read_bytes()

    assert part.tag is not None
    assert not any(secret in said for secret in (ME.id.encode(), part.tag, part.tag.hex().encode()))
