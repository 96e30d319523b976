"""Files that were written for packages: which, up to which cursor, and whether the hub was told."""

import sqlalchemy as sa
from alembic import op

revision, down_revision = "adapters_0002", "adapters_0001"


def upgrade() -> None:
    op.create_table(
        "adapter_out",
        sa.Column("adapter", sa.String(64), primary_key=True),
        sa.Column("number", sa.BigInteger, primary_key=True),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("name", sa.String(128), nullable=False),
        sa.Column("cursor", sa.String(64), nullable=False),
        sa.Column("ids", sa.Text, nullable=False),
        sa.Column("since", sa.Float, nullable=False),
    )
