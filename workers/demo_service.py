"""The demo's service: `hwr up` as a process of its own, and jobs of it followed to their end."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from hwr.errors import ServerFailed
from hwr.states import FINAL_STATES
from workers.address import find_url
from workers.client import Client, Json
from workers.processes import free_port, last_words, spawn, stop

#: Seconds between two looks at the service while it starts; `hwr up` itself gives up in time.
LOOK_S = 0.2

#: Seconds that it gets for draining.
STOP_S = 60.0

#: Our service is for us alone, whatever the user has set for others.
ENVIRONMENT = {"HWR_API_HOST": "127.0.0.1", "HWR_API_KEYS": "{}"}

#: Told the job each time it was looked at.
Watcher = Callable[[Json], None]


@contextmanager
def running_service(data: Path, log: Path, console: Console) -> Iterator[Client]:
    """A client of a `hwr up` of our own with this data folder; ended at the end.

    Raises:
        ServerFailed: it did not start; the message has the end of its log.
    """
    data.mkdir(parents=True, exist_ok=True)
    port = free_port()
    options = ["--data", str(data), "--port", str(port)]
    command = [sys.executable, "-m", "workers", "up", *options]
    process = spawn(command, log=log, environment=ENVIRONMENT)
    url = f"http://127.0.0.1:{port}"
    try:
        console.print("Starting the service: hwr up")
        _wait_until_ready(process, data, url, log)
        with Client(url) as client:
            yield client
    finally:
        console.print("Stopping the service.")
        stop(process, patience_s=STOP_S)


def _wait_until_ready(process: subprocess.Popen[bytes], data: Path, url: str, log: Path) -> None:
    # `hwr up` writes its address into the folder when all its parts are ready.
    while find_url(None, data) != url:
        if process.poll() is not None:
            raise ServerFailed(f"hwr up ended. {last_words(log)}")
        time.sleep(LOOK_S)


def follow(client: Client, job_ids: Sequence[str], console: Console) -> None:
    """Show how jobs go on until they end: a bar on a terminal, else a line a document.

    The figures at the end are of all of them together, since they share the service.
    """
    start, pages, lines = time.monotonic(), 0, 0
    for job_id in job_ids:
        with _watcher(console, start) as watch:
            for job in client.follow(job_id):
                watch(job)
        pages, lines = pages + job["pages_done"], lines + job["lines_done"]
    seconds = time.monotonic() - start
    console.print(
        f"{pages} pages with {lines} lines in {seconds:.1f} s: {pages / seconds:.2f} pages/s"
    )


@contextmanager
def _watcher(console: Console, start: float) -> Iterator[Watcher]:
    if not console.is_terminal:
        yield line_watcher(console)
        return
    columns = (TextColumn("reading"), BarColumn(), MofNCompleteColumn(), TextColumn("pages"))
    speed = TextColumn("{task.fields[speed]:.2f} pages/s, {task.fields[lines]} lines")
    with Progress(*columns, speed, console=console, transient=True) as progress:
        task = progress.add_task("reading", total=None, speed=0.0, lines=0)
        yield lambda job: progress.update(
            task,
            total=job["pages_total_known"] or None,
            completed=job["pages_done"],
            speed=job["pages_done"] / (time.monotonic() - start),
            lines=job["lines_done"],
        )


def line_watcher(console: Console) -> Watcher:
    """Prints a line for each document that has ended since the last look."""
    told: set[str] = set()

    def watch(job: Json) -> None:
        for document in job["documents"]:
            if document["state"] in FINAL_STATES and document["id"] not in told:
                told.add(document["id"])
                pages = f"{document['pages_done']} of {document['page_count'] or 0} pages"
                console.print(f"{document['name']}: {document['state']}, {pages}", markup=False)

    return watch
