"""Of a question that was answered its key and content stayed as plain digests, which whoever has the table could try.

They are keyed tags from now on. What a package has already is forgotten: asked once more it is answered once more.
"""

from alembic import op

revision, down_revision = "adapters_0005", "adapters_0004"


def upgrade() -> None:
    op.execute("DELETE FROM adapter_question WHERE state = 'told'")
    op.execute("UPDATE adapter_question SET digest = ''")
