"""What a rule sees, and what it says."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Look:
    """One ended processing, as far as rules may see it."""

    shard: str
    index: int
    intent: int | None
    ts: int  # µs since 1970
    name: str  # service
    org: str
    app: str
    agent: bytes | None  # blind tag
    tags: tuple[bytes, ...]  # blind tags of subjects
    leaf: bytes
    self_service: bool = False  # the citizen's own session
    flags: frozenset[str] = frozenset()  # said by the hub at request time: SELF, SAME_HOUSEHOLD …
    ok: bool = True  # data were given
    tagged_by: int = -1


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule minds a look, or what an application or agent did in a time that this look ended."""

    rule: str
    look: Look
    amount: int = 1  # how many looks, persons … it is about
    scope: str = ""  # what makes it one finding and not many: empty = the look itself

    @property
    def id(self) -> str:
        """32 hex; the same finding has the same id, however often it is found."""
        what = self.scope or f"{self.look.shard}/{self.look.index}"
        return hashlib.sha256(f"{self.rule}\n{what}".encode()).hexdigest()[:32]
