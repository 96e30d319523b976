"""A hub's ledger and what is published of it, in one folder; time stands still until told."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from audit import FileKeyRing, Ledger, Store, open_store
from audit.entry import Record
from audit.log.names import Names
from audit.log.proofs import Log
from audit.log.publication import Publication
from audit.log.publisher import Publisher
from audit.log.signing import Signers
from audit.log.state import SignedState
from audit.tree.note import NoteVerifier
from tests.unit.audit.kit import Clock, a_draft

SECOND = 1_000_000


@dataclass
class House:
    """Everything one process has, and what is left of it when it ends: the folder."""

    folder: Path
    clock: Clock
    url: str
    names: Names = field(default_factory=lambda: Names("audit.hub.example", "test", "hub-1"))
    open: list[Any] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.keyring = FileKeyRing(self.folder / "keys")
        self.publication = Publication(self.folder / "log")
        self.state = SignedState(self.folder / "signed")
        self.signers = Signers(self.keyring, create=True)
        self.store: Store = open_store(self.url)
        self.origin = self.names.shard(2026)
        self.open.append(self.store)

    def ledger(self, origin: str | None = None) -> Ledger:
        made = Ledger(self.store, self.keyring, shard=origin or self.origin, clock=self.clock)
        self.open.append(made)
        return made

    def write(self, count: int, ledger: Ledger | None = None) -> list[Record]:
        """Entries, with a ledger of the moment when none is given."""
        if ledger is not None:
            return ledger.append_blocking([a_draft(trace_id=os.urandom(16).hex()) for _ in range(count)])
        with Ledger(self.store, self.keyring, shard=self.origin, clock=self.clock) as own:
            return own.append_blocking([a_draft(trace_id=os.urandom(16).hex()) for _ in range(count)])

    def publisher(self, *, shards: tuple[str, ...] | None = None, **more: Any) -> Publisher:
        made = Publisher(
            more.pop("store", self.store), self.publication, self.state, self.signers, anchor=self.names.anchor, clock=self.clock, **more
        )  # fmt: skip
        for origin in (self.origin,) if shards is None else shards:
            made.publish(origin)
        self.open.append(made)
        return made

    @property
    def log(self) -> Log:
        return Log(self.publication, self.store, self.names.anchor)

    def verifier(self, origin: str | None = None) -> NoteVerifier:
        return NoteVerifier(self.log.vkey(origin or self.origin))

    def close(self) -> None:
        for one in reversed(self.open):
            one.close()
        self.open.clear()


@pytest.fixture
def houses(tmp_path: Path, clock: Clock) -> Iterator[Callable[..., House]]:
    """Opens the house again and again, as a process that ended and was started."""
    made: list[House] = []

    def open_(folder: str = "house", url: str | None = None) -> House:
        made.append(House(tmp_path / folder, clock, url or f"sqlite:///{tmp_path / folder / 'ledger.db'}"))
        return made[-1]

    yield open_
    for house in reversed(made):
        house.close()


@pytest.fixture
def house(houses: Callable[..., House]) -> House:
    return houses()
