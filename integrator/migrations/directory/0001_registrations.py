"""Registrations in versions, numbers that were replaced, and the proof that the key is the one they were sealed with."""

import sqlalchemy as sa
from alembic import op

revision, down_revision = "directory_0001", None


def upgrade() -> None:
    op.create_table(
        "directory_registration",
        sa.Column(
            "seq", sa.BigInteger().with_variant(sa.Integer, "sqlite"), sa.Identity(always=False), primary_key=True
        ),
        sa.Column("id", sa.String(22), nullable=False),
        sa.Column("organisation", sa.String(10), nullable=False),
        sa.Column("tag", sa.LargeBinary(16), nullable=False),
        sa.Column("purpose", sa.String(64), nullable=False),
        sa.Column("quality", sa.String(8), nullable=False),
        sa.Column("starts", sa.String(10), nullable=False),
        sa.Column("ends", sa.String(10), nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("origin", sa.String(8), nullable=False),
        sa.Column("recorded_at", sa.BigInteger, nullable=False),
        sa.Column("superseded_at", sa.BigInteger, nullable=True),
    )
    now = sa.text("superseded_at IS NULL")
    # Every column a look-up needs: it never touches the table. Most people have few rows, so the tag alone selects.
    op.create_index(
        "directory_now", "directory_registration", ["tag", "organisation", "purpose", "quality", "starts", "ends"],
        sqlite_where=now, postgresql_where=now,
    )  # fmt: skip
    op.create_index(
        "directory_own", "directory_registration", ["organisation", "purpose", "seq"],
        sqlite_where=now, postgresql_where=now,
    )  # fmt: skip
    op.create_index("directory_past", "directory_registration", ["tag", "organisation"])
    op.create_table(
        "directory_number",  # numbers that were replaced, each with the newest one of the same person
        sa.Column("tag", sa.LargeBinary(16), primary_key=True),
        sa.Column("head", sa.LargeBinary(16), nullable=False, index=True),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("recorded_at", sa.BigInteger, nullable=False),
    )
    op.create_table("directory_key", sa.Column("proof", sa.LargeBinary(16), primary_key=True))
