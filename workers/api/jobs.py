"""The addresses of jobs."""

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, BackgroundTasks, Depends, Header, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from sqlalchemy import Row

from hwr.errors import (
    BadRequest,
    DatabaseUnavailable,
    DocumentTooLarge,
    HwrError,
    IdempotencyConflict,
    JobDeleted,
    JobNotFound,
    JobUnfinished,
    KeyRefused,
    NoDocuments,
    ProfileError,
    ReferenceRefused,
    ReferenceUnreadable,
    ServiceUnavailable,
    StorageUnavailable,
    TooManyDocuments,
    TooManyWaiting,
    UnknownProfile,
    UnsupportedMediaType,
)
from hwr.profiles import FREE_TEXT
from workers import job_list, jobs
from workers.api.advice import ADVICE, advise
from workers.api.conditional import CONDITIONAL, TAGGED, IfNoneMatch, tagged
from workers.api.errors import headers, refusals
from workers.api.parameters import check_parameters
from workers.api.schema import Job, JobList, job_json, job_list_json
from workers.api.services import Services, ServicesOf, Tenant
from workers.api.submission import (
    Received,
    ReferenceList,
    discard,
    discard_unless_written,
    receive,
)
from workers.api.threads import ended
from workers.backlog import check_room
from workers.database import Lane, State
from workers.job_list import Cursor, JobPage
from workers.jobs import JobView
from workers.retention import delete_own

router = APIRouter(
    prefix="/v1/jobs",
    tags=["jobs"],
    responses=refusals(BadRequest, KeyRefused, DatabaseUnavailable),
    dependencies=[Depends(check_parameters)],
)

#: Longest Idempotency-Key in characters.
_MAX_KEY = 200

#: Jobs in a list, unless the client says otherwise, and at most.
_LISTED, _MAX_LISTED = 50, 500

_MULTIPART = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "files": {"type": "array", "items": {"type": "string", "format": "binary"}},
        "references": {"type": "array", "items": {"type": "string"}},
        "lane": {"type": "string", "enum": list(Lane), "default": Lane.NORMAL},
        "profile": {
            "type": "string",
            "default": FREE_TEXT,
            "description": "page, exam, cheque or the service's own",
        },
    },
}

#: What an answer to a submission has beside the job.
_SUBMITTED = ADVICE | {"Location": "Address of the job"}

_KEY_SCHEMA = {"minLength": 1, "maxLength": _MAX_KEY, "pattern": "^[ -~]+$"}

_REFERENCES = ReferenceList.model_json_schema(ref_template="#/components/schemas/{model}")

#: What a submission may be refused for beside what any request may, by status.
_REFUSED = refusals(
    BadRequest,
    NoDocuments,
    ReferenceUnreadable,
    ReferenceRefused,
    IdempotencyConflict,
    JobDeleted,
    DocumentTooLarge,
    TooManyDocuments,
    UnsupportedMediaType,
    ProfileError,
    UnknownProfile,
    TooManyWaiting,
    DatabaseUnavailable,
    ServiceUnavailable,
    StorageUnavailable,
)

_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {"schema": _MULTIPART},
            "application/json": {"schema": _REFERENCES},
        },
    }
}


@router.post(
    "",
    status_code=202,
    operation_id="submit_job",
    openapi_extra=_BODY,
    responses={**_REFUSED, 202: headers(_SUBMITTED)},
)
async def submit(
    request: Request,
    response: Response,
    background: BackgroundTasks,
    services: ServicesOf,
    tenant: Tenant,
    idempotency_key: Annotated[
        str | None, Header(description="Same key, same job", json_schema_extra=_KEY_SCHEMA)
    ] = None,
) -> Job:
    """Submit documents: files, s3:// references, or both in one multipart body."""
    _check_key(idempotency_key, request.headers.getlist("idempotency-key"))
    known = await run_in_threadpool(_known_or_room, services, tenant, idempotency_key)
    with services.submissions.one():
        received = await receive(request, services, known)
        job_id = await _write_down(services, tenant, received, idempotency_key)
    request.state.job = job_id
    # After the answer: Redis may be slow or away, and the database already has the job.
    background.add_task(services.sending.begin, job_id)
    view = await run_in_threadpool(_submitted, services, tenant, job_id)
    response.headers["Location"] = f"/v1/jobs/{job_id}"
    advise(response, view)
    return job_json(view)


