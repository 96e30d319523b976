"""Emergencies: conditions that gave way, and the second person who looked at it."""

import sqlalchemy as sa
from alembic import op

revision, down_revision = "emergency_0001", None


def upgrade() -> None:
    op.create_table(
        "emergencies",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("trace", sa.String(32), nullable=False),  # of the exchange; its justification is sealed in the ledger
        sa.Column("organisation", sa.String(10), nullable=False),
        sa.Column("application", sa.String(100), nullable=False),
        sa.Column("agent", sa.String(200), nullable=False),  # as his organisation names him, never a national number
        sa.Column("purpose", sa.String(100), nullable=False),
        sa.Column("service", sa.String(100), nullable=False),
        sa.Column("broken", sa.String(200), nullable=False),  # the reason that would have refused it
        sa.Column("at", sa.Float, nullable=False),  # epoch seconds
        sa.Column("due", sa.Float, nullable=False),  # when somebody must have confirmed it
        sa.Column("state", sa.String(10), nullable=False),  # open | confirmed | rejected
        sa.Column("second", sa.String(200)),  # who looked at it
        sa.Column("decided", sa.Float),
        sa.Column("escalated", sa.Float),  # when it was told that nobody had looked in time
        sa.Column("recorded", sa.Float),  # when the decision stood in the ledger
        sa.Column("shard", sa.String(200)),  # its intent
        sa.Column("place", sa.BigInteger),
    )
    op.create_index("emergencies_open", "emergencies", ["state", "due"])
    op.create_index("emergencies_agent", "emergencies", ["organisation", "agent", "at"])
