"""The agent that a token of ours speaks of: who acts, in which roles, how surely identified, perhaps for a colleague.

In the token: `agent` {id, roles, unit?, assurance, mandate?, onBehalfOf?}, `act` {sub} (RFC 8693 §4.1), and `standing`,
which says what must still hold: the generation of each agent and delegation that it rests on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from integrator.identity.assertions import NotBelieved

CLAIMS = frozenset({"agent", "act", "standing"})
_MEMBERS = frozenset({"id", "roles", "unit", "assurance", "mandate", "onBehalfOf"})


@dataclass(frozen=True, slots=True)
class Acting:
    """`standing`: agent or delegation -> generation. `until`: epoch seconds the token may not outlive."""

    id: str
    roles: frozenset[str]
    unit: str | None
    assurance: str
    mandate: str | None
    on_behalf_of: str | None
    standing: Mapping[str, int]
    until: float = float("inf")

    def claims(self) -> dict[str, Any]:
        """As they stand in a token."""
        told = {
            "id": self.id, "roles": sorted(self.roles), "unit": self.unit, "assurance": self.assurance,
            "mandate": self.mandate, "onBehalfOf": self.on_behalf_of,
        }  # fmt: skip
        agent = {name: value for name, value in told.items() if value is not None}
        return {"agent": agent, "act": {"sub": self.id}, "standing": dict(self.standing)}


def read(claims: Mapping[str, Any]) -> Acting | None:
    """The inverse, from a token that we signed; None when it speaks of no agent. Raises `NotBelieved`."""
    if not CLAIMS & claims.keys():
        return None
    agent, act, standing = claims.get("agent"), claims.get("act"), claims.get("standing")
    if not isinstance(agent, dict) or not isinstance(standing, dict) or not agent.keys() <= _MEMBERS:
        raise NotBelieved("it speaks of an agent as no token of this hub does")
    roles, id_ = agent.get("roles"), agent.get("id")
    if not isinstance(id_, str) or act != {"sub": id_} or id_ not in standing or not isinstance(roles, list):
        raise NotBelieved("it speaks of an agent as no token of this hub does")
    if agent.get("assurance") not in ("low", "substantial", "high") or not all(
        type(one) is int for one in standing.values()
    ):
        raise NotBelieved("it speaks of an agent as no token of this hub does")
    return Acting(
        id_, frozenset(roles), agent.get("unit"), agent["assurance"], agent.get("mandate"), agent.get("onBehalfOf"), standing,
    )  # fmt: skip
