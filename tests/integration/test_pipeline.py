"""The whole way of a batch, over real servers and real worker processes."""

import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis
from PIL import Image
from pipeline import TENANT, Service, draw_lines, png, quick_settings, run_service, tiff
from services import S3Server, run_redis
from sqlalchemy import select

from workers import counts, jobs
from workers.app import make_app
from workers.counts import KEY, Event
from workers.database import Document, Lane, Page, State
from workers.jobs import NewDocument


@pytest.fixture(scope="module", params=["sqlite-folder", "postgres-s3"])
def service(
    request: pytest.FixtureRequest,
    redis_server: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Service]:
    """A service with its two workers, on the servers that the parameter names."""
    with redis.Redis.from_url(redis_server) as client:
        client.flushall()
    folder = tmp_path_factory.mktemp("service")
    with pytest.MonkeyPatch.context() as patch:
        changes = _big_servers(request, patch) if request.param == "postgres-s3" else {}
        settings = quick_settings(folder, redis_server, **changes)
        with run_service(folder, settings) as running:
            running.start("split")
            running.start("read")
            yield running


def _big_servers(request: pytest.FixtureRequest, patch: pytest.MonkeyPatch) -> dict[str, Any]:
    s3: S3Server = request.getfixturevalue("s3_server")
    for name, value in s3.environment().items():
        patch.setenv(name, value)
    server: str = request.getfixturevalue("postgres_server")
    database = f"pipeline_{uuid.uuid4().hex}"
    with psycopg.connect(server.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {database}")
    return {
        "database_url": server.rsplit("/", 1)[0] + f"/{database}",
        "storage_url": f"s3://{s3.bucket}/{database}",
        "s3_endpoint_url": s3.endpoint_url,
        "reference_prefixes": (f"s3://{s3.bucket}/inbox/",),
    }


def test_every_line_of_a_batch_is_read_once(service: Service) -> None:
    pages = [draw_lines(count, seed=count) for count in (3, 1, 2)]
    job_id = service.submit(tiff(pages), png(draw_lines(4)))
    job = service.wait(job_id)
    assert job.state == State.DONE, service.logs()
    assert [document.page_count for document in job.documents] == [3, 1]
    assert job.pages_done == job.pages_total_known == 4
    assert job.lines_done == 10
    assert service.rows(job_id) == (4, 10)
    lines = [[len(page["lines"]) for page in result["pages"]] for result in service.results(job_id)]
    assert lines == [[3, 1, 2], [4]]


def test_workers_count_what_they_do_for_metrics(service: Service) -> None:
    def gained() -> dict[tuple[str, ...], int]:
        with redis.Redis.from_url(service.settings.redis_url) as client:
            now = counts.parse(client.hgetall(KEY))
        counted = {(event, *labels): n for event in now for labels, n in now[event].items()}
        return {labels: n - before.get(labels, 0) for labels, n in counted.items()}

    before: dict[tuple[str, ...], int] = {}
    before = gained()
    job_id = service.submit(tiff([draw_lines(2), draw_lines(0)]), b"no document")
    service.wait(job_id)
    model = service.results(job_id)[0]["reader"]["model"]
    expected = {
        (Event.PAGES_READ, model): 1,
        (Event.PAGES_READ, ""): 1,
        (Event.DOCUMENTS_FINISHED, "done", ""): 1,
        (Event.DOCUMENTS_FINISHED, "failed", "UnsupportedFormat"): 1,
    }
    service.wait_for(lambda: gained().items() >= expected.items())


def test_the_result_file_says_what_the_database_says(service: Service) -> None:
    job_id = service.submit(tiff([draw_lines(2), draw_lines(1)]))
    service.wait(job_id)
    (told,) = service.results(job_id)
    assert service.published(job_id) == [told]
    assert told["state"] == "done"
    assert told["reader"]["model"]
    assert [page["number"] for page in told["pages"]] == [1, 2]
    line = told["pages"][0]["lines"][0]
    keys = {"order", "zone", "text", "confidence", "needs_review"}
    keys |= {"polygon", "baseline", "error"}
    assert line.keys() == keys
    assert line["needs_review"] is True, "the stand-in for a reader names no threshold"
    assert 0 <= line["confidence"] <= 1


def test_a_bad_document_and_a_bad_page_fail_alone(service: Service) -> None:
    good = tiff([draw_lines(2), Image.new("L", (8, 8), 255), draw_lines(1)])
    job_id = service.submit(b"no document at all", good, b"", png(draw_lines(1)))
    job = service.wait(job_id)
    assert job.state == State.DONE_WITH_ERRORS
    assert [document.state for document in job.documents] == [
        State.FAILED,
        State.DONE_WITH_ERRORS,
        State.FAILED,
        State.DONE,
    ]
    refusals = [document.error.code for document in job.documents if document.error]
    assert refusals == ["UnsupportedFormat", "EmptyDocument"]
    pages = service.results(job_id)[1]["pages"]
    assert [page["error"] and page["error"]["code"] for page in pages] == [
        None,
        "PageTooSmall",
        None,
    ]
    assert [len(page["lines"]) for page in pages] == [2, 0, 1]


def test_a_blank_page_is_done_with_no_lines(service: Service) -> None:
    job_id = service.submit(png(Image.new("L", (800, 600), 255)))
    job = service.wait(job_id)
    assert job.state == State.DONE
    assert service.rows(job_id) == (1, 0)


def test_a_cancelled_job_stops_and_keeps_what_was_read(service: Service) -> None:
    job_id = service.submit(tiff([draw_lines(1, seed=n) for n in range(40)]))
    service.wait_for(lambda: service.view(job_id).pages_done >= 2)
    jobs.cancel(service.database, tenant=TENANT, job_id=job_id)
    told = service.results(job_id)[0]
    assert told["state"] == "cancelled"
    assert 2 <= len(told["pages"]) < 40
    next_id = service.submit(png(draw_lines(1)))
    assert service.wait(next_id).state == State.DONE
    assert service.results(job_id)[0] == told


def test_a_reference_is_read_where_it_lies(service: Service) -> None:
    if not service.settings.reference_prefixes:
        pytest.skip("this service has no S3")
    prefix = service.settings.reference_prefixes[0]
    bucket, key = prefix.removeprefix("s3://").split("/", 1)
    client = _s3_client(service)
    client.put_object(Bucket=bucket, Key=f"{key}scan.png", Body=png(draw_lines(2)))
    documents = [
        NewDocument(name="there", reference=f"{prefix}scan.png"),
        NewDocument(name="gone", reference=f"{prefix}gone.png"),
    ]
    submission = jobs.submit(service.database, service.settings, tenant=TENANT, documents=documents)
    service.enqueue(submission.job_id)
    there, gone = service.wait(submission.job_id).documents
    assert (there.state, there.lines_done) == (State.DONE, 2)
    assert gone.error is not None
    assert gone.error.code == "ReferenceUnreadable"


def _s3_client(service: Service) -> Any:
    import boto3

    return boto3.session.Session().client("s3", endpoint_url=service.settings.s3_endpoint_url)


def test_high_lanes_are_read_before_low_ones(tmp_path: Path) -> None:
    # On a Redis of its own: the workers of the other service would take its messages.
    with (
        run_redis(tmp_path) as redis_url,
        run_service(tmp_path, quick_settings(tmp_path, redis_url, read_threads=1)) as service,
    ):
        service.start("split")
        lanes = [Lane.LOW, Lane.NORMAL, Lane.HIGH]
        pages = tiff([draw_lines(1, seed=seed) for seed in range(4)])
        ids = [service.submit(pages, lane=lane) for lane in lanes]
        service.wait_for(lambda: [service.rows(job_id)[0] for job_id in ids] == [4, 4, 4])
        service.start("read")
        ended = [moment for job_id in ids if (moment := service.wait(job_id).finished)]
        assert len(ended) == len(ids)
        assert ended == sorted(ended, reverse=True)


def test_a_high_lane_is_split_before_archives_and_what_an_update_left(tmp_path: Path) -> None:
    with (
        run_redis(tmp_path) as redis_url,
        run_service(tmp_path, quick_settings(tmp_path, redis_url, lease_s=60.0)) as service,
    ):
        page = png(draw_lines(1))
        low = service.submit(page, page, page, lane=Lane.LOW)
        left = service.submit(page, enqueue=False)
        send_as_before_lanes(service, service.view(left).documents[0].id)
        high = service.submit(page, lane=Lane.HIGH)
        service.start("split")
        service.wait_for(lambda: service.rows(low)[0] == 3)
        with service.database.reading() as session:
            order = session.scalars(select(Document.job_id).join(Page).order_by(Page.id)).all()
        assert order == [high, left, low, low, low]


def send_as_before_lanes(service: Service, document_id: str) -> None:
    """What version 0.1.0 sends."""
    app = make_app(service.settings)
    app.send_task("hwr.split", args=[document_id], queue="split")
    app.close()


def test_importing_the_tasks_does_not_load_torch() -> None:
    code = "import sys, workers.tasks, workers.celery_worker; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
