"""The JSON of results, built from the rows, page by page: partial while a job runs."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import Row, bindparam, select
from sqlalchemy.orm import Session

from hwr.errors import JobNotFound
from workers.database import Database, Document, Line, Page, State, table_of
from workers.jobs import failure

#: What the API and the result file carry; keys as in `hwr read --format json`, and the id.
Json = dict[str, Any]

#: Pages fetched at a time, so that memory does not grow with the length of a document.
PAGES_AT_ONCE = 50

#: States of pages that stand in a result.
READ = (State.DONE, State.FAILED)

_DOCUMENTS, _PAGES, _LINES = table_of(Document), table_of(Page), table_of(Line)

_FIRST_READER = (
    select(_PAGES.c.reader)
    .where(_PAGES.c.document_id == _DOCUMENTS.c.id, _PAGES.c.reader.is_not(None))
    .order_by(_PAGES.c.number)
    .limit(1)
    .scalar_subquery()
)

#: What clients ask for again and again while a job runs, for each of its documents: made once.
_HEAD = select(_DOCUMENTS, _FIRST_READER.label("reader")).where(
    _DOCUMENTS.c.id == bindparam("document_id")
)
_KEPT = select(_DOCUMENTS.c.id).where(_DOCUMENTS.c.id == bindparam("document_id"))
_SOME_PAGES = (
    select(_PAGES)
    .where(
        _PAGES.c.document_id == bindparam("document_id"),
        _PAGES.c.number > bindparam("after"),
        _PAGES.c.state.in_(READ),
    )
    .order_by(_PAGES.c.number)
    .limit(PAGES_AT_ONCE)
)


def result_chunks(database: Database, document_id: str, state: State) -> Iterator[str]:
    """The result of a document as JSON text in pieces of some pages each.

    Args:
        state: The state to state: what the document will be once its result is there.

    Raises:
        JobNotFound: the job was deleted meanwhile.
    """
    head = document_head(database, document_id) | {"state": state.value}
    yield json.dumps(head, ensure_ascii=False)[:-1] + ', "pages": ['
    for count, page in enumerate(document_pages(database, document_id, head["reader"])):
        yield (",\n" if count else "\n") + json.dumps(page, ensure_ascii=False)
    _check_kept(database, document_id)
    yield "]}\n"


def document_head(database: Database, document_id: str) -> Json:
    """All but the pages: id, name, state, error and the reader of the first page read."""
    with database.reading() as session:
        document = session.execute(_HEAD, {"document_id": document_id}).one_or_none()
    if document is None:
        raise _deleted(document_id)
    return {
        "id": document.id,
        "name": document.name,
        "state": document.state.value,
        "error": _error(document.error_code, document.error_message),
        "reader": document.reader or {},
    }


def document_pages(database: Database, document_id: str, reader: Json) -> Iterator[Json]:
    """Its finished pages in order; a page names its own reader where it is not the given one."""
    number = 0
    while True:
        with database.reading() as session:
            pages = _some_pages(session, document_id, number)
            lines = _lines(session, [page.id for page in pages])
        for page in pages:
            yield _page(page, lines.get(page.id, []), reader)
        if len(pages) < PAGES_AT_ONCE:
            return
        number = pages[-1].number


def _check_kept(database: Database, document_id: str) -> None:
    """What was told is whole if its document is still there: all of a job is deleted at once."""
    with database.reading() as session:
        if session.scalar(_KEPT, {"document_id": document_id}) is None:
            raise _deleted(document_id)


def _deleted(document_id: str) -> JobNotFound:
    return JobNotFound(f"The job of document {document_id} was deleted. Submit it again.")


def _some_pages(session: Session, document_id: str, after: int) -> Sequence[Row[Any]]:
    return session.execute(_SOME_PAGES, {"document_id": document_id, "after": after}).all()


def _lines(session: Session, page_ids: list[int]) -> dict[int, list[Row[Any]]]:
    lines: dict[int, list[Row[Any]]] = {}
    if not page_ids:
        return lines
    query = select(_LINES).where(_LINES.c.page_id.in_(page_ids))
    for line in session.execute(query.order_by(_LINES.c.page_id, _LINES.c.order)):
        lines.setdefault(line.page_id, []).append(line)
    return lines


def _page(page: Row[Any], lines: Sequence[Row[Any]], reader: Json) -> Json:
    told = {
        "number": page.number,
        "width": page.width,
        "height": page.height,
        "error": _error(page.error_code, page.error_message),
        "lines": [_line(line, _review_below(page)) for line in lines],
        "zones": page.zones or [],
        "warning": page.warning,
    }
    if page.reader and page.reader != reader:
        told["reader"] = page.reader
    return told


def _review_below(page: Row[Any]) -> float:
    """The threshold that the page was read with; all of a page read without one needs review."""
    return float((page.reader or {}).get("review_below", "inf"))


def _line(line: Row[Any], review_below: float) -> Json:
    told = {
        "order": line.order,
        "text": line.text,
        "confidence": line.confidence,
        "needs_review": line.error_code is not None or line.confidence < review_below,
        "polygon": line.polygon,
        "baseline": line.baseline,
        "zone": line.zone,
        "error": _error(line.error_code, line.error_message),
    }
    return told if line.sheet is None else told | {"sheet": line.sheet}


def _error(code: str | None, message: str | None) -> Json | None:
    error = failure(code, message)
    return None if error is None else asdict(error)
