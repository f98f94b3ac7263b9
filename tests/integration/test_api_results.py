"""Results over HTTP: all of a job's, some at a time, of one document, only what has changed."""

import json
from typing import Any

import httpx
import pytest
from api_bench import BANK, PDF, SCHOOL, error_of
from sqlalchemy import event, select, update

from workers import jobs, results
from workers.api.result_schema import ResultDocument, Results
from workers.api.results import gathered
from workers.database import Database, Document, Line, Page, Stage, State
from workers.jobs import NewDocument
from workers.results import result_chunks
from workers.settings import Settings


def read_one_page(database: Database, document_id: str) -> None:
    """What split and read workers leave behind for the first of two pages."""
    with database.writing() as session:
        document = session.scalars(select(Document).where(Document.id == document_id)).one()
        document.state, document.stage, document.page_count = State.RUNNING, Stage.READ, 2
        document.pages_done = document.lines_done = 1
        page = Page(document_id=document_id, number=1, width=80, height=60, state=State.DONE)
        session.add(page)
        session.flush()
        line = {"polygon": [[0, 0], [9, 0], [9, 9]], "baseline": [[0, 8], [9, 8]]}
        session.add(Line(page_id=page.id, order=0, text="zwölf €", confidence=0.5, **line))


def test_partial_results_while_it_runs(api: httpx.Client, database: Database) -> None:
    job = api.post("/v1/jobs", files=[PDF]).json()
    read_one_page(database, job["documents"][0]["id"])
    answer = api.get(job["results_url"])
    assert int(answer.headers["retry-after"]) > 0
    results = answer.json()
    assert Results.model_validate(results).model_dump(mode="json", exclude_unset=True) == results
    assert results["complete"] is False
    [document] = results["documents"]
    assert (document["id"], document["name"]) == (job["documents"][0]["id"], "scan.pdf")
    assert [page["number"] for page in document["pages"]] == [1]
    assert document["pages"][0]["lines"][0]["text"] == "zwölf €"
    assert api.get(job["url"]).json()["pages_done"] == 1


def test_which_of_several_sheets_a_line_is_on(api: httpx.Client, database: Database) -> None:
    job = api.post("/v1/jobs", files=[PDF]).json()
    read_one_page(database, job["documents"][0]["id"])
    zone = {"name": "date", "polygon": [[0, 0]], "found": "rule", "sheet": 2}
    with database.writing() as session:
        session.execute(update(Line).values(sheet=2))
        session.execute(update(Page).values(zones=[zone]))
    answer = api.get(job["results_url"]).json()
    assert Results.model_validate(answer).model_dump(mode="json", exclude_unset=True) == answer
    (page,) = answer["documents"][0]["pages"]
    assert (page["lines"][0]["sheet"], page["zones"]) == (2, [zone])


def add_pages(database: Database, document_id: str, count: int) -> None:
    """What is left behind of a document that has been read."""
    place = {"polygon": [[0, 0], [9, 0], [9, 9]], "baseline": [[0, 8], [9, 8]]}
    with database.writing() as session:
        read = {"state": State.DONE, "stage": Stage.CLOSED, "page_count": count, "due_at": None}
        session.execute(
            update(Document).where(Document.id == document_id).values(pages_done=count, **read)
        )
        for number in range(1, count + 1):
            page = Page(document_id=document_id, number=number, state=State.DONE)
            session.add(page)
            session.flush()
            session.add(Line(page_id=page.id, order=0, text=f"{number}", confidence=1, **place))


def submit(api: httpx.Client, count: int, **headers: str) -> Any:
    files = [("files", (f"{number}.pdf", b"x")) for number in range(count)]
    return api.post("/v1/jobs", files=files, headers=headers).json()


def test_results_come_some_documents_at_a_time(api: httpx.Client) -> None:
    job = submit(api, 5)
    whole = api.get(job["results_url"]).json()
    assert "next" not in whole
    url, documents, parts = f"{job['results_url']}?limit=2", [], []
    while url:
        answer = api.get(url).json()
        assert Results.model_validate(answer).model_dump(mode="json", exclude_unset=True) == answer
        assert {key: answer[key] for key in ("id", "state", "complete")} == {
            key: whole[key] for key in ("id", "state", "complete")
        }
        parts.append(len(answer["documents"]))
        documents += answer["documents"]
        url = answer["next"]
    assert parts == [2, 2, 1]
    assert documents == whole["documents"]


