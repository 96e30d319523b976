"""Which process writes about an emergency now, so that two do not."""

import sqlalchemy as sa
from alembic import op

revision, down_revision = "emergency_0003", "emergency_0002"


def upgrade() -> None:
    op.add_column("emergencies", sa.Column("claimed", sa.Float(), nullable=True))
