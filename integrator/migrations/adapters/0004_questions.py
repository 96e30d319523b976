"""Questions of packages: asked, open or answered, and whether the package has the answer."""

import sqlalchemy as sa
from alembic import op

revision, down_revision = "adapters_0004", "adapters_0003"


def upgrade() -> None:
    op.create_table(
        "adapter_question",
        sa.Column("adapter", sa.String(64), primary_key=True),
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("row", sa.Text, nullable=False),
        sa.Column("answer", sa.Text, nullable=False),
        sa.Column("due", sa.Float, nullable=False),
        sa.Column("until", sa.Float, nullable=False),
        sa.Column("number", sa.BigInteger, nullable=False),
    )
    op.create_index("adapter_question_by_due", "adapter_question", ["adapter", "state", "due"])
