"""Ledgers for the verification tests: written, published, anchored, witnessed, stamped; each step by the real parts."""

from __future__ import annotations

import random
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from audit import Draft, FileKeyRing, Ledger, Record, open_store
from audit.entry import prepare
from audit.keeping.classes import RetentionClass
from audit.keeping.expiry import expire
from audit.keeping.orders import Order
from audit.keeping.single import erase_one, restrict
from audit.log.anchor import AnchorLog
from audit.log.proofs import Log
from audit.log.publication import Publication
from audit.log.shard import ShardLog
from audit.log.signing import Signers
from audit.log.state import SignedState
from audit.seal import Sealer
from audit.tree.cosignature import Cosigner
from audit.tree.note import add_lines, split_note
from audit.tree.trust import Trust
from mock_sources.tsa import Authority

NAME = "audit.hub.example/test"
ANCHOR = f"{NAME}/anchor"
NOON = 1_795_440_600_000_000  # µs, in November 2026
SECOND = 1_000_000
PEOPLE = ["85610100147", "85620200180", "85630300116"]  # test numbers: months 61 to 63
MONTH = 31 * 86_400 * SECOND
ORDER = Order(
    by="judge-1",
    legal_basis="GDPR art. 17",
    authority="court",
    reference="2026/C/9",
    reason="ordered",
    second="clerk-2",
)
CLASSES = {"M1": RetentionClass("M1", 1, "archive decree, art. 2")}