@router.get("", operation_id="list_jobs")
@router.head("", include_in_schema=False)
def newest(
    request: Request,
    services: ServicesOf,
    tenant: Tenant,
    idempotency_key: Annotated[
        str | None, Query(min_length=1, max_length=_MAX_KEY, description="Only the job of this key")
    ] = None,
    state: Annotated[State | None, Query(description="Only jobs that stand there")] = None,
    limit: Annotated[int, Query(ge=1, le=_MAX_LISTED, description="How many at most")] = _LISTED,
    cursor: Annotated[
        str | None,
        Query(description="Where to go on: part of the address `next` of the list before"),
    ] = None,
) -> JobList:
    """Your jobs, newest first. Jobs that come in later never move into the lists after `next`."""
    page = job_list.newest(
        services.database,
        tenant=tenant,
        limit=limit,
        idempotency_key=idempotency_key,
        state=state,
        after=None if cursor is None else Cursor.parse(cursor),
    )
    return job_list_json(page, _next_url(request, page))


def _next_url(request: Request, page: JobPage) -> str | None:
    if page.next is None:
        return None
    # A path of ours, as all addresses in answers: a proxy may have another host and scheme.
    asked = dict(request.query_params) | {"cursor": str(page.next)}
    return f"{router.prefix}?{urlencode(asked)}"


@router.get(
    "/{job_id}",
    operation_id="get_job",
    response_model=Job,
    responses={**refusals(JobNotFound), **CONDITIONAL, 200: headers(ADVICE | TAGGED)},
)
@router.head("/{job_id}", response_model=Job, include_in_schema=False)
def view(
    response: Response,
    services: ServicesOf,
    tenant: Tenant,
    job_id: str,
    if_none_match: IfNoneMatch = None,
) -> Response | Job:
    """Where the job and each of its documents stand."""
    view = jobs.view(services.database, tenant=tenant, job_id=job_id)
    advise(response, view)
    return tagged(response, view, if_none_match) or job_json(view)


@router.post("/{job_id}/cancel", operation_id="cancel_job", responses=refusals(JobNotFound))
def cancel(services: ServicesOf, tenant: Tenant, job_id: str) -> Job:
    """Call the job off. What was read stays readable; a finished job stays as it is."""
    jobs.cancel(services.database, tenant=tenant, job_id=job_id)
    return job_json(jobs.view(services.database, tenant=tenant, job_id=job_id))


@router.delete(
    "/{job_id}",
    status_code=204,
    operation_id="delete_job",
    response_class=Response,
    responses=refusals(JobNotFound, JobUnfinished, DatabaseUnavailable, StorageUnavailable),
)
async def delete(services: ServicesOf, tenant: Tenant, job_id: str) -> None:
    """Delete a job that has ended, with its documents and results; after that there is no such."""
    await services.storing.run(
        delete_own, services.database, services.storage, tenant=tenant, job_id=job_id
    )


def _known_or_room(
    services: Services, tenant: str, idempotency_key: str | None
) -> Row[str, str] | None:
    """The job that the key has already; where there is none, there has to be room for one."""
    database = services.database
    known = jobs.find_submission(database, tenant=tenant, idempotency_key=idempotency_key)
    if known is None:
        check_room(database, services.settings, tenant=tenant)
    return known


async def _write_down(
    services: Services, tenant: str, received: Received, idempotency_key: str | None
) -> str:
    run, storage = services.storing.run, services.storage
    try:
        submission = await ended(
            run_in_threadpool(
                jobs.submit,
                services.database,
                services.settings,
                tenant=tenant,
                documents=received.documents,
                lane=received.lane,
                profile=received.profile,
                idempotency_key=idempotency_key,
                known=received.known,
                job_id=received.job_id,
            )
        )
    except HwrError:
        await run(discard, storage, received)
        raise
    except BaseException:
        await run(discard_unless_written, services.database, storage, received)
        raise
    if not submission.created:
        await run(discard, storage, received)
    return submission.job_id


def _submitted(services: Services, tenant: str, job_id: str) -> JobView:
    try:
        return jobs.view(services.database, tenant=tenant, job_id=job_id)
    except JobNotFound as error:  # it was there under the same key, and its tenant deletes it
        raise JobDeleted from error


def _check_key(idempotency_key: str | None, sent: list[str]) -> None:
    if idempotency_key is None:
        return
    if len(sent) > 1:
        raise BadRequest("The Idempotency-Key comes more than once. Send it once.")
    if not 0 < len(idempotency_key) <= _MAX_KEY:
        raise BadRequest(f"The Idempotency-Key must have 1 to {_MAX_KEY} characters.")
    # Headers are taken for Latin-1: what came in UTF-8 would be kept as a key nobody asks for.
    if not (idempotency_key.isascii() and idempotency_key.isprintable()):
        raise BadRequest("The Idempotency-Key must be ASCII. Use letters, digits and hyphens.")
