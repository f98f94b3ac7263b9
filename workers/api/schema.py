"""What the API answers with, for clients and for /docs."""

from dataclasses import asdict
from datetime import datetime

from pydantic import BaseModel, Field

from workers.database import Lane, State
from workers.job_list import JobPage
from workers.jobs import JobView


class Error(BaseModel):
    """What was wrong, by its stable name, and what to do next."""

    code: str
    message: str


class Refusal(BaseModel):
    """The answer to a request that was refused or failed."""

    error: Error


class Document(BaseModel):
    """Where a document stands. Its result: GET /v1/jobs/{job_id}/results/{id}."""

    id: str
    name: str
    state: State
    error: Error | None
    page_count: int | None
    pages_done: int
    pages_failed: int
    lines_done: int


class Job(BaseModel):
    """Where a job stands."""

    id: str
    state: State
    lane: Lane
    profile: str
    created: datetime
    finished: datetime | None
    idempotency_key: str | None
    pages_done: int
    pages_total_known: int
    lines_done: int
    url: str
    results_url: str
    documents: list[Document]


class JobEntry(BaseModel):
    """A job in a list."""

    id: str
    state: State
    created: datetime
    idempotency_key: str | None
    url: str


class JobList(BaseModel):
    """Jobs, newest first."""

    jobs: list[JobEntry]
    next: str | None = Field(
        description="Address of the list that goes on after these jobs; null: there are no more"
    )


def job_list_json(page: JobPage, next_url: str | None) -> JobList:
    """The answer for some jobs of a list, and where the next are."""
    jobs = [JobEntry(url=f"/v1/jobs/{job.id}", **asdict(job)) for job in page.jobs]
    return JobList(jobs=jobs, next=next_url)


def job_json(view: JobView) -> Job:
    """The answer for a job."""
    return Job(
        id=view.id,
        state=view.state,
        lane=view.lane,
        profile=view.profile,
        created=view.created,
        finished=view.finished,
        idempotency_key=view.idempotency_key,
        pages_done=view.pages_done,
        pages_total_known=view.pages_total_known,
        lines_done=view.lines_done,
        url=f"/v1/jobs/{view.id}",
        results_url=f"/v1/jobs/{view.id}/results",
        documents=[Document.model_validate(one, from_attributes=True) for one in view.documents],
    )
