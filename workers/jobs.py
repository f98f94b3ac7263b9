"""The client's side of a job: submit it, look at it, cancel it.

The pages of a job are worked on in workers/stages/; its results are told by workers/results.py;
its messages are sent by workers/dispatch.py after `submit` has returned.
"""

import hashlib
import json
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Row, bindparam, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from hwr.errors import (
    IdempotencyConflict,
    JobNotFound,
    NoDocuments,
    ReferenceRefused,
    TooManyDocuments,
)
from hwr.failure import Failure
from hwr.profiles import FREE_TEXT, load_profile
from workers import leases
from workers.database import (
    FINAL_STATES,
    Database,
    Document,
    Job,
    Lane,
    Page,
    Stage,
    State,
    be_patient,
    table_of,
)
from workers.settings import Settings

_JOBS, _DOCUMENTS = table_of(Job), table_of(Document)

#: What clients ask for again and again while a job runs: made once.
_JOB = select(_JOBS).where(_JOBS.c.id == bindparam("job_id"), _JOBS.c.tenant == bindparam("tenant"))
_ITS_DOCUMENTS = (
    select(_DOCUMENTS)
    .where(_DOCUMENTS.c.job_id == bindparam("job_id"))
    .order_by(_DOCUMENTS.c.position)
)


def new_id() -> str:
    """An id for a job or a document: 32 random hexadecimal digits."""
    return uuid.uuid4().hex


@dataclass(frozen=True, kw_only=True)
class NewDocument:
    """A document as a client hands it in: an uploaded original or a reference, never both."""

    #: The client's name for it.
    name: str
    #: Storage key of the uploaded original.
    key: str | None = None
    #: s3:// address of a file that stays where it is.
    reference: str | None = None
    #: SHA-256 of the uploaded bytes: tells a repeated submission from a different one.
    digest: str = ""
    #: Its id, when the caller needed one for the key.
    id: str = field(default_factory=new_id)


@dataclass(frozen=True, kw_only=True)
class Submission:
    """The answer to a submission."""

    #: The job that has the documents.
    job_id: str
    #: False: the idempotency key was known, this is the job of the first call.
    created: bool


@dataclass(frozen=True, kw_only=True)
class DocumentView:
    """Where a document stands."""

    #: Its id.
    id: str
    #: The client's name for it.
    name: str
    #: Where it stands.
    state: State
    #: Why it failed.
    error: Failure | None
    #: Pages it has; None until it was opened.
    page_count: int | None
    #: Pages read.
    pages_done: int
    #: Pages given up by name.
    pages_failed: int
    #: Lines of the pages read.
    lines_done: int


@dataclass(frozen=True, kw_only=True)
class JobView:
    """Where a job stands."""

    #: Its id.
    id: str
    #: How urgent it is.
    lane: Lane
    #: Name of the profile that its pages are laid out by.
    profile: str
    #: Where it stands.
    state: State
    #: When it came in.
    created: datetime
    #: When its last document was closed.
    finished: datetime | None
    #: The client's name for its submission, if it gave one.
    idempotency_key: str | None
    #: Its documents in the order they were handed in.
    documents: tuple[DocumentView, ...]

    @property
    def pages_total_known(self) -> int:
        """Pages of the documents that were opened so far."""
        return sum(document.page_count or 0 for document in self.documents)

    @property
    def pages_done(self) -> int:
        """Pages finished, read or given up."""
        return sum(document.pages_done + document.pages_failed for document in self.documents)

    @property
    def lines_done(self) -> int:
        """Lines of the pages read."""
        return sum(document.lines_done for document in self.documents)


