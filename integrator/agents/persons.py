"""Who signs in at the consoles and who works somewhere: the same people, under other names.

What links them is what their organisation told of them: the attribute that the sign-in compares, and the national number,
of which only a tag is kept. Functions here are given a connection and block.
"""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection, select, text

from integrator.agents.changing import agents
from integrator.agents.tables import console_table, resource_table
from integrator.agents.tags import AgentTags
from integrator.agents.trading import matching

_TABLE = resource_table.c
_REMEMBER = text("INSERT INTO agents_console (person, agent) VALUES (:person, :agent) ON CONFLICT DO NOTHING")


def may_work(connection: Connection, tags: AgentTags, person: str, organisation: str | None, matches: str, value: str) -> bool:  # fmt: skip
    """Whether one of the agents he is still works there; those no feed told of are not ours to judge. Remembers which he is."""
    ids = matching(connection, matches, value, tags, organisation, gone=True)
    _remember(connection, person, ids)
    found = agents(connection, ids)
    return not ids or any(found[one].active for one in ids if one in found)


def somebody_else(
    connection: Connection, person: str, number_tag: str | None, organisation: str, asked: Collection[str]
) -> bool | None:
    """Whether a person of the consoles is none of these agents of an organisation; None when that cannot be told.

    `number_tag`: of the person's own national number, where the sign-in told it.
    """
    named = select(_TABLE.id, _TABLE.organisation, _TABLE.own)
    mine = named.join(console_table, console_table.c.agent == _TABLE.id).where(console_table.c.person == person)
    his = connection.execute(mine).all()
    numbers = {row.own for row in his if row.own} | ({number_tag} if number_tag else set())
    theirs = connection.execute(
        named.where(_TABLE.id.in_(sorted(asked)), _TABLE.organisation == organisation, _TABLE.kind == "User")
    ).all()
    if any(row.own in numbers or row.id in {one.id for one in his} for row in theirs):
        return False
    works_here = any(row.organisation == organisation for row in his)
    told = len(theirs) == len(set(asked)) and all(works_here or (numbers and row.own) for row in theirs)
    return True if told else None


def _remember(connection: Connection, person: str, ids: Collection[str]) -> None:
    """Also those that are gone: what somebody did under an id before is still his."""
    if ids:
        connection.execute(_REMEMBER, [{"person": person, "agent": one} for one in ids])
