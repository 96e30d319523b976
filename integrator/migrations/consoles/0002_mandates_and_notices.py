"""Who may act for whom, and where somebody is told that there is something new."""

import sqlalchemy as sa
from alembic import op

revision, down_revision = "consoles_0002", "consoles_0001"


def upgrade() -> None:
    op.create_table(
        "mandate",
        sa.Column("id", sa.String(24), primary_key=True),
        sa.Column("holder", sa.String(43), nullable=False, index=True),
        sa.Column("person", sa.String(43), nullable=False, index=True),
        sa.Column("org", sa.String(10), nullable=True, index=True),
        sa.Column("ends", sa.String(10), nullable=False),
        sa.Column("ended", sa.String(10), nullable=True),
        sa.Column("sealed", sa.Text(), nullable=False),
    )
    op.add_column("citizen_notice", sa.Column("sealed", sa.Text(), nullable=True))
    op.add_column("citizen_notice", sa.Column("told", sa.BigInteger(), nullable=True))
    op.add_column("console_session", sa.Column("version", sa.Integer(), nullable=False, server_default="0"))
