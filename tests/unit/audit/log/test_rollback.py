"""Nothing is signed on a store that went back or changed: at a start, and while it runs (rule R8)."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from audit.canonical import leaf_hash
from audit.errors import LogAltered, RollbackRefused
from audit.log import shard
from audit.log.gap import ask_witnesses, behind, resume
from audit.log.names import newest
from audit.log.shard import ShardLog
from audit.tree.checkpoint import Checkpoint
from audit.tree.merkle import check_inclusion
from audit.tree.note import open_note
from tests.unit.audit.kit import Clock
from tests.unit.audit.log.conftest import SECOND, House

Houses = Callable[..., House]


def signed(houses: Houses, count: int) -> House:
    """A house whose ledger was published, and closed."""
    house = houses()
    house.write(count)
    house.publisher().step()
    house.close()
    return house


def copied(house: House, name: str) -> Path:
    """A backup of the database, as `sqlite3.Connection.backup` makes it."""
    target = house.folder.parent / name
    with sqlite3.connect(house.folder / "ledger.db") as live, sqlite3.connect(target) as copy:
        live.backup(copy)
    live.close()
    copy.close()
    return target


def restore(house: House, backup: Path) -> None:
    for file in house.folder.glob("ledger.db*"):
        if not file.name.endswith(".lock"):
            file.unlink()
    shutil.copy(backup, house.folder / "ledger.db")


def change(house: House, statement: str, *values: object) -> None:
    connection = sqlite3.connect(house.folder / "ledger.db")
    with connection:
        connection.execute(statement, values)
    connection.close()


def test_a_restored_backup_is_refused_at_the_start(houses: Houses):
    backup = copied(signed(houses, 5), "backup.db")
    restored = signed(houses, 4)
    restore(restored, backup)

    with pytest.raises(RollbackRefused, match="holds 5 entries, 9 were signed"):
        houses().publisher()


def test_a_restored_backup_that_grew_beyond_what_was_signed_is_refused_too(houses: Houses):
    """Its size alone would look well: other entries stand where signed ones stood."""
    backup = copied(signed(houses, 5), "backup.db")
    restored = signed(houses, 4)
    restore(restored, backup)
    again = houses()
    again.write(10)

    with pytest.raises(RollbackRefused, match="entry 5 is not the one"):
        again.publisher()


@pytest.mark.parametrize("index", [0, 255, 256, 511])
def test_an_old_entry_replaced_with_its_hash_is_noticed_where_its_tile_is_drawn(
    houses: Houses, monkeypatch: pytest.MonkeyPatch, index: int
):
    """Beyond the tail only some tiles are compared at a start; here there are so few that each is."""
    house = signed(houses, 800)
    monkeypatch.setattr(shard, "TAIL", 256)
    houses().publisher().step()  # an untouched one starts
    body = b'{"v":1,"type":"admin"}'
    change(house, "UPDATE entry SET body = ?, lh = ? WHERE idx = ?", body, leaf_hash(body), index)

    with pytest.raises(RollbackRefused, match=f"entry {index} is not the one"):
        houses().publisher()


def test_the_same_restore_is_noticed_when_the_tiles_are_gone_too(houses: Houses):
    backup = copied(signed(houses, 5), "backup.db")
    restored = signed(houses, 4)
    restore(restored, backup)
    shutil.rmtree(restored.folder / "log")
    again = houses()
    again.write(10)

    with pytest.raises(RollbackRefused, match="first 9 entries are not those"):
        again.publisher()


def test_a_restored_backup_is_noticed_when_only_the_publication_remembers(houses: Houses):
    backup = copied(signed(houses, 5), "backup.db")
    restored = signed(houses, 4)
    restore(restored, backup)
    shutil.rmtree(restored.folder / "signed")

    with pytest.raises(RollbackRefused, match="9 were signed"):
        houses().publisher()


def test_tiles_that_are_gone_are_made_again_from_the_store(houses: Houses):
    house = signed(houses, 300)
    checkpoint = house.publication.read(f"{house.origin}/checkpoint")
    shutil.rmtree(house.folder / "log")
    again = houses()
    again.publisher()

    assert checkpoint == again.log.checkpoint(again.origin)
    proof = again.log.proof(again.origin, 299)
    [stored] = again.store.read(again.origin, 299)
    check_inclusion(
        299, 300, stored.leaf, proof.hashes, Checkpoint.parse(checkpoint.decode().partition("\n\n")[0] + "\n").root
    )


@pytest.mark.parametrize("left", [None, b"", b"half a not"], ids=["gone", "empty", "torn"])
def test_a_process_that_died_before_publishing_publishes_the_same_note(houses: Houses, left: bytes | None):
    house = signed(houses, 3)
    checkpoint = house.publication.read(f"{house.origin}/checkpoint")
    (house.folder / "log" / house.origin / "checkpoint").unlink()
    if left is not None:
        house.publication.write(f"{house.origin}/checkpoint", left)

    houses().publisher()

    assert checkpoint == house.publication.read(f"{house.origin}/checkpoint")


def test_a_start_never_puts_an_older_checkpoint_in_place_of_a_newer(houses: Houses, clock: Clock):
    """Another process may sign while this one starts (and is refused a moment later)."""
    house = houses()
    publisher, ledger = house.publisher(), house.ledger()
    house.write(3, ledger)
    publisher.step()
    old = house.state.last(house.origin)
    house.write(3, ledger)
    clock.now += 11 * SECOND
    publisher.step()
    newer = house.log.checkpoint(house.origin)
    late = type("Late", (), {"last": lambda self, origin: old})()
    ShardLog(house.origin, house.store, house.publication, late, house.signers.signer(house.origin))

    assert newer == house.log.checkpoint(house.origin)


def test_a_restart_keeps_the_lines_of_witnesses(houses: Houses):
    house = signed(houses, 3)
    path = f"{house.names.anchor}/checkpoint"
    cosigned = house.publication.read(path) + "— w1 AAAAAAAA\n".encode()
    house.publication.write(path, cosigned)

    again = houses()
    again.publisher().open_anchor()

    assert cosigned == again.log.checkpoint(house.names.anchor)


def test_a_log_is_not_signed_with_another_key(houses: Houses):
    house = signed(houses, 3)
    shutil.rmtree(house.folder / "keys")

    with pytest.raises(RollbackRefused, match="key"):
        houses().publisher()


@pytest.mark.parametrize(
    "wound",
    [
        "UPDATE entry SET body = replace(CAST(body AS TEXT), 'person.get', 'person.got') WHERE idx = 301",
        "DELETE FROM entry WHERE idx = 301",
    ],
    ids=["entry_changed", "entry_dropped"],
)
def test_an_entry_changed_before_it_was_signed_is_never_signed(houses: Houses, clock: Clock, wound: str):
    house = houses()
    publisher, ledger = house.publisher(), house.ledger()
    house.write(300, ledger)
    publisher.step()
    before = house.log.checkpoint(house.origin)
    house.write(5, ledger)
    change(
        house,
        wound.replace(
            "replace(CAST(body AS TEXT), 'person.get', 'person.got')",
            "CAST(replace(CAST(body AS TEXT), 'person.get', 'person.got') AS BLOB)",
        ),
    )
    clock.now += 11 * SECOND
    publisher.step()

    [status] = publisher.status().shards
    assert ("LogAltered", True, True) == (status.failure, status.final, publisher.status().final)
    assert before == house.log.checkpoint(house.origin)


def test_entry_and_leaf_changed_together_between_tile_and_signature_are_never_signed(house: House):
    """The store agrees with itself; only the tile remembers what was there a second ago."""
    house.write(3)
    log = ShardLog(house.origin, house.store, house.publication, house.state, house.signers.signer(house.origin))
    log.integrate()
    change(house, "UPDATE entry SET (body, lh) = (SELECT body, lh FROM entry WHERE idx = 0) WHERE idx = 1")

    with pytest.raises(LogAltered):
        log.sign()
    assert None is house.state.last(house.origin)


@pytest.mark.parametrize("tile", ["tile/0/000", "tile/1/000.p/1"])
def test_a_flipped_bit_in_a_tile_is_never_signed(house: House, tile: str, monkeypatch: pytest.MonkeyPatch):
    house.write(300)
    log = ShardLog(house.origin, house.store, house.publication, house.state, house.signers.signer(house.origin))
    write = house.publication.write

    def flipping(path: str, data: bytes) -> None:
        write(path, bytes([data[0] ^ 1]) + data[1:] if path.endswith(tile) else data)

    monkeypatch.setattr(house.publication, "write", flipping)
    log.integrate()

    with pytest.raises(LogAltered):
        log.sign()
    assert None is house.state.last(house.origin)


# --- going on afterwards


def given_up(houses: Houses) -> tuple[House, list]:
    backup = copied(signed(houses, 5), "backup.db")
    restored = signed(houses, 4)
    restore(restored, backup)
    again = houses()
    origins = (again.origin, again.names.anchor)
    return again, behind(origins, again.store, again.publication, again.state, again.signers)


def test_a_restored_ledger_goes_on_in_new_logs_that_say_what_is_missing(houses: Houses):
    house, lost = given_up(houses)
    old = house.log.checkpoint(house.origin)

    shard, anchor = resume(
        lost, house.origin, house.store, house.keyring, house.signers, witnessed={"w1": 2}, clock=house.clock
    )

    assert [(house.origin, 9, 5), (house.names.anchor, 2, 1)] == [(one.origin, one.signed, one.stored) for one in lost]
    assert (f"{house.origin}-2", f"{house.names.anchor}-2") == (shard, anchor)
    known = {*house.store.shards(), *house.state.origins()}
    assert (shard, anchor) == (newest(house.origin, known), newest(house.names.anchor, known))
    [gap] = house.store.read(shard)
    assert "gap" == gap.kind
    assert b'"signed":9,"stored":5' in gap.body
    assert b'"witnesses":[{"name":"w1","size":2}]' in gap.body
    assert old == house.log.checkpoint(house.origin)


def test_the_new_logs_are_published_and_the_old_ones_are_left_alone(houses: Houses):
    house, lost = given_up(houses)
    shard, anchor = resume(
        lost, house.origin, house.store, house.keyring, house.signers, witnessed=None, clock=house.clock
    )
    house.close()
    again = houses()
    again.names = type("Renamed", (), {"anchor": anchor})()
    publisher = again.publisher(shards=(shard,))
    publisher.step()

    assert not publisher.status().failing
    checkpoint = Checkpoint.parse(open_note(again.log.checkpoint(shard), [again.verifier(shard)]).text)
    assert (shard, 1) == (checkpoint.origin, checkpoint.size)
    again.log.anchor_proof(again.log.checkpoint(shard))


def test_a_store_that_lost_nothing_needs_no_gap(houses: Houses):
    house = signed(houses, 5)
    again = houses()

    assert [] == behind((house.origin, house.names.anchor), again.store, again.publication, again.state, again.signers)


def test_a_witness_that_does_not_answer_stops_the_resumption():
    """It might be the one who knows that we had come further."""
    last = Checkpoint("x/anchor", 3, bytes(32))

    def gone(_: Checkpoint) -> int:
        raise OSError("no route")

    with pytest.raises(RollbackRefused, match="w2 could not be asked"):
        ask_witnesses(last, {"w1": lambda _: 3, "w2": gone})
    assert {"w1": 4} == ask_witnesses(last, {"w1": lambda _: 4})
