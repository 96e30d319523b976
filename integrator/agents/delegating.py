"""Delegations: an agent lets a colleague act in some of his roles until a day. One step: what was delegated is not passed on."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection, insert, select

from integrator.agents.changing import Change, agents
from integrator.agents.model import Agent, Delegation
from integrator.agents.tables import delegation_table
from integrator.agents.tags import new_id
from integrator.errors import Issue, MalformedRequest

LONGEST = 366 * 86_400.0  # seconds
LATELY = 300.0  # seconds; so much may the clock of who says "from now" be behind ours
_T = delegation_table.c


class NotYours(LookupError):
    """No such delegation, or one of others: one answer for both."""


def delegate(change: Change, giver: str, taker: str, roles: Collection[str], starts: float, ends: float) -> Delegation:
    """Make one. Raises `MalformedRequest`: not colleagues, more than the giver's own roles, begun already, or no end in sight."""
    found = agents(change.connection, {giver, taker})
    here = {one.id: one for one in found.values() if one.organisation == change.organisation and one.active}
    if giver not in here or taker not in here:
        raise _wrong("/to", "both must be active agents of your organisation")
    if giver == taker:
        raise _wrong("/to", "name a colleague")
    if not roles or not frozenset(roles) <= here[giver].roles:
        raise _wrong("/roles", "at least one, and only roles that the one who delegates has himself")
    if starts < change.now - LATELY:
        raise _wrong("/from", "now or a moment to come; left out, it begins at once")
    if not change.now < ends <= change.now + LONGEST or starts >= ends:
        raise _wrong("/until", "a moment to come, within a year, and after its beginning")
    made = Delegation(new_id("d"), change.organisation, giver, taker, frozenset(roles), starts, ends, change.now)
    change.connection.execute(
        insert(delegation_table).values(
            id=made.id, organisation=made.organisation, giver=giver, taker=taker, roles=json.dumps(sorted(roles)),
            starts=starts, ends=ends, made=change.now,
        )
    )  # fmt: skip
    told = {"other": taker, "delegation": made.id, "until": int(ends), "roles": sorted(roles)}
    change.tell("delegated", giver, told)
    return made


def revoke(change: Change, id_: str, agent: str | None) -> Delegation:
    """End one now: `agent` gave or took it; None = for the organisation. Raises `NotYours`."""
    found = find(change.connection, change.organisation, id_)
    if found is None or (agent is not None and agent not in (found.giver, found.taker)):
        raise NotYours
    if found.revoked is None and found.ends > change.now:
        change.revoke(found.id, found.giver, found.taker)
    return found


def find(connection: Connection, organisation: str, id_: str) -> Delegation | None:
    query = select(delegation_table).where(_T.id == id_, _T.organisation == organisation)
    row = connection.execute(query).one_or_none()
    return _delegation(row) if row is not None else None


def known(connection: Connection, organisation: str, agent: str | None) -> list[Delegation]:
    """Given or taken by one agent, or all of the organisation; newest first, at most 200."""
    query = select(delegation_table).where(_T.organisation == organisation)
    if agent is not None:
        query = query.where((_T.giver == agent) | (_T.taker == agent))
    rows = connection.execute(query.order_by(_T.made.desc(), _T.id).limit(200))
    return [_delegation(row) for row in rows]


def lent(delegation: Delegation, giver: Agent, now: float) -> frozenset[str]:
    """The roles it gives now: what the giver has lost meanwhile is not lent any more."""
    return delegation.roles & giver.roles if giver.active and delegation.state(now) == "current" else frozenset()


def _delegation(row: Any) -> Delegation:
    return Delegation(
        row.id, row.organisation, row.giver, row.taker, frozenset(json.loads(row.roles)), row.starts, row.ends, row.made, row.revoked,
    )  # fmt: skip


def _wrong(name: str, advice: str) -> MalformedRequest:
    return MalformedRequest(Issue("schemaViolation", "body", name, advice))
