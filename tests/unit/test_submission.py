"""What is refused as another submission under a known key, and what becomes of its files."""

import asyncio
from dataclasses import replace
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from fastapi import Request
from stage_bench import TENANT, Stages

from hwr.errors import BadRequest, IdempotencyConflict, StorageUnavailable
from workers import jobs
from workers.api.submission import Received, discard, receive
from workers.api.threads import Threads
from workers.database import Lane
from workers.jobs import NewDocument
from workers.settings import Settings
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


def test_files_that_were_stored_go_when_the_rest_is_refused(tmp_path: Path) -> None:
    fields = iter((b'name="files"; filename="a"\r\n\r\na', b'name="lane"\r\n\r\nfast', b""))
    asked = count()
    stored: list[Path] = []

    async def chunk() -> dict[str, Any]:
        # With the second chunk the file is whole, and is stored while the third is waited for.
        is_whole = next(asked) == 2
        while is_whole and not stored:
            await asyncio.sleep(0.01)
            stored[:] = [path for path in tmp_path.rglob("*") if path.is_file()]
        body = b"--b\r\nContent-Disposition: form-data; " + next(fields) + b"\r\n"
        return {"type": "http.request", "body": body, "more_body": True}

    async def submit() -> Received:
        return await asyncio.wait_for(receive(request, services), timeout=10)

    headers = [(b"content-type", b"multipart/form-data; boundary=b")]
    request = Request({"type": "http", "headers": headers}, chunk)
    services: Any = SimpleNamespace(
        settings=Settings(), storage=FolderStorage(tmp_path), storing=Threads(1)
    )
    with pytest.raises(BadRequest):
        asyncio.run(submit())
    assert len(stored) == 1
    assert not stored[0].exists()


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
