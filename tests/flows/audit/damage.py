"""Eleven ways to damage a ledger, each in several variants, as a database or hub administrator would do it.

Each takes a world and a source of chance, does its damage behind the hub's back, and returns the set of names that a
verification must give: no more and no fewer.
"""

from __future__ import annotations

import random
import shutil
import sqlite3
from collections.abc import Callable
from typing import Any

import orjson
import psycopg

from audit import Draft
from audit.canonical import canonical, leaf_hash
from audit.log.state import SignedState
from audit.seal import month_of
from audit.tree.checkpoint import Checkpoint
from audit.tree.merkle import root_of
from audit.tree.note import sign_note, split_note
from audit.tree.tiles import WIDTH, grow, tile_path
from tests.unit.audit.verify.worlds import SECOND, World

Wound = Callable[[World, random.Random], set[str]]
DAY = 86_400 * SECOND


class Admin:
    """Hands in the database, past every rule of the hub."""

    def __init__(self, world: World, shard: str = "") -> None:
        self.world, self.shard = world, shard or world.shards[0]
        self.sqlite = world.url.startswith("sqlite")
        self.number = self.rows("SELECT no FROM shard WHERE name = ?", self.shard)[0][0]

    def rows(self, query: str, *values: Any) -> list[Any]:
        if self.sqlite:
            with sqlite3.connect(self.world.url.removeprefix("sqlite:///")) as connection:
                found = connection.execute(query, values).fetchall()
            connection.close()
            return found
        with psycopg.connect(self.world.url, autocommit=True) as connection:
            cursor = connection.execute(query.replace("?", "%s"), values)
            return cursor.fetchall() if cursor.description else []

    def do(self, query: str, *values: Any) -> None:
        self.rows(query, *values)

    def size(self) -> int:
        return self.rows("SELECT count(*) FROM entry WHERE shard = ?", self.number)[0][0]

    def body(self, index: int) -> bytes:
        return bytes(self.rows("SELECT body FROM entry WHERE shard = ? AND idx = ?", self.number, index)[0][0])

    def entry(self, index: int) -> dict[str, Any]:
        return orjson.loads(self.body(index))

    def put(self, index: int, body: bytes, *, leaf: bytes | None = None) -> None:
        """Another entry in this place, its hash and columns made to fit."""
        entry = orjson.loads(body)
        self.do(
            "UPDATE entry SET body = ?, lh = ?, ts = ?, kind = ?, ref = ? WHERE shard = ? AND idx = ?",
            body, leaf or leaf_hash(body), entry["ts"], entry["type"], entry.get("intent_ref"), self.number, index,
        )  # fmt: skip

    def move(self, start: int, by: int) -> None:
        """Renumber what stands from `start` on."""
        for table in ("entry", "side", "dek"):
            where = "WHERE shard = ? AND idx >= ?"
            self.do(f"UPDATE {table} SET idx = -(idx + ?) - 1 {where}", by, self.number, start)
            self.do(f"UPDATE {table} SET idx = -(idx + 1) WHERE shard = ? AND idx < 0", self.number)

    def drop(self, index: int) -> None:
        for table in ("entry", "side", "dek"):
            self.do(f"DELETE FROM {table} WHERE shard = ? AND idx = ?", self.number, index)

    def leaves(self) -> list[bytes]:
        return [
            leaf_hash(bytes(row[0]))
            for row in self.rows("SELECT body FROM entry WHERE shard = ? ORDER BY idx", self.number)
        ]

    def signed(self) -> int:
        return Checkpoint.parse(split_note(self.world.publication.read(f"{self.shard}/checkpoint"))[0]).size

    def rewrite_tiles(self) -> None:
        """Tiles made anew from the entries as they are now."""
        size = self.signed()
        shutil.rmtree(self.world.publication.folder / self.shard / "tile")
        tiles: dict[str, bytes] = {}
        for path, tile in grow(0, self.leaves()[:size], tiles.__getitem__):
            tiles[path] = tile
            self.world.publication.write(f"{self.shard}/{path}", tile)

    def sign(self, leaves: list[bytes]) -> None:
        """A checkpoint over other entries, with the hub's own key."""
        text = Checkpoint(self.shard, len(leaves), root_of(leaves)).text()
        self.world.publication.write(f"{self.shard}/checkpoint", sign_note(text, self.world.signers.signer(self.shard)))