def test_parts_of_results_have_a_bounded_number_of_pages(
    api: httpx.Client, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.api.results._MOST_PAGES", 3)
    job = submit(api, 5)
    for document, count in zip(job["documents"], (1, 2, 4, 1), strict=False):
        add_pages(database, document["id"], count)
    url, parts = f"{job['results_url']}?limit=5", []
    while url:
        answer = api.get(url).json()
        parts.append([len(document["pages"]) for document in answer["documents"]])
        url = answer["next"]
    assert parts == [[1, 2], [4], [1, 0]]


def test_parts_of_results_end_where_the_job_does(api: httpx.Client) -> None:
    url = submit(api, 2)["results_url"]
    assert api.get(url, params={"limit": 2}).json()["next"] is None
    assert api.get(url, params={"cursor": 1}).json()["next"] is None
    beyond = api.get(url, params={"cursor": 10**30}).json()
    assert (beyond["documents"], beyond["next"]) == ([], None)
    for asked in ({"limit": 0}, {"limit": 501}, {"cursor": -1}, {"cursor": "x"}):
        assert error_of(api.get(url, params=asked)) == (400, "BadRequest")


def test_the_result_of_one_document(either: httpx.Client) -> None:
    job = submit(either, 2)
    whole = either.get(job["results_url"]).json()
    for document in whole["documents"]:
        answer = either.get(f"{job['results_url']}/{document['id']}")
        assert answer.json() == document
        ResultDocument.model_validate(answer.json())
        assert int(answer.headers["retry-after"]) > 0
    either.post(f"{job['url']}/cancel")
    ended = either.get(f"{job['results_url']}/{whole['documents'][0]['id']}")
    assert ended.json()["state"] == "cancelled"
    assert "retry-after" not in ended.headers


def test_a_document_is_found_in_its_own_job_alone(keyed: httpx.Client) -> None:
    job, other = submit(keyed, 1, **BANK), submit(keyed, 1, **BANK)
    document = job["documents"][0]["id"]
    for address in (f"{job['results_url']}/none", f"{other['results_url']}/{document}"):
        assert error_of(keyed.get(address, headers=BANK)) == (404, "DocumentNotFound")
    own = f"{job['results_url']}/{document}"
    assert error_of(keyed.get(own, headers=SCHOOL)) == (404, "JobNotFound")
    assert keyed.get(own, headers=BANK).status_code == 200


def test_results_that_have_not_changed_are_not_sent_again(
    api: httpx.Client, database: Database
) -> None:
    job = submit(api, 2)
    first, second = (f"{job['results_url']}/{told['id']}" for told in job["documents"])
    urls = [job["results_url"], f"{job['results_url']}?limit=1", first, second]
    tags = [api.get(url).headers["etag"] for url in urls]

    def statuses() -> list[int]:
        asked = zip(urls, tags, strict=True)
        return [api.get(url, headers={"If-None-Match": tag}).status_code for url, tag in asked]

    assert statuses() == [304] * 4
    read_one_page(database, job["documents"][0]["id"])
    assert statuses() == [200, 200, 200, 304]


def test_every_change_of_a_document_changes_its_tag(api: httpx.Client, database: Database) -> None:
    job = submit(api, 1)
    document_id, tags = job["documents"][0]["id"], set()
    changes: list[dict[str, Any]] = [
        {},
        {"state": State.RUNNING, "page_count": 3},
        {"pages_done": 1},
        {"pages_failed": 1},
        {"state": State.FAILED, "error_code": "PageFailed", "error_message": "one"},
        {"error_message": "another"},
    ]
    for change in changes:
        with database.writing() as session:
            if change:
                session.execute(update(Document).where(Document.id == document_id).values(**change))
        tags.add(api.get(job["results_url"]).headers["etag"])
    assert len(tags) == len(changes)


def test_short_documents_are_fetched_together(database: Database) -> None:
    documents = [NewDocument(name=f"{n}.pdf", key=f"{n}") for n in range(120)]
    job = jobs.submit(database, Settings(), tenant="t", documents=documents)
    for document in documents:
        add_pages(database, document.id, 1)
    states = {document.id: State.DONE for document in documents}
    asked: list[str] = []
    event.listen(database.engine, "before_cursor_execute", lambda *told: asked.append(told[2]))
    told = json.loads(f"[{''.join(result_chunks(database, states))}]")
    assert [document["id"] for document in told] == list(states)
    assert all(document["pages"][0]["lines"][0]["text"] == "1" for document in told)
    assert len([text for text in asked if text.startswith("SELECT")]) <= 15
    assert job.created


@pytest.mark.parametrize("counts", [(1, 7, 2, 0, 3), (5, 5), (6,), (2, 2, 2)])
def test_documents_of_any_length_come_whole_and_in_order(
    database: Database, monkeypatch: pytest.MonkeyPatch, counts: tuple[int, ...]
) -> None:
    monkeypatch.setattr(results, "PAGES_AT_ONCE", 5)
    monkeypatch.setattr(results, "DOCUMENTS_AT_ONCE", 3)
    monkeypatch.setattr(results, "_SOME_PAGES", results._SOME_PAGES.limit(5))
    documents = [NewDocument(name=f"{n}.pdf", key=f"{n}") for n in range(len(counts))]
    jobs.submit(database, Settings(), tenant="t", documents=documents)
    for document, count in zip(documents, counts, strict=True):
        add_pages(database, document.id, count)
    states = {document.id: State.DONE for document in documents}
    told = json.loads(f"[{''.join(result_chunks(database, states))}]")
    assert [document["name"] for document in told] == [document.name for document in documents]
    pages = [[page["number"] for page in document["pages"]] for document in told]
    assert pages == [list(range(1, count + 1)) for count in counts]


def test_results_are_sent_in_few_pieces() -> None:
    assert list(gathered(iter(["ab", "c", "de", "f"]), 3)) == ["abc", "def"]
    assert list(gathered(iter(["a", "b"]), 3)) == ["ab"]
