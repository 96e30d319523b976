"""An agent and a delegation, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

REVOKED = 2  # generation of a delegation that has ended; it begins with 1


@dataclass(frozen=True, slots=True)
class Agent:
    """What a token may say of an agent, as his organisation keeps it now."""

    id: str
    organisation: str  # KBO number
    active: bool
    unit: str | None
    roles: frozenset[str]
    mandate: str | None
    generation: int  # goes up whenever anything above changes: tokens of an older one are worth nothing

    def same(self, other: Agent) -> bool:
        """Whether a token of the one says the truth about the other."""
        return (self.active, self.unit, self.roles, self.mandate) == (
            other.active,
            other.unit,
            other.roles,
            other.mandate,
        )


@dataclass(frozen=True, slots=True)
class Delegation:
    """One agent lets another act in some of his roles, until it ends. Times in epoch seconds."""

    id: str
    organisation: str
    giver: str
    taker: str
    roles: frozenset[str]
    starts: float
    ends: float
    made: float
    revoked: float | None = None

    def state(self, now: float) -> str:
        """planned | current | ended | revoked"""
        if self.revoked is not None:
            return "revoked"
        return "planned" if now < self.starts else "current" if now < self.ends else "ended"


@dataclass(frozen=True, slots=True)
class Author:
    """Who changes something: an application of the organisation, or somebody at the command line."""

    application: str
    agent: str | None = None


Ends = Mapping[str, int]  # agent or delegation -> the first generation that is still good