@dataclass
class World:
    """One hub's ledger in a folder; `clock` moves only when told."""

    folder: Path
    authority: Authority | None = None
    seed: int = 1
    now: int = NOON
    engine: str = ""  # a store's URL; "" = SQLite in the folder
    shards: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self.keyring = FileKeyRing(self.folder / "keys")
        self.url = self.engine or f"sqlite:///{self.folder / 'ledger.db'}"
        self.store = open_store(self.url)
        self.sealer = Sealer(self.keyring)
        self.publication = Publication(self.folder / "log")
        self.signed = SignedState(self.folder / "signed")
        self.signers = Signers(self.keyring, create=True)
        self.witness = Cosigner.from_seed("witness.example/w1", bytes(31) + b"w")

    # --- writing

    def shard(self, name: str = "hub-1", year: int = 2026) -> str:
        return f"{NAME}/{name}/{year}"

    def write(self, drafts: Sequence[Draft], shard: str = "") -> list[Record]:
        """Append, each draft a second after the one before; one transaction, for speed."""
        shard = self._known(shard)
        prepared = [prepare(draft, self.sealer, self._tick()) for draft in drafts]
        writer = self.store.writer(shard)
        try:
            start = writer.size()
            writer.append(prepared, start)
        finally:
            writer.close()
        return [Record(index, one.leaf, one.ts) for index, one in enumerate(prepared, start)]

    def exchanges(self, count: int, shard: str = "", *, dangling: int = 0, retention: str = "Y10") -> list[int]:
        """Write so many intents with outcomes, the last `dangling` without; the indices of the intents."""
        start = self.store.size(self._known(shard))
        intents: list[int] = []
        drafts: list[Draft] = []
        for number in range(count):
            trace = f"{self.random.getrandbits(128) | 1:032x}"
            intents.append(start + len(drafts))
            drafts.append(self.draft("intent", trace, retention))
            if number < count - dangling:
                drafts.append(self.draft("outcome", trace, retention, intent_ref=intents[-1], status="Ok"))
        self.write(drafts, shard)
        return intents

    def draft(self, type: str, trace: str, retention: str = "Y10", **clear: Any) -> Draft:
        people = [("nrn", person, "data-subject") for person in self.random.sample(PEOPLE, self.random.randint(1, 2))]
        return Draft(
            type=type,
            trace_id=trace,
            span_id=f"{self.random.getrandbits(64) | 1:016x}",
            name="person.get",
            retention=retention,
            clear={"op": "dpv:Consult", "consumer": {"app": "housing", "org": "0207446759"}, "dpl.core.processing_activity_id": "https://ropa.example.brussels/a/7f1c/v3", **clear},
            committed={"case_ref": "2026/117", "fields": ["address", "name"]},
            subjects=people,
            agent={"id": "agent-77", "unit": "housing"},
        )  # fmt: skip

    def many_subjects(self, count: int) -> int:
        draft = self.draft("denied", f"{self.random.getrandbits(128) | 1:032x}")
        people = [("nrn", f"8561{number:07d}", "data-subject") for number in range(count)]
        return self.write([Draft(**{**{name: getattr(draft, name) for name in Draft.__slots__}, "subjects": people})])[
            0
        ].index

    def erase(self, indices: Sequence[int], shard: str = "") -> None:
        with Ledger(self.store, self.keyring, shard=self._known(shard), clock=self._tick) as ledger:
            erase_one(self.store, ledger, self._known(shard), indices, ORDER)

    def restrict(self, indices: Sequence[int], shard: str = "") -> None:
        with Ledger(self.store, self.keyring, shard=self._known(shard), clock=self._tick) as ledger:
            restrict(self.store, ledger, self._known(shard), indices, ORDER, review=date(2040, 1, 1))

    def expire(self, shard: str = "") -> None:
        """Let all of class M1 become due, and expire it."""
        self.now += 3 * MONTH
        today = datetime.fromtimestamp(self.now / SECOND, UTC).date()
        with Ledger(self.store, self.keyring, shard=self._known(shard), clock=self._tick) as ledger:
            assert expire(self.store, self.keyring, ledger, CLASSES, today)

    # --- publishing

    def publish(self, *, stamp: bool = True, witness: bool = True) -> None:
        """Sign what grew, anchor it, have it witnessed and stamped."""
        for origin in self.shards:
            log = ShardLog(origin, self.store, self.publication, self.signed, self.signers.signer(origin))
            log.integrate()
            log.sign()
        anchor = AnchorLog(
            ANCHOR, self.store, self.publication, self.signed, self.signers.signer(ANCHOR), clock=lambda: self.now
        )
        anchor.collect()
        anchor.log.integrate()
        anchor.log.sign()
        anchor.close()
        self.publication.write("policy", self.policy().encode())
        note = self.publication.read(f"{ANCHOR}/checkpoint")
        text = split_note(note)[0]
        size = int(text.split("\n")[1])
        if witness:
            cosigned = add_lines(note, self.witness.line(text, self.now // SECOND))
            self.publication.write(f"{ANCHOR}/witnessed/{size}", cosigned)
            self.publication.write(f"{ANCHOR}/checkpoint", cosigned)
        if stamp and self.authority is not None:
            self.publication.write(f"{ANCHOR}/timestamp/{size}-mock.tsr", stamped(self.authority, text))

    def policy(self) -> str:
        logs = [f"log {self.signers.signer(origin).vkey}" for origin in (*self.shards, ANCHOR)]
        return "\n".join([*logs, f"witness w1 {self.witness.vkey}", "quorum w1", ""])

    @property
    def trust(self) -> Trust:
        return Trust.parse(self.policy())

    @property
    def log(self) -> Log:
        return Log(self.publication, self.store, ANCHOR)

    def close(self) -> None:
        self.store.close()

    def _known(self, shard: str) -> str:
        shard = shard or (self.shards[0] if self.shards else self.shard())
        if shard not in self.shards:
            self.shards.append(shard)
        return shard

    def _tick(self) -> int:
        self.now += SECOND
        return self.now


def stamped(authority: Authority, text: str) -> bytes:
    """A token over a text, by `openssl ts`."""
    import hashlib

    return authority.reply(authority.query(hashlib.sha256(text.encode()).digest()))


def openssl() -> str:
    return subprocess.run(["openssl", "version"], capture_output=True, text=True, check=True).stdout
