"""Proofs for one entry, read from what is published: this entry in its log, its log in the anchor."""

from __future__ import annotations

from audit.errors import NotPublished
from audit.log.anchor import anchored, find
from audit.log.publication import Publication
from audit.store import Store
from audit.tree.checkpoint import Checkpoint
from audit.tree.merkle import inclusion_proof
from audit.tree.note import split_note
from audit.tree.proof import TlogProof
from audit.tree.tiles import WIDTH, TileHashes, bundle


class Log:
    """What a reader may ask of published logs. Believes nothing and verifies nothing: who gets a proof does.

    `anchor`: the origin of the anchor in use.
    """

    def __init__(self, publication: Publication, store: Store, anchor: str) -> None:
        self.publication, self.store, self.anchor = publication, store, anchor

    def checkpoint(self, origin: str) -> bytes:
        """The newest published checkpoint of a log, a signed note. Raises NotPublished."""
        try:
            return self.publication.read(f"{origin}/checkpoint")
        except FileNotFoundError as error:
            raise NotPublished(f"{origin} has published no checkpoint") from error

    def vkey(self, origin: str) -> str:
        """The key of a log as it is published. Raises NotPublished."""
        try:
            return self.publication.read(f"{origin}/vkey").decode().strip()
        except FileNotFoundError as error:
            raise NotPublished(f"{origin} has published no key") from error

    def proof(self, origin: str, index: int) -> TlogProof:
        """That an entry stands in its log, under the newest checkpoint. Raises NotPublished until one covers it."""
        note = self.checkpoint(origin)
        size = Checkpoint.parse(split_note(note)[0]).size
        if not 0 <= index < size:
            raise NotPublished(f"{origin}: the newest checkpoint covers {size} entries, not entry {index}")
        tiles = TileHashes(lambda path: self.publication.read(f"{origin}/{path}"), size)
        return TlogProof(index, tuple(inclusion_proof(index, size, tiles)), note, None)

    def anchor_proof(self, checkpoint: bytes) -> TlogProof:
        """That a shard's checkpoint (its signed note) stands in the anchor. Raises NotPublished."""
        text = split_note(checkpoint)[0]
        index = anchored(self.publication, self.store, self.anchor, text)
        if index is None:
            index = find(self.store, self.anchor, text)
        if index is None:
            raise NotPublished("this checkpoint is not in the anchor (yet)")
        return self.proof(self.anchor, index)


def entry_bundle(store: Store, origin: str, index: int, size: int) -> bytes:
    """Entries 256·index and following as one entry bundle of a log of `size` entries. Raises NotPublished."""
    first = index * WIDTH
    last = min(size, first + WIDTH)
    if not 0 <= first < last:
        raise NotPublished(f"{origin} has no entry bundle {index}")
    entries = [stored.body for stored in store.read(origin, first, last)]
    if len(entries) != last - first:
        raise NotPublished(f"{origin}: entries of bundle {index} are not in the store")
    return bundle(entries)