def somewhere(admin: Admin, chance: random.Random, *, room: int = 0) -> int:
    """A place among the entries that were signed for, neither the first nor the last."""
    return chance.randrange(1, admin.signed() - 1 - room)


def flip(data: bytes, chance: random.Random, start: int = 0) -> bytes:
    at = chance.randrange(start, len(data))
    return data[:at] + bytes([data[at] ^ 1 << chance.randrange(8)]) + data[at + 1 :]


# --- 1 a byte flipped, wherever bytes are kept


def flip_in_body(world: World, chance: random.Random) -> set[str]:
    admin = Admin(world)
    index = somewhere(admin, chance)
    admin.do(
        "UPDATE entry SET body = ? WHERE shard = ? AND idx = ?", flip(admin.body(index), chance), admin.number, index
    )
    return {"ENTRY_ALTERED"}


def flip_in_tile(world: World, chance: random.Random) -> set[str]:
    admin = Admin(world)
    size = admin.signed()
    number = chance.randrange(-(-size // WIDTH))
    path = f"{admin.shard}/{tile_path(0, number, min(WIDTH, size - number * WIDTH))}"
    world.publication.write(path, flip(world.publication.read(path), chance))
    return {"TILE_ALTERED"}


def flip_in_checkpoint(world: World, chance: random.Random) -> set[str]:
    path = f"{world.shards[0]}/checkpoint"
    note = world.publication.read(path)
    at = chance.randrange(note.index(b"\n") + 1, note.index(b"\n\n"))
    other = b"1" if note[at : at + 1] != b"1" else b"2"
    world.publication.write(path, note[:at] + other + note[at + 1 :])
    return {"CHECKPOINT_INVALID"}


def flip_in_sealed_value(world: World, chance: random.Random) -> set[str]:
    admin = Admin(world)
    index = somewhere(admin, chance)
    [(sealed,)] = admin.rows(
        "SELECT ct_subject FROM side WHERE shard = ? AND idx = ? AND part = 0", admin.number, index
    )
    admin.do(
        "UPDATE side SET ct_subject = ? WHERE shard = ? AND idx = ? AND part = 0",
        flip(bytes(sealed), chance),
        admin.number,
        index,
    )
    return {"VALUE_ALTERED"}


# --- 2 an entry edited, its hash recomputed


def _edited(admin: Admin, index: int) -> bytes:
    return canonical({**admin.entry(index), "consumer": {"app": "other", "org": "0308357159"}})


def edit(world: World, chance: random.Random) -> set[str]:
    admin = Admin(world)
    index = somewhere(admin, chance)
    admin.put(index, _edited(admin, index))
    return {"ENTRY_ALTERED"}


def edit_and_columns(world: World, chance: random.Random) -> set[str]:
    admin = Admin(world)
    index = somewhere(admin, chance)
    admin.put(index, _edited(admin, index))
    admin.do("UPDATE side SET org = ? WHERE shard = ? AND idx = ?", "0308357159", admin.number, index)
    return {"ENTRY_ALTERED"}


def edit_and_tiles(world: World, chance: random.Random) -> set[str]:
    admin = Admin(world)
    index = somewhere(admin, chance)
    admin.put(index, _edited(admin, index))
    admin.rewrite_tiles()
    return {"ENTRY_ALTERED"}


# --- 3 an entry dropped


def drop(world: World, chance: random.Random) -> set[str]:
    admin = Admin(world)
    admin.drop(somewhere(admin, chance))
    return {"ENTRY_MISSING"}


def drop_and_close_the_gap(world: World, chance: random.Random) -> set[str]:
    admin = Admin(world)
    index = somewhere(admin, chance)
    admin.drop(index)
    admin.move(index, -1)
    return {"ENTRY_MISSING"}


# --- 4 two entries swapped


def swap(world: World, chance: random.Random) -> set[str]:
    admin = Admin(world)
    one, other = sorted(chance.sample(range(admin.signed()), 2))
    bodies = admin.body(one), admin.body(other)
    admin.put(one, bodies[1])
    admin.put(other, bodies[0])
    return {"ENTRY_SWAPPED"}


def swap_neighbours(world: World, chance: random.Random) -> set[str]:
    admin = Admin(world)
    one = somewhere(admin, chance)
    bodies = admin.body(one), admin.body(one + 1)
    admin.put(one, bodies[1])
    admin.put(one + 1, bodies[0])
    return {"ENTRY_SWAPPED"}


# --- 5 back-dated


def backdate(world: World, chance: random.Random) -> set[str]:
    admin = Admin(world)
    index = somewhere(admin, chance)
    entry = admin.entry(index)
    admin.put(index, canonical({**entry, "ts": entry["ts"] - chance.randrange(1, 40) * DAY}))
    return {"BACKDATED"}


def backdate_column(world: World, chance: random.Random) -> set[str]:
    admin = Admin(world)
    index = somewhere(admin, chance)
    ts = admin.entry(index)["ts"] - chance.randrange(1, 1000) * SECOND
    admin.do("UPDATE entry SET ts = ? WHERE shard = ? AND idx = ?", ts, admin.number, index)
    return {"BACKDATED"}


def backdate_when_written(world: World, chance: random.Random) -> set[str]:
    now = world.now
    world.now -= chance.randrange(1, 20) * DAY
    world.exchanges(1)
    world.now = now + SECOND
    world.exchanges(1)
    world.publish()
    return {"BACKDATED"}


# --- 6 inserted


def insert(world: World, chance: random.Random) -> set[str]:
    admin = Admin(world)
    index = somewhere(admin, chance)
    body = canonical({**admin.entry(index), "type": "denied", "trace_id": f"{chance.getrandbits(128) | 1:032x}"})
    entry = orjson.loads(body)
    admin.move(index, 1)
    admin.do(
        "INSERT INTO entry (shard, idx, ts, kind, ref, lh, body) VALUES (?, ?, ?, ?, ?, ?, ?)",
        admin.number, index, entry["ts"], "denied", entry.get("intent_ref"), leaf_hash(body), body,
    )  # fmt: skip
    return {"ENTRY_INSERTED"}


# --- 7 the tail cut


def cut(world: World, chance: random.Random) -> set[str]:
    admin = Admin(world)
    for index in range(admin.signed() - chance.randrange(1, min(20, admin.signed() - 1)), admin.size()):
        admin.drop(index)
    return {"TAIL_CUT"}


def cut_and_restore_what_was_published(world: World, chance: random.Random) -> set[str]:
    """A backup of database and publication put back; only the memory of what was signed, and the anchor, know more."""
    admin = Admin(world)
    before = world.folder / "before"
    shutil.copytree(world.publication.folder / admin.shard, before)
    kept = admin.size()
    world.exchanges(chance.randrange(1, 10))
    world.publish()
    for index in range(kept, admin.size()):
        admin.drop(index)
    shutil.rmtree(world.publication.folder / admin.shard)
    shutil.copytree(before, world.publication.folder / admin.shard)
    return {"TAIL_CUT", "CHECKPOINT_ROLLED_BACK"}


# --- 8 an old checkpoint put back


def put_back_checkpoint(world: World, chance: random.Random) -> set[str]:
    path = f"{world.shards[0]}/checkpoint"
    old = world.publication.read(path)
    world.exchanges(chance.randrange(1, 300))
    world.publish()
    world.publication.write(path, old)
    return {"CHECKPOINT_ROLLED_BACK"}


def put_back_checkpoint_and_memory(world: World, chance: random.Random) -> set[str]:
    old = shutil.copytree(world.folder / "signed", world.folder / "signed-before")
    expected = put_back_checkpoint(world, chance)
    for path in old.glob("*hub-1*"):
        shutil.copy(path, world.folder / "signed" / path.name)
    return expected


# --- 9 forked: another history under the hub's own key


def fork_the_checkpoint(world: World, chance: random.Random) -> set[str]:
    admin = Admin(world)
    leaves = admin.leaves()[: admin.signed()]
    leaves[chance.randrange(len(leaves))] = bytes(32)
    admin.sign(leaves)
    return {"FORKED"}


def fork_the_history(world: World, chance: random.Random) -> set[str]:
    """Entries, tiles, checkpoint and memory all say the same new story; only the anchor remembers the old one."""
    admin = Admin(world)
    index = somewhere(admin, chance)
    admin.put(index, _edited(admin, index))
    admin.do("UPDATE side SET org = ? WHERE shard = ? AND idx = ?", "0308357159", admin.number, index)
    admin.rewrite_tiles()
    leaves = admin.leaves()[: admin.signed()]
    admin.sign(leaves)
    for path in (world.folder / "signed").glob("*hub-1*"):
        path.unlink()
    SignedState(world.folder / "signed").advance(Checkpoint(admin.shard, len(leaves), root_of(leaves)))
    return {"FORKED", "VALUE_ALTERED"}  # what is sealed is bound to the leaf: it opens for the old entry only


# --- 10 an erasure forged


def _forget(admin: Admin, index: int) -> None:
    for table in ("side", "dek"):
        admin.do(f"DELETE FROM {table} WHERE shard = ? AND idx = ?", admin.number, index)


def _erasure(world: World, **clear: Any) -> Draft:
    trace = f"{world.random.getrandbits(128) | 1:032x}"
    return Draft(type="erasure", trace_id=trace, span_id="1" * 16, name="keeping.erasure", retention="Y30", clear=clear)


def forge_an_order(world: World, chance: random.Random) -> set[str]:
    """An erasure entry that went through the hub, but commits to no order of anybody."""
    admin = Admin(world)
    index = somewhere(admin, chance)
    world.write([_erasure(world, shard=admin.shard, index=index, legal_basis="GDPR art. 17")])
    _forget(admin, index)
    world.publish()
    return {"ERASURE_FORGED"}


def forge_a_month(world: World, chance: random.Random) -> set[str]:
    """A month of a class is said to be over, years too early."""
    admin = Admin(world)
    month, count = month_of(admin.entry(0)["ts"]), 0
    for index in range(admin.size()):
        entry = admin.entry(index)
        if entry["ret"] == "Y10" and month_of(entry["ts"]) == month:
            _forget(admin, index)
            count += 1
    world.write([_erasure(world, **{"class": "Y10", "month": month, "count": count, "legal_basis": "x"})])
    world.publish()
    return {"ERASURE_FORGED"}


def forge_beside_the_tree(world: World, chance: random.Random) -> set[str]:
    """An erasure entry written into the database alone, which no checkpoint covers, and nothing is published since."""
    admin = Admin(world)
    index = somewhere(admin, chance)
    world.write([_erasure(world, shard=admin.shard, index=index, legal_basis="GDPR art. 17")])
    _forget(admin, index)
    world.now += 3600 * SECOND
    return {"ERASURE_FORGED", "CHECKPOINT_STALE"}


def bend_an_erasure(world: World, chance: random.Random) -> set[str]:
    """A true erasure is edited to name another entry as well hidden."""
    admin = Admin(world)
    one, other = sorted(chance.sample(range(1, admin.signed() - 1), 2))
    world.erase([one])
    world.publish()
    index = admin.size() - 1
    admin.put(index, canonical({**admin.entry(index), "index": other}))
    _forget(admin, other)
    return {"ERASURE_FORGED", "PAYLOAD_MISSING"}  # the entry that was truly erased is left without its reason


# --- 11 a payload gone


def lose_payload(world: World, chance: random.Random) -> set[str]:
    admin = Admin(world)
    _forget(admin, somewhere(admin, chance))
    return {"PAYLOAD_MISSING"}


def lose_key(world: World, chance: random.Random) -> set[str]:
    admin = Admin(world)
    admin.do("DELETE FROM dek WHERE shard = ? AND idx = ?", admin.number, somewhere(admin, chance))
    return {"PAYLOAD_MISSING"}


WOUNDS: dict[str, list[Wound]] = {
    "byte_flipped": [flip_in_body, flip_in_tile, flip_in_checkpoint, flip_in_sealed_value],
    "entry_edited": [edit, edit_and_columns, edit_and_tiles],
    "entry_dropped": [drop, drop_and_close_the_gap],
    "entries_swapped": [swap, swap_neighbours],
    "entry_backdated": [backdate, backdate_column, backdate_when_written],
    "entry_inserted": [insert],
    "tail_cut": [cut, cut_and_restore_what_was_published],
    "old_checkpoint_put_back": [put_back_checkpoint, put_back_checkpoint_and_memory],
    "forked": [fork_the_checkpoint, fork_the_history],
    "erasure_forged": [forge_an_order, forge_a_month, forge_beside_the_tree, bend_an_erasure],
    "payload_missing": [lose_payload, lose_key],
}

__all__ = ["WOUNDS", "Admin"]
