"""The JSON of results, built from the rows, page by page: partial while a job runs."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
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

#: Documents whose heads are fetched at a time.
DOCUMENTS_AT_ONCE = 100

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
_HEADS = select(_DOCUMENTS, _FIRST_READER.label("reader")).where(
    _DOCUMENTS.c.id.in_(bindparam("document_ids", expanding=True))
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
_ALL_PAGES = (
    select(_PAGES)
    .where(
        _PAGES.c.document_id.in_(bindparam("document_ids", expanding=True)),
        _PAGES.c.state.in_(READ),
    )
    .order_by(_PAGES.c.document_id, _PAGES.c.number)
)


def result_chunks(database: Database, states: Mapping[str, State]) -> Iterator[str]:
    """Results of documents of one job as JSON text, with commas between, in pieces.

    Args:
        states: Their ids in order, and the state to state of each: what the document will be once
            its result is there.

    Raises:
        JobNotFound: the job was deleted meanwhile; what was told until then is no whole result.
    """
    for count, (head, pages) in enumerate(_documents(database, list(states))):
        told = head | {"state": states[head["id"]].value}
        start = ", " if count else ""
        yield start + json.dumps(told, ensure_ascii=False)[:-1] + ', "pages": ['
        for number, page in enumerate(pages):
            yield (",\n" if number else "\n") + json.dumps(page, ensure_ascii=False)
        yield "]}\n"


def _documents(database: Database, ids: list[str]) -> Iterator[tuple[Json, Iterable[Json]]]:
    """All but the pages of each document, and its pages. The next is asked for after these."""
    for start in range(0, len(ids), DOCUMENTS_AT_ONCE):
        rows = _rows(database, ids[start : start + DOCUMENTS_AT_ONCE])
        for together in _groups(rows):
            if _pages_of(together) > PAGES_AT_ONCE:
                head = _head(together[0])
                yield head, _long_document(database, head)
            else:
                yield from _short_documents(database, together)


def _rows(database: Database, ids: list[str]) -> list[Row[Any]]:
    with database.reading() as session:
        found = {row.id: row for row in session.execute(_HEADS, {"document_ids": ids})}
    for document_id in ids:
        if document_id not in found:
            raise _deleted(document_id)
    return [found[document_id] for document_id in ids]


def _groups(rows: list[Row[Any]]) -> Iterator[list[Row[Any]]]:
    """Documents whose pages are fetched together; one with more than that many is alone."""
    together: list[Row[Any]] = []
    for row in rows:
        if together and _pages_of([*together, row]) > PAGES_AT_ONCE:
            yield together
            together = []
        together.append(row)
    yield together


def _pages_of(rows: Sequence[Row[Any]]) -> int:
    """Most pages they may have in their results: none before they were opened."""
    return sum(row.page_count or 0 for row in rows)


def _head(row: Row[Any]) -> Json:
    return {
        "id": row.id,
        "name": row.name,
        "state": row.state.value,
        "error": _error(row.error_code, row.error_message),
        "reader": row.reader or {},
    }


def _short_documents(database: Database, rows: list[Row[Any]]) -> Iterator[tuple[Json, list[Json]]]:
    heads = {row.id: _head(row) for row in rows}
    pages: dict[str, list[Json]] = {document_id: [] for document_id in heads}
    with database.reading() as session:
        found = session.execute(_ALL_PAGES, {"document_ids": _opened(rows)}).all()
        lines = _lines(session, [page.id for page in found])
    for page in found:
        reader = heads[page.document_id]["reader"]
        pages[page.document_id].append(_page(page, lines.get(page.id, []), reader))
    _check_kept(database, rows[0].id)
    yield from ((head, pages[document_id]) for document_id, head in heads.items())


def _opened(rows: list[Row[Any]]) -> list[str]:
    """Those whose pages were counted; others may have any number of them by now."""
    return [row.id for row in rows if row.page_count is not None]


def _long_document(database: Database, head: Json) -> Iterator[Json]:
    yield from _some_at_a_time(database, head["id"], head["reader"])
    _check_kept(database, head["id"])


def _some_at_a_time(database: Database, document_id: str, reader: Json) -> Iterator[Json]:
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
