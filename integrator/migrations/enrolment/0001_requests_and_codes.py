"""Applications that ask to be let in, and one-time codes for the page of rights."""

import sqlalchemy as sa
from alembic import op

revision, down_revision = "enrolment_0001", None


def upgrade() -> None:
    op.create_table(
        "enrolment_request",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("secret", sa.String(64), nullable=False),  # SHA-256, hexadecimal
        sa.Column("name", sa.String(64), nullable=False),  # wished for; the operator may give another
        sa.Column("title", sa.String(120), nullable=False),
        sa.Column("organisation", sa.String(10), nullable=False, index=True),
        sa.Column("purposes", sa.Text, nullable=False),  # JSON
        sa.Column("jwk", sa.Text, nullable=False),  # JSON
        sa.Column("kid", sa.String(64), nullable=False, index=True),
        sa.Column("contact", sa.String(120), nullable=False),  # a role's mailbox
        sa.Column("certificate_bound", sa.Boolean, nullable=False),
        sa.Column("asked", sa.BigInteger, nullable=False, index=True),  # epoch seconds, as all moments here
        sa.Column("state", sa.String(10), nullable=False),  # waiting | admitted | approved | refused
        sa.Column("decided", sa.BigInteger),
        sa.Column("reason", sa.String(40)),  # of a refusal, a code
        sa.Column("operator", sa.String(80)),  # account of who approved as operator
        sa.Column("dpo", sa.String(80)),  # account of who approved as data protection officer
    )
    op.create_table(
        "enrolment_code",
        sa.Column("code", sa.String(64), primary_key=True),  # SHA-256, hexadecimal
        sa.Column("application", sa.String(64), nullable=False),
        sa.Column("expires", sa.BigInteger, nullable=False),
    )
