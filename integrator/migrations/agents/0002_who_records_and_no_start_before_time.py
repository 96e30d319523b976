"""Which process records an act now, so that two do not; and no delegation that begins in a year no list can write."""

import sqlalchemy as sa
from alembic import op

revision, down_revision = "agents_0002", "agents_0001"


def upgrade() -> None:
    op.add_column("agents_act", sa.Column("claimed", sa.Float(), nullable=True))
    op.execute(sa.text("UPDATE agents_delegation SET starts = made WHERE starts < 0"))
