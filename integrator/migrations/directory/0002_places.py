"""Where a registration stands in its organisation's list: where its first version stood, so that a change moves nothing."""

import sqlalchemy as sa
from alembic import op

revision, down_revision = "directory_0002", "directory_0001"


def upgrade() -> None:
    op.add_column("directory_registration", sa.Column("place", sa.BigInteger, nullable=True))
    op.create_index("directory_id", "directory_registration", ["id"])
    op.execute(
        "UPDATE directory_registration SET place = "
        "(SELECT min(first.seq) FROM directory_registration AS first WHERE first.id = directory_registration.id)"
    )
    now = sa.text("superseded_at IS NULL")
    op.drop_index("directory_own", "directory_registration")
    op.create_index(
        "directory_own", "directory_registration", ["organisation", "purpose", sa.text("coalesce(place, seq)")],
        sqlite_where=now, postgresql_where=now,
    )  # fmt: skip