def submit(
    database: Database,
    settings: Settings,
    *,
    tenant: str,
    documents: Sequence[NewDocument],
    lane: Lane = Lane.NORMAL,
    profile: str = FREE_TEXT,
    idempotency_key: str | None = None,
    known: Row[str, str] | None = None,
    job_id: str | None = None,
) -> Submission:
    """Write a job down. Send its messages with `workers.dispatch.send_documents` afterwards.

    Args:
        known: What `find_submission` told before the documents came in. Such are in no storage, so
            that they never make a new job, also where the known one was deleted since.
        job_id: The id it gets when it is new (see `new_id`); by default a random one.

    Raises:
        NoDocuments, TooManyDocuments, ReferenceRefused: the submission cannot be taken.
        ProfileError: the profile is unknown or cannot be used.
        IdempotencyConflict: the tenant used the key for other documents.
    """
    _check(settings, documents)
    job = Job(
        id=job_id or new_id(),
        tenant=tenant,
        lane=lane,
        profile=profile,
        idempotency_key=idempotency_key,
        digest=_digest(lane, profile, documents),
        state=State.QUEUED,
        documents_left=len(documents),
        created_at=time.time(),
    )
    known = known or find_submission(database, tenant=tenant, idempotency_key=idempotency_key)
    if known is None:
        load_profile(profile, settings.profiles)
        known = _insert(database, settings, job, documents)
    if known is None:
        return Submission(job_id=job.id, created=True)
    if known.digest != job.digest:
        raise IdempotencyConflict
    return Submission(job_id=known.id, created=False)


def find_submission(
    database: Database, *, tenant: str, idempotency_key: str | None
) -> Row[str, str] | None:
    """Id and digest of the job that the tenant has submitted under the key, if there is one."""
    if idempotency_key is None:
        return None
    query = select(_JOBS.c.id, _JOBS.c.digest).where(
        _JOBS.c.tenant == tenant, _JOBS.c.idempotency_key == idempotency_key
    )
    with database.reading() as session:
        return session.execute(query).one_or_none()


def was_written(database: Database, job_id: str) -> bool:
    """Whether there is a job of this id, also where the answer to its commit was lost."""
    # A query would not see a commit that is still under way. A row of the same id has to await it.
    probe = insert(table_of(Job)).values(
        id=job_id,
        tenant="",
        lane=Lane.LOW,
        digest="",
        state=State.CANCELLED,
        documents_left=0,
        created_at=0.0,
    )
    try:
        with database.writing() as session:
            session.execute(probe)
            session.rollback()
    except IntegrityError:
        return True
    return False


def view(database: Database, *, tenant: str, job_id: str) -> JobView:
    """Where the job stands.

    Raises:
        JobNotFound: the tenant has no such job.
    """
    with database.reading() as session:
        job = _job(session, tenant, job_id)
        documents = session.execute(_ITS_DOCUMENTS, {"job_id": job_id}).all()
    if not documents:
        raise JobNotFound(f"The job {job_id!r} was deleted. Submit its documents again.")
    return _job_view(job, tuple(map(_document_view, documents)))


def cancel(database: Database, *, tenant: str, job_id: str) -> None:
    """Call a job off. What was read stays readable; a finished job stays as it is.

    Raises:
        JobNotFound: the tenant has no such job.
    """
    with database.writing() as session:
        be_patient(session.connection())
        _job(session, tenant, job_id)
        ended = session.execute(
            update(Job)
            .where(Job.id == job_id, Job.state.not_in(FINAL_STATES))
            .values(state=State.CANCELLED, finished_at=time.time(), documents_left=0)
            .returning(Job.id)
        )
        if ended.first() is not None:
            _cancel_documents(session, job_id)


def _cancel_documents(session: Session, job_id: str) -> None:
    nobody = {"lease_token": None, "due_at": None}
    # Rows are locked from job to document to page everywhere, so that no two transactions wait
    # for each other.
    open_documents = leases.in_order(
        Document, Document.job_id == job_id, Document.stage != Stage.CLOSED
    )
    ids = session.scalars(open_documents).all()
    open_pages = leases.in_order(Page, Page.document_id.in_(ids), Page.state.not_in(FINAL_STATES))
    session.execute(
        update(Page)
        .where(Page.id.in_(open_pages))
        .values(state=State.CANCELLED, **nobody)
        .execution_options(synchronize_session=False)  # the session has no pages
    )
    session.execute(
        update(Document)
        .where(Document.id.in_(ids))
        .values(state=State.CANCELLED, stage=Stage.CLOSED, **nobody)
    )


