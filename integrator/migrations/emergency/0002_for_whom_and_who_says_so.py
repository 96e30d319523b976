"""For which colleague an agent acted, and whether his issuer vouched for him or only the application named him."""

import sqlalchemy as sa
from alembic import op

revision, down_revision = "emergency_0002", "emergency_0001"


def upgrade() -> None:
    op.add_column("emergencies", sa.Column("on_behalf_of", sa.String(200), nullable=True))
    op.add_column("emergencies", sa.Column("vouched", sa.Boolean(), nullable=False, server_default=sa.false()))
