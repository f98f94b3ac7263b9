"""A document is followed through the logs of all processes by its id."""

import re
import time

import pytest
from PIL import Image
from pipeline import draw_lines, png, two_pages
from stage_bench import FunctionReader, Stages

from workers.database import Page
from workers.reaper import reap


@pytest.fixture(autouse=True)
def told_all(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "workers")


def noted(caplog: pytest.LogCaptureFixture, word: str) -> list[str]:
    """The lines that name it, without the ids of pages."""
    lines = [re.sub(r"page \d+ \(", "page (", entry.message) for entry in caplog.records]
    return [line for line in lines if word in line]


def test_a_document_from_its_first_page_to_its_result(
    stages: Stages, caplog: pytest.LogCaptureFixture
) -> None:
    job_id = stages.submit(two_pages())
    stages.run()
    document = f"document {stages.document().id}"
    assert sorted(noted(caplog, document)) == sorted(
        [
            f"{document} of job {job_id}: splitting begins at page 1",
            f"page (1 of {document}): split, 2 lines",
            f"page (2 of {document}): split, 3 lines",
            f"{document}: split, 2 pages",
            f"page (1 of {document}): reading begins",
            f"page (1 of {document}): read, 2 lines, 0 of them failed",
            f"page (2 of {document}): reading begins",
            f"page (2 of {document}): read, 3 lines, 0 of them failed",
            f"{document}: published, done",
        ]
    )
    assert noted(caplog, job_id)[-1] == f"job {job_id}: ended, done"


def test_a_job_ends_with_its_last_document(
    stages: Stages, caplog: pytest.LogCaptureFixture
) -> None:
    job_id = stages.submit(b"no picture", png(draw_lines(1)))
    stages.run()
    assert len(noted(caplog, ": published, ")) == 2
    assert noted(caplog, "ended") == [f"job {job_id}: ended, done_with_errors"]


def test_a_refused_page_is_named_with_its_document(
    stages: Stages, caplog: pytest.LogCaptureFixture
) -> None:
    stages.submit(png(Image.new("L", (2, 2), 255)))
    stages.split()
    page = f"page (1 of document {stages.document().id})"
    assert noted(caplog, "(1 of")[0].startswith(f"{page}: PageTooSmall: ")


def test_a_page_that_fails_or_is_sent_again_is_named_with_its_document(
    stages: Stages, caplog: pytest.LogCaptureFixture
) -> None:
    stages.submit(png(draw_lines(1)))
    stages.split()
    stages.set(Page, lines_key="jobs/nothing")
    caplog.clear()
    stages.set(Page, due_at=time.time() - 1, sends=-1)
    reap(stages.context.database, stages.context.settings, stages.queue)
    stages.read(reader=FunctionReader())
    again, begun, failed = noted(caplog, f"document {stages.document().id}")
    assert again.endswith("): sent again")
    assert begun.endswith("): reading begins")
    assert "): ObjectNotFound: " in failed
