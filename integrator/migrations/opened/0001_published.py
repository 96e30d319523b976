"""What was published for everybody, as it was published: never changed afterwards."""

import sqlalchemy as sa
from alembic import op

revision, down_revision = "opened_0001", None


def upgrade() -> None:
    op.create_table(
        "open_published",
        sa.Column("series", sa.String(64), primary_key=True),
        sa.Column("period", sa.String(10), primary_key=True),  # 2026-10
        sa.Column("body", sa.LargeBinary, nullable=False),  # JSON, as it is given
        sa.Column("at", sa.Float, nullable=False),  # epoch seconds
    )
