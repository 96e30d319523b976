"""The tables of migrations/governing as SQLAlchemy sees them, and their rows as values. Times in epoch seconds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, Integer, LargeBinary, MetaData, String, Table, Text

_metadata = MetaData()

proposal_table = Table(
    "governing_proposal",
    _metadata,
    Column("id", String(32), primary_key=True),
    Column("state", String(16)),
    Column("effective", BigInteger),
    Column("reason", Text),
    Column("proof", Text),
    Column("proposer", String(64)),
    Column("proposer_name", Text),
    Column("proposed", BigInteger),
    Column("place", BigInteger),
    Column("claimed", BigInteger),
    Column("ended", BigInteger),
    Column("words", Text),
)
text_table = Table(
    "governing_text",
    _metadata,
    Column("proposal", String(32), primary_key=True),
    Column("purpose", String(64), primary_key=True),
    Column("replaces", String(64)),
    Column("digest", String(64)),
    Column("text", LargeBinary),
)
vote_table = Table(
    "governing_vote",
    _metadata,
    Column("proposal", String(32), primary_key=True),
    Column("person", String(64), primary_key=True),
    Column("name", Text),
    Column("officer", Boolean),
    Column("voted", BigInteger),
)
suspension_table = Table(
    "governing_suspension",
    _metadata,
    Column("id", String(32), primary_key=True),
    Column("state", String(16)),
    Column("authorisation", String(128)),
    Column("org", String(10)),
    Column("reason", Text),
    Column("by_person", String(64)),
    Column("by_name", Text),
    Column("since", BigInteger),
    Column("lifter", String(64)),
    Column("lifter_name", Text),
    Column("lift_reason", Text),
    Column("second", String(64)),
    Column("second_name", Text),
    Column("ended", BigInteger),
)
revision_table = Table(
    "governing_revision", _metadata, Column("id", Integer, primary_key=True), Column("n", BigInteger)
)


@dataclass(frozen=True, slots=True)
class Draft:
    """One text of a proposal."""

    purpose: str
    replaces: str  # digest of the text it was written from; "" = a new purpose
    digest: str
    text: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Vote:
    """One approval."""

    person: str
    name: str
    officer: bool  # given as a data protection officer
    voted: int


@dataclass(frozen=True, slots=True)
class Proposal:
    """A change of texts, and how far it came.

    proposed ─► approved ─► activating ─► active ─► superseded
        ├─► refused   └─► withdrawn (also from proposed)
    """

    id: str  # 32 hex: also the trace of its ledger entries
    state: str
    effective: int
    reason: str
    proof: dict[str, Any]
    proposer: str
    proposer_name: str
    proposed: int
    drafts: tuple[Draft, ...]
    votes: tuple[Vote, ...] = ()
    place: int | None = None  # in the row of approvals
    ended: int | None = None
    words: str = ""

    @property
    def purposes(self) -> tuple[str, ...]:
        return tuple(draft.purpose for draft in self.drafts)

    @property
    def ripe(self) -> bool:
        """Two approvals, one of them by a data protection officer; whoever proposed gives none."""
        return len(self.votes) >= 2 and any(vote.officer for vote in self.votes)


@dataclass(frozen=True, slots=True)
class Suspension:
    """What was taken away at once, and by whom; giving it back takes two people."""

    id: str
    state: str  # standing | lifting | lifted
    authorisation: str
    org: str | None
    reason: str
    by_person: str
    by_name: str
    since: int
    lifter: str | None = None
    lifter_name: str | None = None
    lift_reason: str | None = None
    second: str | None = None
    second_name: str | None = None
    ended: int | None = None
