"""The jobs of a tenant are listed, newest first."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the index; a key is found by its own."""
    op.create_index("ix_jobs_newest", "jobs", ["tenant", "created_at"])
