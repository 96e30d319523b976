"""Which case is open, and what happened to whom: by keyed tags, never by number."""

import sqlalchemy as sa
from alembic import op

revision, down_revision = "watching_0001", None


def upgrade() -> None:
    op.create_table(
        "watching_case",
        sa.Column("org", sa.String(10), primary_key=True),
        sa.Column("tag", sa.String(32), primary_key=True),
        sa.Column("person", sa.String(32), nullable=True, index=True),
        sa.Column("opened", sa.BigInteger, nullable=False),
        sa.Column("closed", sa.BigInteger, nullable=True),
    )
    op.create_table(
        "watching_happening",
        sa.Column("kind", sa.String(16), primary_key=True),
        sa.Column("tag", sa.String(32), primary_key=True),
        sa.Column("place", sa.String(16), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
    )
