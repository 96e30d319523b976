"""What is counted every few seconds, and what is overdue, is found without looking at all that was ever delivered.

And the purpose of who sent a message: its answer is for that purpose, whatever the receiver's is.
"""

import sqlalchemy as sa
from alembic import op

revision, down_revision = "delivery_0002", "delivery_0001"

# Word for word as in integrator/delivery/tables.py, or the engines would not use these.
STANDING = sa.text("state IN ('waiting', 'unknown', 'dead')")
FETCHED = sa.text("state IN ('waiting', 'unknown') AND mode = 'pull'")
AWAITING = sa.text("answer = 'awaiting'")


def upgrade() -> None:
    op.create_index(
        "delivery_standing", "delivery_message", ["state", "created"], sqlite_where=STANDING, postgresql_where=STANDING
    )
    op.create_index("delivery_fetched", "delivery_message", ["id"], sqlite_where=FETCHED, postgresql_where=FETCHED)
    op.create_index(
        "delivery_awaiting", "delivery_message", ["answer_by"], sqlite_where=AWAITING, postgresql_where=AWAITING
    )
    op.add_column("delivery_message", sa.Column("sender_purpose", sa.String(), nullable=True))
