"""How far the ways into packages were read, and which rows were met there."""

import sqlalchemy as sa
from alembic import op

revision, down_revision = "adapters_0003", "adapters_0002"


def upgrade() -> None:
    op.create_table(
        "adapter_way",
        sa.Column("adapter", sa.String(64), primary_key=True),
        sa.Column("position", sa.Text),
        sa.Column("page", sa.String(64)),
        sa.Column("beyond", sa.Text),
        sa.Column("reached", sa.Float),
        sa.Column("behind", sa.Float),
        sa.Column("trouble", sa.String(32)),
    )
    op.create_table(
        "adapter_row",
        sa.Column("adapter", sa.String(64), primary_key=True),
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("place", sa.Float, nullable=False),
    )
    op.create_index("adapter_row_by_place", "adapter_row", ["adapter", "place"])
