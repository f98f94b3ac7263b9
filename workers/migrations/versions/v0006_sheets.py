"""Lines name the sheet they are on, where a page shows several."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; what was read before was read as one sheet a page."""
    op.add_column("lines", sa.Column("sheet", sa.Integer))
