"""The rows that are the only truth about jobs, and the transactions that read and write them.

PostgreSQL and SQLite speak the same statements here. Times are seconds since the epoch (UTC), so
that leases compare as numbers in both.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from functools import cache
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Connection,
    Double,
    Enum,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    UniqueConstraint,
    exc,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from hwr.errors import DatabaseUnavailable
from hwr.states import FINAL_STATES as FINAL_STATES
from hwr.states import State as State
from workers.database_engine import WRITES, make_engine
from workers.settings import Settings, get_settings

#: Trouble of the database or of the way to it, which passes. InternalError is here for a server
#: that only reads, after a failover. What a page has wrongly written is none of these: DataError.
OUTAGES = (exc.OperationalError, exc.InterfaceError, exc.InternalError, exc.TimeoutError)

#: What `sends` of documents and pages says once somebody has begun them: no message of them waits.
BEGUN = -1

#: Of documents and pages: something is still to be done. Of documents alone: they are not closed,
#: also those that wait for their pages. Literally what indexes are made for, so that they are used.
UNFINISHED, OPEN = text("due_at IS NOT NULL"), text("stage <> 'closed'")


class Lane(StrEnum):
    """How urgent a job is."""

    HIGH = "high"  # somebody waits at a screen
    NORMAL = "normal"  # the usual
    LOW = "low"  # archives, when nothing else is to do


class Stage(StrEnum):
    """What a document waits for."""

    SPLIT = "split"  # a split worker, for pages without a row
    READ = "read"  # its pages
    PUBLISH = "publish"  # its result to be written
    CLOSED = "closed"  # nothing


def _column_enum(values: type[StrEnum]) -> Enum:
    """An enum kept as its value in a plain string column: a new value needs no migration."""
    return Enum(
        values,
        native_enum=False,
        length=20,
        create_constraint=False,
        values_callable=lambda members: [member.value for member in members],
    )


class Base(DeclarativeBase):
    """All tables."""

    type_annotation_map = {  # noqa: RUF012 (SQLAlchemy reads this attribute of the class)
        float: Double,
        State: _column_enum(State),
        Lane: _column_enum(Lane),
        Stage: _column_enum(Stage),
        dict[str, str]: JSON(none_as_null=True),
        list[list[int]]: JSON,
        list[dict[str, Any]]: JSON(none_as_null=True),
    }


class Leased:
    """Work that one worker holds at a time. See workers/leases.py."""

    #: Who holds the work; None: nobody.
    lease_token: Mapped[str | None] = mapped_column(String(80))
    #: Held: when the lease ends. Not held: when the reaper sends it again. None: nothing to do.
    due_at: Mapped[float | None]
    #: How often it was sent to the queue again while nobody took it up; BEGUN: somebody has.
    sends: Mapped[int] = mapped_column(default=0)
    #: How often somebody began it.
    attempts: Mapped[int] = mapped_column(default=0)


class Failed:
    """Why something could not be read."""

    #: Name of the error class.
    error_code: Mapped[str | None] = mapped_column(String(80))
    #: What was wrong and what to do.
    error_message: Mapped[str | None]


def _due_index(table: str) -> Index:
    """Finished rows are not in it, so that it stays as small as the work that is left."""
    name = f"ix_{table}_due"
    return Index(name, "due_at", postgresql_where=UNFINISHED, sqlite_where=UNFINISHED)


class Job(Base):
    """What a client submitted in one call."""

    __tablename__ = "jobs"
    __table_args__ = (
        UniqueConstraint("tenant", "idempotency_key"),
        Index("ix_jobs_newest", "tenant", "created_at"),
    )

    #: Random, so that nobody guesses another's.
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    #: Whom it belongs to; nobody else sees it.
    tenant: Mapped[str] = mapped_column(String(200))
    #: How urgent it is.
    lane: Mapped[Lane]
    #: Name of the profile that its pages are laid out by.
    profile: Mapped[str] = mapped_column(String(80), default="page")
    #: The client's name for this submission; the same again is the same job.
    idempotency_key: Mapped[str | None] = mapped_column(String(200))
    #: SHA-256 of what was submitted, to tell a repetition from another submission.
    digest: Mapped[str] = mapped_column(String(64))
    #: Where it stands.
    state: Mapped[State]
    #: Documents that are not closed yet: the fan-in of the job.
    documents_left: Mapped[int]
    #: When it came in.
    created_at: Mapped[float]
    #: When its last document was closed.
    finished_at: Mapped[float | None]


class Document(Leased, Failed, Base):
    """One file of a job. Its lease is held while it is split and while it is published."""

    __tablename__ = "documents"
    __table_args__ = (
        UniqueConstraint("job_id", "position"),
        _due_index("documents"),
        Index("ix_documents_open", "job_id", "state", postgresql_where=OPEN, sqlite_where=OPEN),
    )

    #: Random.
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    #: The job it belongs to.
    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"))
    #: Its place in the job, from 0.
    position: Mapped[int]
    #: The client's name for it.
    name: Mapped[str]
    #: Storage key of the uploaded file; None: see reference.
    key: Mapped[str | None]
    #: s3:// address the file is read from; None: see key.
    reference: Mapped[str | None]
    #: What it waits for.
    stage: Mapped[Stage]
    #: Where it stands.
    state: Mapped[State]
    #: Pages it has; None until it was opened.
    page_count: Mapped[int | None]
    #: Page being split, 0 while opening; `attempts` counts the tries of this one.
    splitting_page: Mapped[int] = mapped_column(default=0)
    #: Pages read: with pages_failed, the fan-in of the document.
    pages_done: Mapped[int] = mapped_column(default=0)
    #: Pages given up by name.
    pages_failed: Mapped[int] = mapped_column(default=0)
    #: Lines of the pages done.
    lines_done: Mapped[int] = mapped_column(default=0)
    #: Lines of these that failed alone.
    lines_failed: Mapped[int] = mapped_column(default=0)
    #: Storage key of the result; None until it was published.
    result_key: Mapped[str | None]


class Page(Leased, Failed, Base):
    """One page that was split. Its lease is held while it is read."""

    __tablename__ = "pages"
    __table_args__ = (
        UniqueConstraint("document_id", "number"),
        _due_index("pages"),
    )

    #: Counted by the database.
    id: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True
    )
    #: The document it belongs to.
    document_id: Mapped[str] = mapped_column(ForeignKey("documents.id", ondelete="CASCADE"))
    #: Its place in the document, from 1.
    number: Mapped[int]
    #: Pixels; 0 when the page could not be rendered.
    width: Mapped[int] = mapped_column(default=0)
    #: Pixels; 0 when the page could not be rendered.
    height: Mapped[int] = mapped_column(default=0)
    #: Storage key of its line pack; None when it has no lines.
    lines_key: Mapped[str | None]
    #: Zones of its profile that were found: name, polygon, what they were found by.
    zones: Mapped[list[dict[str, Any]] | None]
    #: Why these may be wrong, or that its amounts differ: code and message.
    warning: Mapped[dict[str, str] | None]
    #: What its profile adds to the record of what read it.
    profile: Mapped[dict[str, str] | None]
    #: Where it stands.
    state: Mapped[State]
    #: Whether it may have killed a worker, and so is read alone: set by whoever begins it among
    #: others, cleared by whoever lives to hand it back.
    suspected: Mapped[bool] = mapped_column(default=False)
    #: Which model, engine and profile read it.
    reader: Mapped[dict[str, str] | None]


class Line(Failed, Base):
    """One line that was read, or failed alone."""

    __tablename__ = "lines"

    #: The page it stands on.
    page_id: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer, "sqlite"),
        ForeignKey("pages.id", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    )
    #: Its place in reading order, from 0.
    order: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    #: What it says; empty when it failed.
    text: Mapped[str]
    #: 0 … 1; 0 when it failed.
    confidence: Mapped[float]
    #: Corners [x, y] in page pixels.
    polygon: Mapped[list[list[int]]]
    #: Points [x, y] in page pixels, left to right.
    baseline: Mapped[list[list[int]]]
    #: Name of the zone it stands in; None outside of all.
    zone: Mapped[str | None] = mapped_column(String(80))
    #: Number of its sheet, from 1; None where the page is one.
    sheet: Mapped[int | None]


def table_of(rows: type[Base]) -> Table:
    """The table of a class. A statement on it knows no objects and costs half of one on the class.

    Conditions and values have to be of its columns (`table.c`) as well.
    """
    table = rows.__table__
    assert isinstance(table, Table)  # noqa: S101 (tells the type)
    return table


class Database:
    """Short transactions on one database. Threads share it; processes do not."""

    def __init__(self, url: str) -> None:
        self.engine = make_engine(url)
        self._writing = self.engine.execution_options(**{WRITES: True})

    @property
    def address(self) -> str:
        """Its URL for people and logs, without what may hold a password: a query may, too."""
        return self.engine.url.set(query={}).render_as_string(hide_password=True)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A transaction that only reads."""
        with Session(self.engine) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A transaction that writes; commits at its end, rolls back on an exception."""
        with Session(self._writing, expire_on_commit=False) as session, session.begin():
            yield session

    @contextmanager
    def outages_named(self) -> Iterator[None]:
        """Raises DatabaseUnavailable for trouble that is the database's own."""
        try:
            yield
        except exc.SQLAlchemyError as error:
            # Of no kind in particular are a SQLite file that is damaged, and one that is none.
            if not isinstance(error, OUTAGES) and type(error) is not exc.DatabaseError:
                raise
            reason = " ".join(str(getattr(error, "orig", error)).split())
            raise DatabaseUnavailable(
                f"The database {self.address} cannot be used ({reason}). "
                "Check that it runs, and HWR_DATABASE_URL."
            ) from error

    def close(self) -> None:
        """Close all connections; the next transaction opens new ones."""
        self.engine.dispose()


def be_patient(connection: Connection) -> None:
    """Let the statements of this transaction take as long as they need: they meet many rows."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET LOCAL statement_timeout = 0"))


def open_database(settings: Settings) -> Database:
    """A database of this process's own."""
    return Database(settings.database_url)


@contextmanager
def short_lived_database(settings: Settings) -> Iterator[Database]:
    """A database that leaves no connection open, for processes that fork."""
    database = open_database(settings)
    try:
        yield database
    finally:
        database.close()


@cache
def get_database() -> Database:
    """The process's database, opened once."""
    return open_database(get_settings())
