"""Reading a hub's ledger back as an auditor would: from its store, every byte checked against its leaf."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

from audit import FileKeyRing, open_entry, open_store
from audit.log.anchor import is_anchor
from audit.read import Opened
from audit.store import Store
from integrator import settings

_BESIDE = re.compile(r"-(watch|desk|keep|govern)/\d{4}")


@dataclass(frozen=True, slots=True)
class Book:
    """One hub's ledger, open for reading."""

    store: Store
    keyring: FileKeyRing

    @property
    def shard(self) -> str:
        """The one shard of a hub that runs as one process."""
        [shard] = self.shards()
        return shard

    def shards(self) -> list[str]:
        """Shards of exchanges; the anchor over them is none, nor is what a clerk, a desk or a keeper wrote beside the hub."""
        return [name for name in self.store.shards() if not is_anchor(name) and not _BESIDE.search(name)]

    def size(self) -> int:
        return self.store.size(self.shard) if self.shards() else 0

    def since(self, start: int) -> list[dict[str, Any]]:
        """The clear part of every entry from `start` on, its index beside it."""
        return [{"index": one.index, **json.loads(one.body)} for one in self.store.read(self.shard, start)]

    def opened(self, index: int) -> Opened:
        """One entry with everything it commits to."""
        return open_entry(self.store, self.keyring, self.shard, index)


@contextmanager
def book(chosen: settings.Settings) -> Iterator[Book]:
    with closing(open_store(chosen.ledger)) as store:
        yield Book(store, FileKeyRing(chosen.state / "ledger-keys"))
