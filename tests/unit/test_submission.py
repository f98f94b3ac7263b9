"""What is refused as another submission under a known key, and what becomes of its files."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from stage_bench import TENANT, Stages

from hwr.errors import IdempotencyConflict, StorageUnavailable
from workers import jobs
from workers.api.submission import Received, discard
from workers.database import Lane
from workers.jobs import NewDocument
from workers.storage import FolderStorage


class Hanging(FolderStorage):
    """Answers nothing, as a server that hangs."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.asked: list[str] = []

    def delete_below(self, key: str) -> None:
        self.asked.append(key)
        raise StorageUnavailable


def received(*keys: str) -> Received:
    documents = [NewDocument(name="scan.pdf", key=key, digest="0") for key in keys]
    return Received(job_id="one", documents=documents)


def test_a_storage_that_hangs_is_waited_for_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    storage = Hanging(tmp_path)
    discard(storage, received("a", "b"))
    assert storage.asked == ["jobs/one"]
    behind = [text for text in caplog.messages if text.endswith("may be left behind")]
    assert behind == [f"{storage.url(key)} may be left behind" for key in "ab"]


def test_what_has_no_files_asks_nothing_of_the_storage(tmp_path: Path) -> None:
    storage = Hanging(tmp_path)
    discard(storage, received())
    assert storage.asked == []


@pytest.mark.parametrize(
    ("document", "options"),
    [
        ({"reference": "s3://inbox/b.pdf"}, {}),
        ({"name": "b.pdf"}, {}),
        ({}, {"lane": Lane.HIGH}),
        ({}, {"profile": "order"}),
    ],
)
def test_another_submission_is_not_taken_for_the_one_whose_key_it_has(
    stages: Stages, document: dict[str, str], options: dict[str, Any]
) -> None:
    def submit(document: NewDocument, **options: Any) -> jobs.Submission:
        told = {"tenant": TENANT, "documents": [document], "idempotency_key": "k"}
        return jobs.submit(stages.context.database, settings, **(told | options))

    settings = stages.context.settings.model_copy(update={"reference_prefixes": ("s3://inbox",)})
    first = NewDocument(name="a.pdf", reference="s3://inbox/a.pdf")
    assert submit(first).created
    assert not submit(first).created
    with pytest.raises(IdempotencyConflict):
        submit(replace(first, **document), **options)
