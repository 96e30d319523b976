"""The tables of this room. No national number stands in them: of it there is a keyed tag (agents/tags.py), nothing else.

`agents_resource` holds users and groups as HR sent them; what left stays as a row without data, so that whoever left is
known to have left. `agents_end` says from which generation on an agent's tokens are good; `agents_act` what still has
to be written in the ledger.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Float, Integer, MetaData, String, Table, Text

metadata = MetaData()

organisation_table = Table(
    "agents_organisation",
    metadata,
    Column("organisation", String(10), primary_key=True),
    Column("changes", BigInteger, nullable=False),  # written first in every change: who changes one organisation waits
)
resource_table = Table(
    "agents_resource",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("organisation", String(10), nullable=False),
    Column("kind", String(8), nullable=False),  # User | Group
    Column("name", Text, nullable=False),  # userName or displayName, case folded
    Column("external_id", Text),
    Column("data", Text, nullable=False),  # JSON, as HR sent it; {} once it is gone
    Column("active", Boolean, nullable=False),
    Column("generation", Integer, nullable=False),
    Column("version", Integer, nullable=False),
    Column("created", Float, nullable=False),  # epoch seconds
    Column("modified", Float, nullable=False),
    Column("gone", Float),  # when it was deleted
    Column("own", String(64)),  # keyed tag of the agent's own national number
    Column("mandate", String(64)),
)
member_table = Table(
    "agents_member",
    metadata,
    Column("group", String(40), primary_key=True),
    Column("user", String(40), primary_key=True, index=True),
)
end_table = Table(
    "agents_end",
    metadata,
    Column("key", String(40), primary_key=True),  # of an agent or a delegation
    Column("generation", Integer, nullable=False),  # the first one that is still good
    Column("at", Float, nullable=False, index=True),
)
act_table = Table(
    "agents_act",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("at", Float, nullable=False),
    Column("what", String(20), nullable=False),  # joined | changed | left | delegated | revoked
    Column("organisation", String(10), nullable=False),
    Column("agent", String(40), nullable=False),
    Column("told", Text, nullable=False),  # JSON: by, unit, roles, other, until
    Column("claimed", Float),  # when a process took it to record it
)
delegation_table = Table(
    "agents_delegation",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("organisation", String(10), nullable=False, index=True),
    Column("giver", String(40), nullable=False, index=True),
    Column("taker", String(40), nullable=False, index=True),
    Column("roles", Text, nullable=False),  # JSON
    Column("starts", Float, nullable=False),
    Column("ends", Float, nullable=False),
    Column("made", Float, nullable=False),
    Column("revoked", Float),
)
console_table = Table(
    "agents_console",
    metadata,
    Column("person", String(80), primary_key=True),  # as the consoles know somebody
    Column("agent", String(40), primary_key=True, index=True),
)
