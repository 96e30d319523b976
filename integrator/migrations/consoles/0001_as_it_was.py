"""What the consoles kept before they took steps: made here where it is missing, left as it is where create_all made it."""

import sqlalchemy as sa
from alembic import op

revision, down_revision = "consoles_0001", None


def upgrade() -> None:
    op.create_table(
        "casefile",
        sa.Column("id", sa.String(24), primary_key=True),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("org", sa.String(10)),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("received", sa.String(10), nullable=False),
        sa.Column("due", sa.String(10), nullable=False),
        sa.Column("closed", sa.String(10)),
        sa.Column("tag", sa.String(43)),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.UniqueConstraint("year", "number"),
        if_not_exists=True,
    )
    op.create_index("ix_casefile_org", "casefile", ["org"], if_not_exists=True)
    op.create_index("ix_casefile_state", "casefile", ["state"], if_not_exists=True)
    op.create_index("ix_casefile_tag", "casefile", ["tag"], if_not_exists=True)
    op.create_table(
        "casefile_paper",
        sa.Column("file", sa.String(24), primary_key=True),
        sa.Column("name", sa.String(40), primary_key=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        if_not_exists=True,
    )
    op.create_table(
        "citizen_notice",
        sa.Column("tag", sa.String(43), primary_key=True),
        sa.Column("seen", sa.BigInteger(), nullable=False),
        if_not_exists=True,
    )
    op.create_table(
        "console_account",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("name", sa.String(40), nullable=False),
        sa.Column("roles", sa.String(80), nullable=False),
        sa.Column("org", sa.String(10)),
        sa.Column("password", sa.Text()),
        sa.Column("totp", sa.Text()),
        sa.Column("step", sa.BigInteger(), nullable=False),
        sa.Column("setup", sa.String(64)),
        sa.Column("setup_until", sa.BigInteger()),
        sa.UniqueConstraint("name"),
        if_not_exists=True,
    )
    op.create_table(
        "console_attempt",
        sa.Column("tag", sa.String(64), primary_key=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        if_not_exists=True,
    )
    op.create_table(
        "console_order",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("action", sa.String(16), nullable=False),
        sa.Column("org", sa.String(10)),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("asker", sa.String(64), nullable=False),
        sa.Column("asker_name", sa.Text(), nullable=False),
        sa.Column("asked", sa.BigInteger(), nullable=False),
        sa.Column("second", sa.String(64)),
        sa.Column("second_name", sa.Text()),
        sa.Column("decided", sa.BigInteger()),
        sa.Column("words", sa.Text()),
        sa.Column("entries", sa.Text()),
        if_not_exists=True,
    )
    op.create_index("ix_console_order_org", "console_order", ["org"], if_not_exists=True)
    op.create_index("ix_console_order_state", "console_order", ["state"], if_not_exists=True)
    op.create_table(
        "console_protected_wish",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("asker", sa.String(64), nullable=False),
        sa.Column("asker_name", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("asked", sa.BigInteger(), nullable=False),
        if_not_exists=True,
    )
    op.create_table(
        "console_session",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("person", sa.String(64), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("began", sa.BigInteger(), nullable=False),
        sa.Column("seen", sa.BigInteger(), nullable=False),
        if_not_exists=True,
    )
    op.create_index("ix_console_session_person", "console_session", ["person"], if_not_exists=True)
    op.create_index("ix_console_session_seen", "console_session", ["seen"], if_not_exists=True)
    op.create_table(
        "console_verification",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("began", sa.BigInteger(), nullable=False),
        sa.Column("ended", sa.BigInteger()),
        sa.Column("by_name", sa.Text(), nullable=False),
        sa.Column("reach", sa.String(8), nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("entries", sa.BigInteger(), nullable=False),
        sa.Column("verdicts", sa.Text()),
        sa.Column("marks", sa.Text()),
        if_not_exists=True,
    )
    op.create_index("ix_console_verification_began", "console_verification", ["began"], if_not_exists=True)
    op.create_table(
        "contest",
        sa.Column("id", sa.String(24), primary_key=True),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("org", sa.String(10)),
        sa.Column("tag", sa.String(43), nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("opened", sa.String(10), nullable=False),
        sa.Column("due", sa.String(10), nullable=False),
        sa.Column("closed", sa.String(10)),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.UniqueConstraint("year", "number"),
        if_not_exists=True,
    )
    op.create_index("ix_contest_org", "contest", ["org"], if_not_exists=True)
    op.create_index("ix_contest_state", "contest", ["state"], if_not_exists=True)
    op.create_index("ix_contest_tag", "contest", ["tag"], if_not_exists=True)
    op.create_table(
        "reveal",
        sa.Column("id", sa.String(24), primary_key=True),
        sa.Column("shard", sa.String(200), nullable=False),
        sa.Column("index", sa.BigInteger(), nullable=False),
        sa.Column("org", sa.String(10)),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("asked_by", sa.String(64), nullable=False),
        sa.Column("asked_name", sa.String(100), nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("decided_by", sa.String(64)),
        sa.Column("decided_name", sa.String(100)),
        sa.Column("decided_at", sa.BigInteger()),
        sa.Column("until", sa.BigInteger()),
        if_not_exists=True,
    )
    op.create_index("ix_reveal_asked_by", "reveal", ["asked_by"], if_not_exists=True)
