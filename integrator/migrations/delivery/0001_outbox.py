"""The outbox, who follows what, and where it is pushed. In the ledger's own database: a row and its entry commit together."""

import sqlalchemy as sa
from alembic import op

revision, down_revision = "delivery_0001", None

OPEN = sa.text("state IN ('waiting', 'unknown')")
CARRIED = sa.text("state IN ('waiting', 'unknown') AND mode <> 'pull'")
OVER = sa.text("ended IS NOT NULL")
BYTES = sa.LargeBinary()
BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "delivery_message",
        sa.Column("id", BIG, sa.Identity(), primary_key=True),
        sa.Column("uid", sa.String, nullable=False, unique=True),
        sa.Column("digest", BYTES, nullable=False),
        sa.Column("service", sa.String, nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("mode", sa.String, nullable=False),
        sa.Column("recipient", sa.String, nullable=False),
        sa.Column("lane", BYTES, nullable=False),
        sa.Column("org", sa.String, nullable=False),
        sa.Column("app", sa.String, nullable=False),
        sa.Column("purpose", sa.String, nullable=False),
        sa.Column("sender_org", sa.String, nullable=False),
        sa.Column("sender_app", sa.String, nullable=False),
        sa.Column("trace", sa.String, nullable=False),
        sa.Column("sealed", BYTES),
        sa.Column("created", BIG, nullable=False),
        sa.Column("due", BIG, nullable=False),
        sa.Column("deadline", BIG, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
        sa.Column("reason", sa.String),
        sa.Column("leased_by", sa.String),
        sa.Column("leased_until", BIG, nullable=False, server_default="0"),
        sa.Column("ended", BIG),
        sa.Column("question", sa.String),
        sa.Column("answer", sa.String),
        sa.Column("answer_by", BIG),
    )
    # The conditions stand in the questions word for word, or the engines would not use these.
    op.create_index("delivery_carried", "delivery_message", ["id"], sqlite_where=CARRIED, postgresql_where=CARRIED)
    op.create_index("delivery_lane", "delivery_message", ["lane", "id"], sqlite_where=OPEN, postgresql_where=OPEN)
    op.create_index(
        "delivery_recipient", "delivery_message", ["recipient", "id"], sqlite_where=OPEN, postgresql_where=OPEN
    )
    op.create_index("delivery_over", "delivery_message", ["ended"], sqlite_where=OVER, postgresql_where=OVER)
    op.create_table(
        "delivery_subscription",
        sa.Column("uid", sa.String, primary_key=True),
        sa.Column("digest", BYTES, nullable=False),
        sa.Column("org", sa.String, nullable=False),
        sa.Column("app", sa.String, nullable=False),
        sa.Column("purpose", sa.String, nullable=False),
        sa.Column("service", sa.String, nullable=False),
        sa.Column("fields", sa.String, nullable=False),
        sa.Column("mode", sa.String, nullable=False),
        sa.Column("endpoint", sa.String),
        sa.Column("created", BIG, nullable=False),
        sa.Column("ends", BIG, nullable=False),
        sa.Column("ended", BIG),
    )
    op.create_index("delivery_follower", "delivery_subscription", ["service", "org"])
    op.create_table(
        "delivery_endpoint",
        sa.Column("uid", sa.String, primary_key=True),
        sa.Column("org", sa.String, nullable=False),
        sa.Column("url", sa.String, nullable=False),
        sa.Column("created", BIG, nullable=False),
        sa.Column("ended", BIG),
    )
