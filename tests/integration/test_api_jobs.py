"""Looking at jobs over HTTP, and cancelling them."""

import json

import httpx
from api_bench import PDF, error_of
from sqlalchemy import event, select

from workers import jobs
from workers.api.jobs import gathered
from workers.api.result_schema import Results
from workers.database import Database, Document, Line, Page, Stage, State
from workers.jobs import NewDocument
from workers.results import result_chunks
from workers.settings import Settings


def test_an_unknown_job(api: httpx.Client) -> None:
    for answer in (
        api.get("/v1/jobs/nothing"),
        api.get("/v1/jobs/nothing/results"),
        api.post("/v1/jobs/nothing/cancel"),
    ):
        assert error_of(answer) == (404, "JobNotFound")


def test_cancel(either: httpx.Client) -> None:
    job = either.post("/v1/jobs", files=[PDF]).json()
    for _ in range(2):
        assert either.post(f"{job['url']}/cancel").json()["state"] == "cancelled"
    answer = either.get(job["url"])
    assert answer.json()["documents"][0]["state"] == "cancelled"
    assert "retry-after" not in answer.headers
    assert either.get(job["results_url"]).json()["complete"] is True


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


def test_results_of_many_documents_ask_little_of_the_database(database: Database) -> None:
    asked: list[str] = []
    documents = [NewDocument(name=f"{n}.pdf", key=f"{n}") for n in range(3)]
    job = jobs.submit(database, Settings(), tenant="t", documents=documents)
    view = jobs.view(database, tenant="t", job_id=job.job_id)
    event.listen(database.engine, "before_cursor_execute", lambda *told: asked.append(told[2]))
    for document in view.documents:
        assert json.loads("".join(result_chunks(database, document.id, document.state)))
    assert len([text for text in asked if text.startswith("SELECT")]) == 3 * len(documents)


def test_results_are_sent_in_few_pieces() -> None:
    assert list(gathered(iter(["ab", "c", "de", "f"]), 3)) == ["abc", "def"]
    assert list(gathered(iter(["a", "b"]), 3)) == ["ab"]
