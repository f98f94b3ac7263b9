"""Pages say whether they may have killed the worker that read them."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; what is held now may be held by a worker that does not know it."""
    column = sa.Column("suspected", sa.Boolean, nullable=False, server_default=sa.false())
    op.add_column("pages", column)
