"""Jobs, documents, pages and lines."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    _make_jobs()
    _make_documents()
    _make_pages()
    _make_lines()


def _make_jobs() -> None:
    op.create_table(
        "jobs",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("tenant", sa.String(200), nullable=False),
        sa.Column("lane", sa.String(20), nullable=False),
        sa.Column("idempotency_key", sa.String(200)),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("documents_left", sa.Integer, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("finished_at", sa.Double),
        sa.UniqueConstraint("tenant", "idempotency_key"),
    )


def _make_documents() -> None:
    op.create_table(
        "documents",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column(
            "job_id", sa.String(32), sa.ForeignKey("jobs.id", ondelete="CASCADE"), nullable=False
        ),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("key", sa.String),
        sa.Column("reference", sa.String),
        sa.Column("stage", sa.String(20), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("page_count", sa.Integer),
        sa.Column("splitting_page", sa.Integer, nullable=False),
        sa.Column("pages_done", sa.Integer, nullable=False),
        sa.Column("pages_failed", sa.Integer, nullable=False),
        sa.Column("lines_done", sa.Integer, nullable=False),
        sa.Column("lines_failed", sa.Integer, nullable=False),
        sa.Column("result_key", sa.String),
        *_lease(),
        *_error(),
        sa.UniqueConstraint("job_id", "position"),
    )
    _index_due("documents")


def _make_pages() -> None:
    number = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    document = sa.ForeignKey("documents.id", ondelete="CASCADE")
    op.create_table(
        "pages",
        sa.Column("id", number, primary_key=True, autoincrement=True),
        sa.Column("document_id", sa.String(32), document, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("width", sa.Integer, nullable=False),
        sa.Column("height", sa.Integer, nullable=False),
        sa.Column("lines_key", sa.String),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("reader", sa.JSON),
        *_lease(),
        *_error(),
        sa.UniqueConstraint("document_id", "number"),
    )
    _index_due("pages")


def _make_lines() -> None:
    page = sa.ForeignKey("pages.id", ondelete="CASCADE")
    number = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    op.create_table(
        "lines",
        sa.Column("page_id", number, page, primary_key=True, autoincrement=False),
        sa.Column("order", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("text", sa.String, nullable=False),
        sa.Column("confidence", sa.Double, nullable=False),
        sa.Column("polygon", sa.JSON, nullable=False),
        sa.Column("baseline", sa.JSON, nullable=False),
        *_error(),
    )


def _lease() -> list[sa.Column[object]]:
    return [
        sa.Column("lease_token", sa.String(80)),
        sa.Column("due_at", sa.Double),
        sa.Column("sends", sa.Integer, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
    ]


def _error() -> list[sa.Column[object]]:
    return [sa.Column("error_code", sa.String(80)), sa.Column("error_message", sa.String)]


def _index_due(table: str) -> None:
    unfinished = sa.text("due_at IS NOT NULL")
    op.create_index(
        f"ix_{table}_due",
        table,
        ["due_at"],
        postgresql_where=unfinished,
        sqlite_where=unfinished,
    )
