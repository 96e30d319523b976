"""Every second what grew becomes tiles, within ten a checkpoint; a store that fails is outlived, and said."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from audit.errors import StoreFailed
from audit.store import Stored
from audit.tree.checkpoint import Checkpoint
from audit.tree.note import open_note
from tests.unit.audit.kit import Clock
from tests.unit.audit.log.conftest import SECOND, House


def size(house: House, origin: str | None = None) -> int:
    origin = origin or house.origin
    return Checkpoint.parse(open_note(house.log.checkpoint(origin), [house.verifier(origin)]).text).size


class Failing:
    """A store that is down when told."""

    def __init__(self, store: Any) -> None:
        self._store, self.down, self.asked = store, False, 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def size(self, shard: str) -> int:
        self.asked += 1
        if self.down:
            raise StoreFailed("down")
        return int(self._store.size(shard))

    def read(self, *which: Any) -> Iterator[Stored]:
        if self.down:
            raise StoreFailed("down")
        return self._store.read(*which)  # type: ignore[no-any-return]


def test_growth_after_a_quiet_time_is_signed_at_the_next_turn(house: House, clock: Clock):
    publisher, ledger = house.publisher(), house.ledger()
    publisher.step()
    clock.now += 3600 * SECOND
    house.write(3, ledger)
    publisher.step()

    assert 3 == size(house)


def test_growth_is_signed_within_ten_seconds_and_no_oftener(house: House, clock: Clock):
    publisher, ledger, sizes = house.publisher(), house.ledger(), []
    for _ in range(25):  # one entry and one turn a second
        house.write(1, ledger)
        publisher.step()
        sizes.append(size(house))
        clock.now += SECOND

    assert [1] * 10 + [11] * 10 + [21] * 5 == sizes


def test_what_waits_is_told(house: House, clock: Clock):
    publisher, ledger = house.publisher(), house.ledger()
    house.write(1, ledger)
    publisher.step()
    house.write(2, ledger)
    clock.now += SECOND
    publisher.step()
    clock.now += 4 * SECOND

    [shard] = publisher.status().shards
    assert (3, 1, 4.0) == (shard.size, shard.signed, shard.waiting)
    assert 4.0 == publisher.status().waiting


def test_a_quiet_ledger_costs_the_store_no_question(house: House):
    ledger, store = house.ledger(), Failing(house.store)
    publisher = house.publisher(shards=(), store=store)
    publisher.publish(house.origin, stored=lambda: ledger.size)
    house.write(1, ledger)
    publisher.step()
    asked = store.asked
    for _ in range(5):
        publisher._shard(publisher._lines[house.origin], 0, False)

    assert asked == store.asked


def test_a_store_that_is_down_is_outlived_and_said(house: House, clock: Clock):
    store = Failing(house.store)
    publisher, ledger = house.publisher(store=store), house.ledger()
    house.write(2, ledger)
    store.down = True
    publisher.step()

    [shard] = publisher.status().shards
    assert ("StoreFailed", False) == (shard.failure, shard.final)
    assert publisher.status().failing
    assert 0 < publisher.status().failures

    store.down = False
    clock.now += 11 * SECOND
    publisher.step()

    assert 2 == size(house)
    assert not publisher.status().failing


def test_the_last_entries_are_signed_when_it_closes(house: House):
    publisher, ledger = house.publisher(), house.ledger()
    house.write(1, ledger)
    publisher.step()
    house.write(5, ledger)
    publisher.close()

    assert 6 == size(house)
    house.log.anchor_proof(house.log.checkpoint(house.origin))


def test_it_works_in_a_thread_of_its_own(house: House, clock: Clock):
    anchored = threading.Event()
    publisher, ledger = house.publisher(on_anchor=[lambda note: anchored.set()]), house.ledger()
    house.write(1, ledger)
    publisher.start()

    assert anchored.wait(10)
    assert publisher.status().alive
    publisher.close()
    assert not publisher.status().alive


def test_whoever_is_told_of_anchors_cannot_stop_the_log(house: House, clock: Clock):
    told: list[bytes] = []

    def ill(note: bytes) -> None:
        raise RuntimeError("a witness of paper")

    publisher, ledger = house.publisher(on_anchor=[ill, told.append]), house.ledger()
    house.write(1, ledger)
    publisher.step()

    assert [house.log.checkpoint(house.names.anchor)] == told
    assert 1 == publisher.status().failures
    assert not publisher.status().failing


def test_cosignatures_are_published_with_the_checkpoint_they_are_for_only(house: House, clock: Clock):
    publisher, ledger = house.publisher(), house.ledger()
    house.write(1, ledger)
    publisher.step()
    old = house.log.checkpoint(house.names.anchor)
    publisher.cosigned(old + "— w1 AAAAAAAA\n".encode())

    assert house.log.checkpoint(house.names.anchor).endswith("— w1 AAAAAAAA\n".encode())

    house.write(1, ledger)
    clock.now += 11 * SECOND
    publisher.step()
    publisher.cosigned(old + "— w1 AAAAAAAA\n".encode())

    assert "— w1 ".encode() not in house.log.checkpoint(house.names.anchor)


# --- the anchor


def test_one_process_at_a_time_writes_the_anchor(house: House, houses: Callable[..., House], clock: Clock):
    first, second = house.publisher(), houses()
    assert first.open_anchor()
    other = f"{house.origin.replace('hub-1', 'hub-2')}"
    beside = second.publisher(shards=(other,))

    assert not beside.open_anchor()
    assert None is beside.status().anchor

    second.write(2, second.ledger(other))
    beside.step()
    first.step()

    assert 2 == size(house, other)
    house.log.anchor_proof(house.log.checkpoint(other))  # signed there, anchored here


def test_the_next_process_takes_the_anchor_over(house: House, houses: Callable[..., House], clock: Clock):
    first = house.publisher()
    house.write(1)
    first.step()
    first.close()
    house.open.remove(first)
    again = houses()
    second = again.publisher()
    clock.now += 11 * SECOND
    again.write(1)
    second.step()

    assert 2 == size(again, again.names.anchor)


def test_a_checkpoint_is_anchored_once_also_after_a_restart(house: House, houses: Callable[..., House], clock: Clock):
    house.write(1)
    house.publisher().step()
    house.close()
    again = houses()
    publisher = again.publisher()
    for _ in range(3):
        clock.now += 11 * SECOND
        publisher.step()

    assert 1 == size(again, again.names.anchor)


def test_old_checkpoints_are_found_in_the_anchor(house: House, clock: Clock):
    publisher, ledger, notes = house.publisher(), house.ledger(), []
    for _ in range(3):
        house.write(1, ledger)
        clock.now += 11 * SECOND
        publisher.step()
        notes.append(house.log.checkpoint(house.origin))

    assert [0, 1, 2] == [house.log.anchor_proof(note).index for note in notes]


def test_partial_tiles_stay_until_their_tile_is_full_and_signed_for(house: House, clock: Clock):
    """C2SP tlog-tiles: whoever holds an older checkpoint may still ask for the tiles of its size."""
    publisher, ledger = house.publisher(), house.ledger()
    folder = house.folder / "log" / house.origin / "tile" / "0" / "000.p"
    for count in (10, 10, 200):
        house.write(count, ledger)
        clock.now += 11 * SECOND
        publisher.step()
    assert ["10", "20", "220"] == sorted(path.name for path in folder.iterdir())

    house.write(36, ledger)
    publisher.step()  # full, but the newest checkpoint still stands at 220
    assert folder.exists()
    clock.now += 11 * SECOND
    publisher.step()

    assert not folder.exists()
    assert 32 * 20 == len(house.publication.read(f"{house.origin}/tile/0/000.p/20"))


def test_a_full_tile_is_written_once(house: House, clock: Clock, monkeypatch: pytest.MonkeyPatch):
    written: list[str] = []
    write = house.publication.write
    monkeypatch.setattr(house.publication, "write", lambda path, data: written.append(path) or write(path, data))
    publisher, ledger = house.publisher(), house.ledger()
    for count in (100, 156, 100, 156, 1):
        house.write(count, ledger)
        clock.now += SECOND
        publisher.step()
    publisher.step(sign=True)

    tiles = [path for path in written if "/hub-1/" in path and "/tile/" in path]
    assert len(set(tiles)) == len(tiles)
    assert [f"{house.origin}/tile/0/000", f"{house.origin}/tile/0/001"] == [path for path in tiles if ".p/" not in path]
