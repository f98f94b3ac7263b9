"""A whole service for tests: a small model, real workers as processes of their own, drawn pages."""

import json
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from subprocess import Popen
from typing import Any

import cv2
import numpy as np
import torch
from PIL import Image
from sqlalchemy import func, select
from told import told_results

from hwr.model.alphabet import DEFAULT_CHARACTERS, Alphabet
from hwr.model.config import NetworkConfig
from hwr.model.network import Crnn
from hwr.model.weights import save_model
from workers import dispatch, jobs
from workers.database import FINAL_STATES, Database, Document, Line, Page
from workers.jobs import JobView, NewDocument
from workers.migrations import upgrade
from workers.processes import kill, spawn, stop, tail
from workers.settings import Settings
from workers.storage import Storage, open_storage

TENANT = "tests"

#: Seconds after which a job that did not end is taken for stuck.
PATIENCE_S = 60.0


def small_model(path: Path) -> Path:
    """A model that reads at random, but always the same, and fast."""
    torch.manual_seed(3)
    alphabet = Alphabet(DEFAULT_CHARACTERS)
    shape = NetworkConfig(
        classes=len(DEFAULT_CHARACTERS) + 1,
        channels=(4, 4, 8),
        blocks=(1, 1, 1),
        hidden=16,
        layers=1,
    )
    save_model(path, Crnn(shape), alphabet)
    return path


def draw_lines(count: int, *, seed: int = 0, width: int = 600) -> Image.Image:
    """A grey page with `count` lines of script."""
    words = np.random.default_rng(seed).permutation(["amber", "joined", "whole"])
    image = np.full((160 + 80 * count, width), 255, np.uint8)
    for number in range(count):
        text = " ".join(np.roll(words, number))
        where = (50, 110 + 80 * number)
        cv2.putText(image, text, where, cv2.FONT_HERSHEY_SCRIPT_SIMPLEX, 1.4, 0, 2, cv2.LINE_AA)
    return Image.fromarray(image)


def png(page: Image.Image) -> bytes:
    """The page as a PNG file."""
    return _encode(page, "PNG")


def tiff(pages: Sequence[Image.Image]) -> bytes:
    """The pages as one TIFF file."""
    return _encode(pages[0], "TIFF", save_all=True, append_images=list(pages[1:]))


def two_pages() -> bytes:
    """A document of two pages with two and three lines."""
    return tiff([draw_lines(2), draw_lines(3)])


def _encode(page: Image.Image, kind: str, **options: Any) -> bytes:
    stream = BytesIO()
    page.save(stream, kind, **options)
    return stream.getvalue()


