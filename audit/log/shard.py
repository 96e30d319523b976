"""One log as it grows: entries of the store become tiles, tiles become a signed checkpoint.

Life of a checkpoint:
 1. the leaf hashes of new entries are read from the store and go into tiles. Full tiles are published at once, for ever; the
    partial ones at the right edge wait in memory, because only a checkpoint needs them;
 2. to sign, everything since the last checkpoint is read AGAIN from the store, and everything published is read back.
    Three roots must be one: over the entries as stored, over the leaf tiles as published, and over the upper tiles;
 3. it must be consistent with what was signed last;
 4. what is signed is remembered, on disk (state.py), and only then published.

One writer for each log: whoever holds the lease of the shard in the store.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256

from audit.canonical import leaf_hash
from audit.errors import CheckpointInvalid, LogAltered, NoteInvalid, ProofInvalid, RollbackRefused
from audit.log.publication import Publication
from audit.log.state import SignedState
from audit.store import Store
from audit.tree.checkpoint import Checkpoint
from audit.tree.merkle import CompactRange, check_consistency, consistency_proof
from audit.tree.note import NoteSigner, NoteVerifier, open_note, sign_note, split_note
from audit.tree.tiles import WIDTH, TileHashes, grow, read_tile

CHUNK = 65_536  # entries integrated at a time: bounds memory
TAIL = 65_536  # entries compared with the published tiles before anything is signed after a start


class ShardLog:
    """The publisher of one log. Used from one thread. Raises RollbackRefused when made on a store that went back."""

    def __init__(
        self, origin: str, store: Store, publication: Publication, state: SignedState, signer: NoteSigner
    ) -> None:
        self.origin = origin
        self.signer = signer
        self._store, self._publication, self._state = store, publication, state
        self._edge: dict[str, tuple[str, bytes]] = {}  # partial tiles not published yet: by tile, (path, hashes)
        self._written: dict[str, bytes] = {}  # full tiles published since the last checkpoint: path, SHA-256
        self._publish_key()
        self.signed = self._resume()
        self.size = self.signed.size  # entries integrated
        self._kept = CompactRange(self.size, _nodes(self.size, TileHashes(self._read, self.size)))
        self._republish()

    # --- 1: entries become tiles

    def integrate(self) -> int:
        """Bring what the store holds into tiles; return how many entries were new. Raises StoreFailed, LogAltered."""
        before, stop = self.size, self._store.size(self.origin)
        if stop < before:
            raise RollbackRefused(f"{self.origin}: the store holds {stop} entries, {before} were integrated")
        while self.size < stop:
            leaves = self._promised(self.size, min(stop, self.size + CHUNK))
            for path, tile in grow(self.size, leaves, self._read):
                base = path.partition(".p/")[0]
                if base == path:
                    self._publication.write(f"{self.origin}/{path}", tile)
                    self._written[path] = sha256(tile).digest()
                    self._edge.pop(base, None)
                else:
                    self._edge[base] = (path, tile)
            self.size += len(leaves)
        return stop - before

    # --- 2, 3, 4: tiles become a checkpoint

    def sign(self) -> bytes | None:
        """Sign for everything integrated and publish it; the note, or None when nothing grew since the last.

        Raises LogAltered when store, tiles and last checkpoint do not agree: then nothing was signed.
        """
        if self.size == self.signed.size:
            return None
        stored = CompactRange(self.signed.size, self._kept.nodes)
        stored.extend(self._leaves(self.signed.size, self.size))
        for path, tile in self._edge.values():
            self._publication.write(f"{self.origin}/{path}", tile)
        try:
            self._check_published(stored)
        except (ProofInvalid, FileNotFoundError) as error:
            raise LogAltered(f"{self.origin}: what was published is not what was stored ({error})") from error
        checkpoint = Checkpoint(self.origin, self.size, stored.root())
        self._state.advance(checkpoint)
        note = self._publish(checkpoint)
        self.signed, self._kept = checkpoint, stored
        self._forget_partials()
        return note

    def _check_published(self, stored: CompactRange) -> None:
        old, tiles = self.signed, TileHashes(self._published, self.size)
        for path, digest in self._written.items():
            if sha256(self._published(path)).digest() != digest:
                raise ProofInvalid(f"{path} changed after it was written")
        leaves = CompactRange(old.size, _nodes(old.size, tiles))
        leaves.extend(self._published_leaves(old.size, self.size))
        upper = CompactRange(self.size, _nodes(self.size, tiles))
        root = stored.root()
        if not root == leaves.root() == upper.root():
            raise ProofInvalid(f"{self.size} entries do not give one root")
        check_consistency(old.size, self.size, old.root, root, consistency_proof(old.size, self.size, tiles))

    def _publish(self, checkpoint: Checkpoint) -> bytes:
        note = sign_note(checkpoint.text(), self.signer)
        self._publication.write(f"{self.origin}/checkpoint", note)
        return note

    def _forget_partials(self) -> None:
        """Only now: until the new checkpoint stood there, readers needed the old partial tiles."""
        for path in self._written:
            self._publication.drop_partials(f"{self.origin}/{path}")
        self._written.clear()

    # --- after a start

    def _resume(self) -> Checkpoint:
        """What was signed last, after making sure that the store still holds it (rule R8)."""
        last = self._state.last(self.origin) or self._checkpoint_found()
        size = self._store.size(self.origin)
        if last is None:
            return Checkpoint(self.origin, 0, CompactRange().root())
        if size < last.size:
            raise RollbackRefused(f"{self.origin}: the store holds {size} entries, {last.size} were signed for")
        if not self._tiles_give(last):
            self._rebuild(last)
        self._compare_tail(last.size)
        return last

    def _checkpoint_found(self) -> Checkpoint | None:
        """The published checkpoint, where the memory of what was signed is gone: believed no less than that memory."""
        try:
            note = self._published("checkpoint")
        except FileNotFoundError:
            return None
        checkpoint = Checkpoint.parse(open_note(note, [NoteVerifier(self.signer.vkey)]).text)
        self._state.advance(checkpoint)
        return checkpoint

    def _tiles_give(self, checkpoint: Checkpoint) -> bool:
        size = checkpoint.size
        try:
            root = CompactRange(size, _nodes(size, TileHashes(self._published, size))).root()
        except (ProofInvalid, FileNotFoundError):
            return False
        return root == checkpoint.root

    def _rebuild(self, last: Checkpoint) -> None:
        """Tiles are gone or damaged: make them anew from the store, once it is known to give the root that was signed."""
        whole = CompactRange()
        whole.extend(self._leaves(0, last.size))
        if whole.root() != last.root:
            raise RollbackRefused(f"{self.origin}: the first {last.size} entries are not those that were signed for")
        for start in range(0, last.size, CHUNK):
            leaves = list(self._leaves(start, min(last.size, start + CHUNK)))
            for path, tile in grow(start, leaves, self._published):
                self._publication.write(f"{self.origin}/{path}", tile)

    def _compare_tail(self, size: int) -> None:
        start = max(0, size - TAIL) // WIDTH * WIDTH
        pairs = zip(self._leaves(start, size), self._published_leaves(start, size), strict=True)
        for index, (stored, published) in enumerate(pairs, start):
            if stored != published:
                raise RollbackRefused(f"{self.origin}: entry {index} is not the one that was signed for")

    def _republish(self) -> None:
        """A process may have died after remembering what it was to publish: the same note again, Ed25519 is such.

        Never in place of a newer one, nor of the same one that witnesses have signed meanwhile."""
        if self.signed.size and self._published_size() < self.signed.size:
            self._publish(self.signed)

    def _published_size(self) -> int:
        """-1 when nothing readable is published; what was signed is known from elsewhere."""
        try:
            return Checkpoint.parse(split_note(self._published("checkpoint"))[0]).size
        except (FileNotFoundError, NoteInvalid, CheckpointInvalid):
            return -1

    def _publish_key(self) -> None:
        """The key beside the log; another one than stands there would make two logs of one name."""
        vkey = f"{self.signer.vkey}\n".encode()
        try:
            found = self._published("vkey")
        except FileNotFoundError:
            self._publication.write(f"{self.origin}/vkey", vkey)
            return
        if found != vkey:
            raise RollbackRefused(f"{self.origin}: the key in the key ring is not the one this log was published with")

    # --- reading

    def _promised(self, start: int, stop: int) -> list[bytes]:
        """Leaf hashes as they were promised; before anything is signed the bodies are hashed again (`_leaves`)."""
        leaves = self._store.leaves(self.origin, start, stop)
        if len(leaves) != stop - start or set(map(len, leaves)) - {32}:
            raise LogAltered(f"{self.origin}: entries {start} to {stop - 1} are not all in the store")
        return leaves

    def _leaves(self, start: int, stop: int) -> Iterator[bytes]:
        """Leaf hashes over the bytes as stored, which must be what was promised to whoever handed them in."""
        expected = start
        for index, promised, body in self._store.bodies(self.origin, start, stop):
            leaf = leaf_hash(body)
            if leaf != promised or index != expected:
                raise LogAltered(f"{self.origin}: entry {expected} is missing or does not give its own hash")
            expected += 1
            yield leaf
        if expected != stop:
            raise LogAltered(f"{self.origin}: entries {expected} to {stop - 1} are not in the store")

    def _published(self, path: str) -> bytes:
        return self._publication.read(f"{self.origin}/{path}")

    def _published_leaves(self, start: int, stop: int) -> Iterator[bytes]:
        for index in range(start // WIDTH, -(-stop // WIDTH)):
            first = index * WIDTH
            tile = read_tile(self._published, 0, index, min(WIDTH, stop - first))
            for at in range(max(0, start - first) * 32, len(tile), 32):
                yield tile[at : at + 32]

    def _read(self, path: str) -> bytes:
        """A tile: from the edge that waits in memory, else as published."""
        found = self._edge.get(path.partition(".p/")[0])
        return found[1] if found is not None and found[0] == path else self._published(path)


def _nodes(size: int, tiles: TileHashes) -> Iterator[bytes]:
    """The compact range of a tree, read from its tiles: one complete subtree per bit of the size, largest first."""
    start = 0
    for level in reversed(range(size.bit_length())):
        if size >> level & 1:
            yield tiles.hash(level, start >> level)
            start += 1 << level
