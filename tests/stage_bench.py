"""The stages on a SQLite file and a folder, with a queue and a reader of the test's own."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select, update

from hwr.decoding.reading import LineReading
from workers import jobs
from workers.counts import Event
from workers.database import Database, Document, Lane, Line, Page
from workers.jobs import JobView, NewDocument
from workers.migrations import upgrade
from workers.settings import Settings
from workers.stages.context import Context
from workers.stages.publish import publish_document
from workers.stages.read import read_page
from workers.stages.split import split_document
from workers.storage import FolderStorage

TENANT = "tests"


@dataclass
class ListDispatch:
    """Keeps messages in lists."""

    splits: list[str] = field(default_factory=list)
    split_lanes: list[Lane] = field(default_factory=list)
    reads: list[tuple[int, Lane]] = field(default_factory=list)
    publishes: list[str] = field(default_factory=list)

    def split(self, document_id: str, lane: Lane) -> None:
        self.splits.append(document_id)
        self.split_lanes.append(lane)

    def read(self, page_id: int, lane: Lane) -> None:
        self.reads.append((page_id, lane))

    def publish(self, document_id: str) -> None:
        self.publishes.append(document_id)


@dataclass
class ListCounts:
    """Keeps what is counted in a list."""

    counted: list[tuple[str, ...]] = field(default_factory=list)

    def add(self, event: Event, *labels: str, by: int = 1) -> None:
        self.counted += [(event, *labels)] * by


def reading(text: str) -> LineReading:
    """What a line says, as likely as not."""
    return LineReading(text=text, confidence=0.5)


def width(image: NDArray[np.uint8]) -> LineReading:
    """Reads every line as its width."""
    return reading(str(image.shape[1]))


class FunctionReader:
    """Reads a line by calling a function, at once."""

    def __init__(self, function: Callable[[NDArray[np.uint8]], LineReading] = width) -> None:
        self.function = function
        self.identity = {"model": "test"}
        self.submitted: list[dict[str, Any]] = []

    def submit(self, image: NDArray[np.uint8], **options: Any) -> Future[LineReading]:
        self.submitted.append(options)
        future: Future[LineReading] = Future()
        try:
            future.set_result(self.function(image))
        except Exception as error:
            future.set_exception(error)
        return future

    def statistics(self) -> object:
        return f"{len(self.submitted)} lines"

    def close(self) -> None:
        """Nothing to close."""


@dataclass
class Stages:
    """The three stages, called as Celery would."""

    context: Context
    queue: ListDispatch

    def submit(self, *files: bytes, **options: Any) -> str:
        """Upload and submit files as one job."""
        job_id, documents = jobs.new_id(), []
        for number, content in enumerate(files):
            document_id = jobs.new_id()
            key = f"jobs/{job_id}/{document_id}/original"
            self.context.storage.put(key, content)
            documents.append(NewDocument(id=document_id, name=f"{number}", key=key))
        jobs.submit(
            self.context.database,
            self.context.settings,
            tenant=TENANT,
            documents=documents,
            job_id=job_id,
            **options,
        )
        self.queue.splits += [document.id for document in documents]
        return job_id

    def split(self, document_id: str | None = None) -> None:
        """Split the document, by default the next of the queue."""
        split_document(self.context, document_id or self.queue.splits.pop(0), "split-message")

    def read(self, page_id: int | None = None, reader: FunctionReader | None = None) -> None:
        """Read the page, by default the next of the queue."""
        page_id = page_id or self.queue.reads.pop(0)[0]
        read_page(self.context, reader or FunctionReader(), page_id, "read-message")

    def publish(self, document_id: str | None = None) -> None:
        """Publish the document, by default the next of the queue."""
        publish_document(
            self.context, document_id or self.queue.publishes.pop(0), "publish-message"
        )

    def run(self) -> None:
        """Work until the queues are empty."""
        queue = self.queue
        while queue.splits or queue.reads or queue.publishes:
            for messages, stage in (
                (queue.splits, self.split),
                (queue.reads, self.read),
                (queue.publishes, self.publish),
            ):
                if messages:
                    stage()

    def view(self, job_id: str) -> JobView:
        return jobs.view(self.context.database, tenant=TENANT, job_id=job_id)

    def pages(self) -> list[Page]:
        with self.context.database.reading() as session:
            return list(session.scalars(select(Page).order_by(Page.document_id, Page.number)))

    def lines(self) -> list[Line]:
        with self.context.database.reading() as session:
            return list(session.scalars(select(Line).order_by(Line.page_id, Line.order)))

    def document(self) -> Document:
        with self.context.database.reading() as session:
            return session.scalars(select(Document)).one()

    def set(self, work: Any, **values: Any) -> None:
        """Set columns of all rows of a table."""
        with self.context.database.writing() as session:
            session.execute(update(work).values(**values))


@contextmanager
def open_stages(folder: Path, **changes: Any) -> Iterator[Stages]:
    """Stages on an empty database, by default a SQLite file, and an empty folder."""
    settings = Settings(**{"database_url": f"sqlite:///{folder}/hwr.db", **changes})
    database, queue = Database(settings.database_url), ListDispatch()
    upgrade(database)
    storage = FolderStorage(folder / "store")
    context = Context(
        database=database, storage=storage, settings=settings, dispatch=queue, counts=ListCounts()
    )
    try:
        yield Stages(context, queue)
    finally:
        database.close()
