"""The addresses of results."""

import json
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import StreamingResponse

from hwr.errors import BadRequest, DatabaseUnavailable, DocumentNotFound, JobNotFound, KeyRefused
from workers import jobs
from workers.api.advice import ADVICE, advise
from workers.api.conditional import CONDITIONAL, TAGGED, IfNoneMatch, tagged
from workers.api.errors import headers, refusals
from workers.api.parameters import check_parameters
from workers.api.result_schema import ResultDocument, Results
from workers.api.services import Services, ServicesOf, Tenant
from workers.database import FINAL_STATES
from workers.jobs import DocumentView, JobView
from workers.results import result_chunks

router = APIRouter(
    prefix="/v1/jobs/{job_id}/results",
    tags=["results"],
    responses=refusals(BadRequest, KeyRefused, DatabaseUnavailable),
    dependencies=[Depends(check_parameters)],
)

#: Documents in a part of the results, unless the client says otherwise, and at most.
_LISTED, _MAX_LISTED = 50, 500

#: Pages in a part of the results, unless one document alone has more: some 16 MB of text, of which
#: a client makes ten times as much when it parses them.
_MOST_PAGES = 1000

#: Characters of results that are sent at once: each piece takes a change of threads.
_PIECE = 2**16

_HEADERS = headers(ADVICE | TAGGED)


@router.get(
    "",
    operation_id="get_results",
    response_model=Results,
    responses={**refusals(JobNotFound), **CONDITIONAL, 200: _HEADERS},
)
@router.head("", include_in_schema=False)
def results(
    request: Request,
    response: Response,
    services: ServicesOf,
    tenant: Tenant,
    job_id: str,
    limit: Annotated[
        int | None,
        Query(
            ge=1,
            le=_MAX_LISTED,
            description="Documents at most, fewer if long; else all",
        ),
    ] = None,
    cursor: Annotated[
        int | None,
        Query(ge=0, description="Where to go on: part of the address `next` of the answer before"),
    ] = None,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """The results as far as they are known; `complete` says whether more will come."""
    view = jobs.view(services.database, tenant=tenant, job_id=job_id)
    # The state was taken before the results: a job told as complete has all of them.
    head = {"id": view.id, "state": view.state, "complete": view.state in FINAL_STATES}
    documents = view.documents
    if limit is not None or cursor is not None:
        start = cursor or 0
        documents = _part(documents[start : start + (limit or _LISTED)])
        end = start + len(documents)
        head["next"] = _next_url(request, view.id, end) if end < len(view.documents) else None
    advise(response, view)
    known = tagged(response, (head, documents), if_none_match)
    return known or _sent(request, response, _result_text(services, head, documents))


@router.get(
    "/{document_id}",
    operation_id="get_document_result",
    response_model=ResultDocument,
    responses={**refusals(JobNotFound, DocumentNotFound), **CONDITIONAL, 200: _HEADERS},
)
@router.head("/{document_id}", include_in_schema=False)
def document_result(
    request: Request,
    response: Response,
    services: ServicesOf,
    tenant: Tenant,
    job_id: str,
    document_id: str,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """The result of one document as far as it is known; its `state` says whether more will come."""
    view = jobs.view(services.database, tenant=tenant, job_id=job_id)
    document = _document(view, document_id)
    if document.state not in FINAL_STATES:
        advise(response, view)
    known = tagged(response, document, if_none_match)
    text = result_chunks(services.database, {document.id: document.state})
    return known or _sent(request, response, text)


def _part(documents: tuple[DocumentView, ...]) -> tuple[DocumentView, ...]:
    """The first of the documents: one, or as many as a client holds well at once."""
    pages = accumulate(document.page_count or 0 for document in documents)
    return documents[: max(1, sum(count <= _MOST_PAGES for count in pages))]


def _document(view: JobView, document_id: str) -> DocumentView:
    for document in view.documents:
        if document.id == document_id:
            return document
    raise DocumentNotFound


def _next_url(request: Request, job_id: str, cursor: int) -> str:
    # A path of ours, as all addresses in answers: a proxy may have another host and scheme.
    asked = dict(request.query_params) | {"cursor": str(cursor)}
    return f"{router.prefix.format(job_id=job_id)}?{urlencode(asked)}"


def _sent(request: Request, response: Response, text: Iterator[str]) -> Response:
    """The text behind the headers that the response has so far."""
    kept = {name: response.headers[name] for name in response.headers}
    if request.method == "HEAD":  # nobody would see what is fetched for it
        return Response(headers=kept, media_type="application/json")
    return StreamingResponse(gathered(text, _PIECE), headers=kept, media_type="application/json")


def _result_text(
    services: Services, head: dict[str, object], documents: Sequence[DocumentView]
) -> Iterator[str]:
    yield json.dumps(head)[:-1] + ', "documents": ['
    states = {document.id: document.state for document in documents}
    yield from result_chunks(services.database, states)
    yield "]}\n"


def gathered(pieces: Iterator[str], at_least: int) -> Iterator[str]:
    """The same text in pieces of so many characters or more, but for the last."""
    held, size = [], 0
    for piece in pieces:
        held.append(piece)
        size += len(piece)
        if size >= at_least:
            yield "".join(held)
            held, size = [], 0
    if held:
        yield "".join(held)
