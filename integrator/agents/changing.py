"""One change of an organisation's people, in one transaction: what it ends, and what must be recorded of it.

    with the organisation's row written first (who changes the same one waits), look before, change, look after

Whoever left, or is not any more what his tokens say, gets a new generation; the tokens of older ones end (standing.py).
What happened lies in `agents_act` by the same commit, so that it reaches the ledger whatever happens to this process.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, insert, select, text, update

from integrator.agents.model import REVOKED, Agent, Author
from integrator.agents.scim.schemas import AGENT, ENTERPRISE
from integrator.agents.scim.shaping import ROLE
from integrator.agents.tables import act_table, delegation_table, end_table, member_table, resource_table

_LOCK = text(
    "INSERT INTO agents_organisation (organisation, changes) VALUES (:organisation, 1)"
    " ON CONFLICT (organisation) DO UPDATE SET changes = agents_organisation.changes + 1"
)
_MANY = 500  # ids in one statement


@dataclass(slots=True)
class Change:
    """MUST be made first thing in its transaction. `ends` is for the memory of this process, after the commit."""

    connection: Connection
    organisation: str
    by: Author
    now: float
    ends: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.connection.execute(_LOCK, {"organisation": self.organisation})

    def account(self, before: Mapping[str, Agent], touched: Collection[str]) -> None:
        """Compare what was with what is, for each agent touched."""
        after = agents(self.connection, touched)
        for one in sorted(touched):
            self._account(before.get(one), after.get(one))

    def _account(self, before: Agent | None, after: Agent | None) -> None:
        was, is_ = before is not None and before.active, after is not None and after.active
        if before is None:
            if after is not None and after.active:
                self.act("joined", after)
            return
        if after is not None and before.same(after):
            return
        if was or is_:
            self._end(before)
        if was and not is_:
            self._end_delegations(before.id)
            self.act("left", before)
        elif is_ and after is not None:
            self.act("changed" if was else "joined", after)

    def _end(self, agent: Agent) -> None:
        generation = agent.generation + 1
        where = resource_table.c.id == agent.id
        self.connection.execute(update(resource_table).where(where).values(generation=generation))
        self.end(agent.id, generation)

    def end(self, key: str, generation: int) -> None:
        """From now on only this generation of an agent or a delegation is good."""
        row = {"generation": generation, "at": self.now}
        found = self.connection.execute(update(end_table).where(end_table.c.key == key).values(row))
        if not found.rowcount:
            self.connection.execute(insert(end_table).values(key=key, **row))
        self.ends[key] = generation

    def _end_delegations(self, agent: str) -> None:
        """Nobody acts for somebody who left, and who left acts for nobody."""
        table = delegation_table.c
        open_ = select(table.id, table.giver, table.taker).where(
            (table.giver == agent) | (table.taker == agent), table.revoked.is_(None), table.ends > self.now
        )
        for row in self.connection.execute(open_).all():
            self.revoke(row.id, row.giver, row.taker)

    def revoke(self, delegation: str, giver: str, taker: str) -> None:
        """End one delegation now."""
        where = delegation_table.c.id == delegation
        self.connection.execute(update(delegation_table).where(where).values(revoked=self.now))
        self.end(delegation, REVOKED)
        self.tell("revoked", giver, {"other": taker, "delegation": delegation})

    def act(self, what: str, agent: Agent) -> None:
        """An agent joined, changed or left."""
        self.tell(what, agent.id, {"unit": agent.unit, "roles": sorted(agent.roles)})

    def tell(self, what: str, agent: str, told: Mapping[str, Any]) -> None:
        """Something for the ledger."""
        said = {**told, "by": {"application": self.by.application, "agent": self.by.agent}}
        row = {
            "at": self.now,
            "what": what,
            "organisation": self.organisation,
            "agent": agent,
            "told": json.dumps(said),
        }
        self.connection.execute(insert(act_table).values(row))


def agents(connection: Connection, ids: Collection[str]) -> dict[str, Agent]:
    """The agents that exist among these, with the roles they and their groups give them."""
    table, wanted = resource_table.c, sorted(ids)
    found: dict[str, Agent] = {}
    for start in range(0, len(wanted), _MANY):
        some = wanted[start : start + _MANY]
        groups: dict[str, list[str]] = {}
        named = (
            select(member_table.c.user, table.data)
            .join(resource_table, table.id == member_table.c.group)
            .where(member_table.c.user.in_(some))
        )
        for user, data in connection.execute(named):
            groups.setdefault(user, []).append(str(json.loads(data)["displayName"]))
        rows = select(table.id, table.organisation, table.active, table.data, table.generation).where(
            table.id.in_(some), table.kind == "User", table.gone.is_(None)
        )
        for row in connection.execute(rows):
            found[row.id] = _agent(row, groups.get(row.id, ()))
    return found


def _agent(row: Any, groups: Collection[str]) -> Agent:
    data = json.loads(row.data)
    named = [*(one.get("value", "") for one in data.get("roles", ())), *groups]
    roles = [one for one in named if ROLE.fullmatch(one)]  # words that are no code are kept for HR, and give nothing
    work = data.get(ENTERPRISE) or {}
    unit = work.get("department") or work.get("division")
    mandate = (data.get(AGENT) or {}).get("mandate")
    return Agent(row.id, row.organisation, bool(row.active), unit, frozenset(roles), mandate, row.generation)
