"""The documents that are not closed are counted, however many are."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the index; pages that are not finished have one."""
    still_open = sa.text("stage <> 'closed'")
    op.create_index(
        "ix_documents_open",
        "documents",
        ["job_id", "state"],
        postgresql_where=still_open,
        sqlite_where=still_open,
    )
