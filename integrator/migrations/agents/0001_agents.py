"""Users, groups, delegations, ends, and what still has to be recorded."""

import sqlalchemy as sa
from alembic import op

revision, down_revision = "agents_0001", None


def upgrade() -> None:
    op.create_table(
        "agents_organisation",
        sa.Column("organisation", sa.String(10), primary_key=True),
        sa.Column("changes", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "agents_resource",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("organisation", sa.String(10), nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("external_id", sa.Text),
        sa.Column("data", sa.Text, nullable=False),
        sa.Column("active", sa.Boolean, nullable=False),
        sa.Column("generation", sa.Integer, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("created", sa.Float, nullable=False),
        sa.Column("modified", sa.Float, nullable=False),
        sa.Column("gone", sa.Float),
        sa.Column("own", sa.String(64)),
        sa.Column("mandate", sa.String(64)),
    )
    here = sa.text("gone IS NULL")
    names = ["organisation", "kind", "name"]
    op.create_index("agents_name", "agents_resource", names, unique=True, sqlite_where=here, postgresql_where=here)
    op.create_index("agents_external", "agents_resource", ["organisation", "external_id"])
    op.create_index("agents_own", "agents_resource", ["own"])
    op.create_table(
        "agents_member",
        sa.Column("group", sa.String(40), primary_key=True),
        sa.Column("user", sa.String(40), primary_key=True),
    )
    op.create_index("agents_member_user", "agents_member", ["user"])
    op.create_table(
        "agents_end",
        sa.Column("key", sa.String(40), primary_key=True),
        sa.Column("generation", sa.Integer, nullable=False),
        sa.Column("at", sa.Float, nullable=False),
    )
    op.create_index("agents_end_at", "agents_end", ["at"])
    op.create_table(
        "agents_act",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
        sa.Column("at", sa.Float, nullable=False),
        sa.Column("what", sa.String(20), nullable=False),
        sa.Column("organisation", sa.String(10), nullable=False),
        sa.Column("agent", sa.String(40), nullable=False),
        sa.Column("told", sa.Text, nullable=False),
    )
    op.create_table(
        "agents_delegation",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("organisation", sa.String(10), nullable=False),
        sa.Column("giver", sa.String(40), nullable=False),
        sa.Column("taker", sa.String(40), nullable=False),
        sa.Column("roles", sa.Text, nullable=False),
        sa.Column("starts", sa.Float, nullable=False),
        sa.Column("ends", sa.Float, nullable=False),
        sa.Column("made", sa.Float, nullable=False),
        sa.Column("revoked", sa.Float),
    )
    for column in ("organisation", "giver", "taker"):
        op.create_index(f"agents_delegation_{column}", "agents_delegation", [column])
    op.create_table(
        "agents_console",
        sa.Column("person", sa.String(80), primary_key=True),
        sa.Column("agent", sa.String(40), primary_key=True),
    )
    op.create_index("agents_console_agent", "agents_console", ["agent"])
