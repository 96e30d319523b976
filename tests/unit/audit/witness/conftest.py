"""A log in memory that can tell the truth or two truths, and a witness of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from audit.canonical import leaf_hash
from audit.posting import Answer, Unreachable
from audit.tree.checkpoint import Checkpoint
from audit.tree.cosignature import Cosigner, MldsaCosigner
from audit.tree.merkle import consistency_proof, root_of
from audit.tree.note import NoteSigner, sign_note
from audit.tree.tiles import grow
from audit.witness.request import parse, render
from audit.witness.witness import Reply, Witness

ORIGIN = "audit.hub.example/sandbox/anchor"
NAME = "witness.example/w1"
NOW = 1_795_000_000


class Log:
    """Leaves, tiles and checkpoints of one history. Another `story` under the same key is a fork."""

    def __init__(self, origin: str = ORIGIN, seed: bytes = bytes(32), story: str = "") -> None:
        self.origin, self.signer, self.story = origin, NoteSigner.from_seed(origin, seed), story
        self.leaves: list[bytes] = []
        self.files: dict[str, bytes] = {}

    def read(self, path: str) -> bytes:
        try:
            return self.files[path]
        except KeyError:
            raise FileNotFoundError(path) from None

    def write(self, path: str, data: bytes) -> None:
        self.files[path] = data

    def remove(self, path: str) -> None:
        self.files.pop(path, None)

    def grow_to(self, size: int, *, common: int = 0) -> bytes:
        """Add leaves up to `size` (the first `common` are the same in every story); the signed checkpoint of it."""
        old = len(self.leaves)
        new = [leaf_hash(f"{self.story if n >= common else ''}{n}".encode()) for n in range(old, size)]
        tiles = list(grow(old, new, lambda path: self.files[f"{self.origin}/{path}"]))
        self.files.update({f"{self.origin}/{path}": data for path, data in tiles})
        self.leaves += new
        return self.note(size)

    def note(self, size: int) -> bytes:
        return sign_note(Checkpoint(self.origin, size, root_of(self.leaves[:size])).text(), self.signer)

    def proof(self, old: int, new: int) -> list[bytes]:
        return consistency_proof(old, new, self) if 0 < old < new else []

    def hash(self, level: int, index: int) -> bytes:
        """From the leaves themselves, so that a proof needs no tile (merkle.Hashes)."""
        return root_of(self.leaves[index << level : (index + 1) << level])

    def request(self, old: int, new: int) -> bytes:
        return render(old, self.proof(old, new), self.note(new))


class Wire:
    """Witnesses by address, without a network; `down` ones do not answer. Counts what each was asked."""

    def __init__(self) -> None:
        self.witnesses: dict[str, Witness] = {}
        self.down: set[str] = set()
        self.asked: list[tuple[str, int]] = []

    def __call__(self, url: str, body: bytes | None, content_type: str, *, timeout: float, limit: int = 0) -> Answer:
        base = next(base for base in self.witnesses if url.startswith(base + "/"))
        if base in self.down:
            raise Unreachable("down")
        if body is None:
            return _answer(self.witnesses[base].checkpoint(url.split("/")[-2]))
        self.asked.append((base, parse(body).old_size))
        return _answer(self.witnesses[base].add_checkpoint(body))


def _answer(reply: Reply) -> Answer:
    return Answer(reply.status, reply.content_type.partition(";")[0], reply.body)


@pytest.fixture
def log() -> Log:
    return Log()


@pytest.fixture
def make_witness(tmp_path: Path) -> Iterator[Callable[..., Witness]]:
    made: list[Witness] = []

    def make(*logs: Log, name: str = NAME, folder: str = "w", mldsa: bool = False, seed: bytes = b"w" * 32) -> Witness:
        keys: list[Cosigner | MldsaCosigner] = [Cosigner.from_seed(name, seed)]
        if mldsa:
            keys.append(MldsaCosigner.from_seed(name, seed))
        known = {log.origin: log.signer.vkey for log in logs}
        made.append(Witness(tmp_path / folder, keys, known, clock=lambda: NOW))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def witness(log: Log, make_witness: Callable[..., Witness]) -> Witness:
    return make_witness(log)
