"""What was leased of each limit in each window, and the salt that hides who an agent is."""

import sqlalchemy as sa
from alembic import op

revision, down_revision = "quotas_0001", None


def upgrade() -> None:
    op.create_table(
        "quota_taken",
        sa.Column("key", sa.String(200), primary_key=True),  # no agent in clear
        sa.Column("window", sa.BigInteger, primary_key=True),  # number of the minute or day since 1970, UTC
        sa.Column("taken", sa.BigInteger, nullable=False),  # leased to processes, whether used or not
        sa.Column("lease", sa.BigInteger, nullable=False),  # the newest one
        sa.Column("ends", sa.BigInteger, nullable=False),  # epoch seconds
    )
    op.create_index("quota_taken_ends", "quota_taken", ["ends"])
    op.create_table(
        "quota_salt", sa.Column("id", sa.Integer, primary_key=True), sa.Column("salt", sa.LargeBinary, nullable=False)
    )
