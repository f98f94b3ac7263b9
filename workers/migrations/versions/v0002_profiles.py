"""Jobs name their profile, pages their zones, lines the zone they stand in."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; what was read before was read as free text."""
    profile = sa.Column("profile", sa.String(80), nullable=False, server_default="page")
    op.add_column("jobs", profile)
    for name in ("zones", "warning", "profile"):
        op.add_column("pages", sa.Column(name, sa.JSON))
    op.add_column("lines", sa.Column("zone", sa.String(80)))
