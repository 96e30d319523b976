"""Proposed texts, what people said of them, and what is suspended. Times in epoch seconds."""

import sqlalchemy as sa
from alembic import op

revision, down_revision = "governing_0001", None


def upgrade() -> None:
    op.create_table(
        "governing_proposal",
        sa.Column("id", sa.String(32), primary_key=True),  # also the trace of its ledger entries
        sa.Column("state", sa.String(16), nullable=False, index=True),
        sa.Column("effective", sa.BigInteger, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("proof", sa.Text, nullable=False),  # what the machine found, JSON
        sa.Column("proposer", sa.String(64), nullable=False),
        sa.Column("proposer_name", sa.Text, nullable=False),
        sa.Column("proposed", sa.BigInteger, nullable=False),
        sa.Column("place", sa.BigInteger),  # in the row of approvals: later texts stand on earlier ones
        sa.Column("claimed", sa.BigInteger),  # since when a node is bringing it into force
        sa.Column("ended", sa.BigInteger),
        sa.Column("words", sa.Text),  # why it was refused or withdrawn, or what stands in the way
    )
    op.create_table(
        "governing_text",
        sa.Column("proposal", sa.String(32), sa.ForeignKey("governing_proposal.id"), primary_key=True),
        sa.Column("purpose", sa.String(64), primary_key=True),
        sa.Column(
            "replaces", sa.String(64), nullable=False
        ),  # digest of the text it was written from; "" = a new purpose
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("text", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "governing_vote",
        sa.Column("proposal", sa.String(32), sa.ForeignKey("governing_proposal.id"), primary_key=True),
        sa.Column("person", sa.String(64), primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("officer", sa.Boolean, nullable=False),  # speaks as a data protection officer
        sa.Column("voted", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "governing_suspension",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("state", sa.String(16), nullable=False, index=True),  # standing | lifting | lifted
        sa.Column("authorisation", sa.String(128), nullable=False),
        sa.Column("org", sa.String(10)),  # for whom only; NULL = for everybody
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("by_person", sa.String(64), nullable=False),
        sa.Column("by_name", sa.Text, nullable=False),
        sa.Column("since", sa.BigInteger, nullable=False),
        sa.Column("lifter", sa.String(64)),
        sa.Column("lifter_name", sa.Text),
        sa.Column("lift_reason", sa.Text),
        sa.Column("second", sa.String(64)),
        sa.Column("second_name", sa.Text),
        sa.Column("ended", sa.BigInteger),
    )
    revision_table = op.create_table(
        "governing_revision",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("n", sa.BigInteger, nullable=False),  # grows with every change of what is, or will be, in force
    )
    op.bulk_insert(revision_table, [{"id": 1, "n": 0}])