def _check(settings: Settings, documents: Sequence[NewDocument]) -> None:
    if not documents:
        raise NoDocuments
    if len(documents) > settings.max_documents:
        raise TooManyDocuments(
            f"The job has {len(documents)} documents, {settings.max_documents} are permitted. "
            "Submit it as several jobs."
        )
    for document in documents:
        _check_reference(settings, document)


def _check_reference(settings: Settings, document: NewDocument) -> None:
    reference = document.reference
    if (reference is None) == (document.key is None):
        raise ReferenceRefused(f"{document.name!r} needs either a file or an s3:// reference.")
    if reference is None:
        return
    folders = tuple(prefix.rstrip("/") + "/" for prefix in settings.reference_prefixes)
    if not (reference.startswith("s3://") and reference.startswith(folders)):
        raise ReferenceRefused(
            f"The service may not read {reference!r}. "
            "Ask the operator to add its prefix to HWR_REFERENCE_PREFIXES."
        )


def _digest(lane: Lane, profile: str, documents: Sequence[NewDocument]) -> str:
    content = [[doc.name, doc.reference, doc.digest] for doc in documents]
    # Keys given before there were profiles stay good.
    told = [lane, content] if profile == FREE_TEXT else [lane, content, profile]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()


def _insert(
    database: Database, settings: Settings, job: Job, documents: Sequence[NewDocument]
) -> Row[str, str] | None:
    """Write the job down, unless its key came in twice at once and the other, returned, is."""
    try:
        return _insert_once(database, settings, job, documents)
    except IntegrityError:  # the other was deleted since, so that the key is free
        return _insert_once(database, settings, job, documents)


def _insert_once(
    database: Database, settings: Settings, job: Job, documents: Sequence[NewDocument]
) -> Row[str, str] | None:
    try:
        with database.writing() as session:
            _add(session, job, documents, leases.resend_at(settings))
    except IntegrityError:
        if faster := find_submission(
            database, tenant=job.tenant, idempotency_key=job.idempotency_key
        ):
            return faster
        raise
    return None


def _add(session: Session, job: Job, documents: Sequence[NewDocument], due_at: float) -> None:
    session.add(job)
    session.flush()
    session.add_all(
        _new_row(job.id, position, document, due_at) for position, document in enumerate(documents)
    )


def _new_row(job_id: str, position: int, document: NewDocument, due_at: float) -> Document:
    return Document(
        id=document.id,
        job_id=job_id,
        position=position,
        name=document.name,
        key=document.key,
        reference=document.reference,
        stage=Stage.SPLIT,
        state=State.QUEUED,
        due_at=due_at,
    )


def _job(session: Session, tenant: str, job_id: str) -> Row[Any]:
    job = session.execute(_JOB, {"job_id": job_id, "tenant": tenant}).one_or_none()
    if job is None:
        raise JobNotFound(f"There is no job {job_id[:100]!r}. Check its id and your key.")
    return job


def _job_view(job: Row[Any], documents: tuple[DocumentView, ...]) -> JobView:
    return JobView(
        id=job.id,
        lane=job.lane,
        profile=job.profile,
        state=job.state,
        created=datetime.fromtimestamp(job.created_at, UTC),
        finished=datetime.fromtimestamp(job.finished_at, UTC) if job.finished_at else None,
        idempotency_key=job.idempotency_key,
        documents=documents,
    )


def _document_view(document: Row[Any]) -> DocumentView:
    return DocumentView(
        id=document.id,
        name=document.name,
        state=document.state,
        error=failure(document.error_code, document.error_message),
        page_count=document.page_count,
        pages_done=document.pages_done,
        pages_failed=document.pages_failed,
        lines_done=document.lines_done,
    )


def failure(code: str | None, message: str | None) -> Failure | None:
    """A failure from its two columns."""
    return None if code is None else Failure(code=code, message=message or "")