@dataclass(kw_only=True)
class Service:
    """Database, storage and queues, and the workers that were started on them."""

    settings: Settings
    folder: Path
    database: Database
    storage: Storage
    environment: dict[str, str]
    workers: list[Popen[bytes]] = field(default_factory=list)

    def start(self, role: str, **changes: object) -> Popen[bytes]:
        """Start a worker; settings may differ from the service's."""
        changed = {f"HWR_{name.upper()}": str(value) for name, value in changes.items()}
        log = self.folder / f"{role}-{len(self.workers)}.log"
        command = [sys.executable, "-W", "default", "-m", "workers.worker", role]
        worker = spawn(command, log=log, environment=self.environment | changed)
        self.workers.append(worker)
        return worker

    def submit(self, *files: bytes, enqueue: bool = True, **options: Any) -> str:
        """Upload files and submit them as one job; returns its id."""
        job_id = jobs.new_id()
        documents = [self._upload(job_id, content, n) for n, content in enumerate(files)]
        options = {"tenant": TENANT, "job_id": job_id} | options
        jobs.submit(self.database, self.settings, documents=documents, **options)
        if enqueue:
            self.enqueue(job_id)
        return job_id

    def enqueue(self, job_id: str) -> None:
        """Send the messages of a job."""
        from workers.app import make_app

        app = make_app(self.settings)
        dispatch.send_documents(self.database, dispatch.QueueDispatch(app), job_id)
        app.close()

    def view(self, job_id: str) -> JobView:
        """Where the job stands."""
        return jobs.view(self.database, tenant=TENANT, job_id=job_id)

    def wait(self, job_id: str) -> JobView:
        """Wait until the job has ended."""
        self.wait_for(lambda: self.view(job_id).state in FINAL_STATES)
        return self.view(job_id)

    def wait_for(self, condition: Any, patience_s: float = PATIENCE_S) -> None:
        """Wait until the condition is true; fail with the logs of the workers if it never is."""
        end = time.monotonic() + patience_s
        while not condition():
            assert time.monotonic() < end, self.logs()
            time.sleep(0.05)

    def results(self, job_id: str) -> list[dict[str, Any]]:
        """The result of each document."""
        return told_results(self.database, tenant=TENANT, job_id=job_id)

    def texts(self, job_id: str) -> list[list[list[str]]]:
        """The texts of documents, pages and lines."""
        return [
            [[line["text"] for line in page["lines"]] for page in document["pages"]]
            for document in self.results(job_id)
        ]

    def published(self, job_id: str) -> list[dict[str, Any]]:
        """The result files in storage."""
        published = select(Document.result_key).where(Document.result_key.is_not(None))
        ours = published.where(Document.job_id == job_id).order_by(Document.position)
        with self.database.reading() as session:
            keys = session.scalars(ours).all()
        return [json.loads(self.storage.get(key or "")) for key in keys]

    def rows(self, job_id: str) -> tuple[int, int]:
        """How many rows of pages and of lines the job has."""
        pages = select(Page.id).join(Document).where(Document.job_id == job_id)
        with self.database.reading() as session:
            found = session.scalars(pages).all()
            lines = select(func.count()).select_from(Line).where(Line.page_id.in_(found))
            return len(found), session.scalars(lines).one()

    def logs(self) -> str:
        """The end of what the workers said."""
        return "\n".join(f"{log.name}:\n{tail(log, 25)}" for log in self.folder.glob("*.log"))

    def _upload(self, job_id: str, content: bytes, number: int) -> NewDocument:
        document_id = jobs.new_id()
        key = f"jobs/{job_id}/{document_id}/original"
        self.storage.put(key, content)
        return NewDocument(id=document_id, name=f"document-{number}", key=key)


@contextmanager
def run_service(folder: Path, settings: Settings) -> Iterator[Service]:
    """A service without workers; those it starts are ended with it."""
    database = Database(settings.database_url)
    service = Service(
        settings=settings,
        folder=folder,
        database=database,
        storage=open_storage(settings),
        environment=_environment(settings),
    )
    try:
        upgrade(database)
        yield service
    finally:
        for worker in service.workers:
            kill(worker)
        database.close()


def quick_settings(folder: Path, redis_url: str, **changes: Any) -> Settings:
    """Settings for one machine with short leases, on the small model."""
    values: dict[str, Any] = {
        "redis_url": redis_url,
        "database_url": f"sqlite:///{folder}/hwr.db",
        "storage_url": f"file:{folder}/store",
        "model": small_model(folder / "small.safetensors"),
        "read_threads": 4,
        "lease_s": 3.0,
        "page_deadline_s": 3.0,
        "reap_every_s": 0.5,
    }
    return Settings(**(values | changes))


def _environment(settings: Settings) -> dict[str, str]:
    changed = settings.model_dump(mode="json", include=settings.model_fields_set)
    return {
        f"HWR_{name.upper()}": value if isinstance(value, str) else json.dumps(value)
        for name, value in changed.items()
    }


def stop_politely(worker: Popen[bytes]) -> int:
    """Ask a worker to end; its exit status."""
    stop(worker, patience_s=30)
    return worker.returncode
