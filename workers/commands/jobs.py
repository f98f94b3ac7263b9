"""Commands that talk to a running service about jobs."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
)
from rich.text import Text

from hwr.states import State
from workers.address import find_url
from workers.client import Client, Json
from workers.commands.show import ALL_READ, SOME_FAILED, complain, show
from workers.output import Format
from workers.uploads import is_reference

Url = Annotated[
    str | None,
    typer.Option(envvar="HWR_URL", help='The service; by default the "hwr up" of this folder.'),
]
Key = Annotated[
    str | None, typer.Option(envvar="HWR_KEY", help="Your key, if the service asks for one.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the API's own JSON of the job.")]
JobId = Annotated[str, typer.Argument(metavar="JOB", help="Id of the job.")]

IdempotencyKey = Annotated[
    str | None,
    typer.Option(metavar="KEY", help="Your name for this submission; the same again is one job."),
]


def connect(url: str | None, key: str | None) -> Client:
    """A client of the service that is meant."""
    return Client(find_url(url), key=key)


def submit(
    files: Annotated[list[str], typer.Argument(help="Documents, or s3:// addresses of some.")],
    wait: Annotated[bool, typer.Option("--wait", help="Wait and print the text.")] = False,
    as_json: AsJson = False,
    lane: Annotated[str, typer.Option(help="high, normal or low")] = "normal",
    profile: Annotated[
        str, typer.Option(help="What kind of documents: page, exam, cheque or the service's own.")
    ] = "page",
    idempotency_key: IdempotencyKey = None,
    url: Url = None,
    key: Key = None,
) -> None:
    """Submit documents to a running service."""
    _check_files(files)
    with connect(url, key) as client:
        job = client.submit(files, lane=lane, profile=profile, idempotency_key=idempotency_key)
        if wait:
            raise typer.Exit(_wait(client, job["id"], as_json=as_json))
        typer.echo(json.dumps(job) if as_json else job["id"])


def _wait(client: Client, job_id: str, *, as_json: bool) -> int:
    """Wait for the job and print its text, or where it stands then; the exit code."""
    complain(f"job {job_id}")
    try:
        job = watch(client.follow(job_id))
    except KeyboardInterrupt:
        complain(
            f"The job goes on. See where it stands with hwr status {job_id}, take what is read "
            f"with hwr results {job_id}, or call it off with hwr cancel {job_id}"
        )
        raise
    code = ALL_READ
    if as_json:
        typer.echo(json.dumps(job))
    else:
        code = _show(client, job, Format.TEXT, None)
    return code if job["state"] == "done" else SOME_FAILED


def _show(client: Client, job: Json, form: Format, out: Path | None) -> int:
    """Print or save what the job's documents say; the exit code."""
    return show(client.documents(job["id"]), form, out, several=len(job["documents"]) > 1)


def status(
    job: Annotated[str | None, typer.Argument(metavar="JOB", help="Id of the job.")] = None,
    idempotency_key: IdempotencyKey = None,
    as_json: AsJson = False,
    url: Url = None,
    key: Key = None,
) -> None:
    """Say where a job stands; --idempotency-key names one whose id is not known."""
    with connect(url, key) as client:
        told = _find(client, job, idempotency_key)
    if as_json:
        typer.echo(json.dumps(told))
    else:
        _print_status(told)


def _find(client: Client, job_id: str | None, idempotency_key: str | None) -> Json:
    if job_id is not None and idempotency_key is None:
        return client.job(job_id)
    if job_id is None and idempotency_key is not None:
        return client.find(idempotency_key)
    raise typer.BadParameter("Name the job either by its id or by --idempotency-key.")


def results(
    job: JobId,
    form: Annotated[Format, typer.Option("--format", help="text or json")] = Format.TEXT,
    out: Annotated[Path | None, typer.Option(help="Folder to save them in.")] = None,
    url: Url = None,
    key: Key = None,
) -> None:
    """Print or save the results of a job, as far as there are any."""
    with connect(url, key) as client:
        told = client.job(job)  # before its results: those of a job that is done are all there
        code = _show(client, told, form, out)
    if told["state"] != "done":
        complain(f"job {job} is {told['state']}")
    raise typer.Exit(code if told["state"] == "done" else SOME_FAILED)


def cancel(job: JobId, url: Url = None, key: Key = None) -> None:
    """Call a job off; what was read stays."""
    with connect(url, key) as client:
        _print_status(client.cancel(job))


def jobs(
    state: Annotated[State | None, typer.Option(help="Only those in this state.")] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the API's own JSON of each job on a line.")
    ] = False,
    url: Url = None,
    key: Key = None,
) -> None:
    """List jobs, newest first: id, state, when it came in, idempotency key."""
    with connect(url, key) as client:
        for job in client.jobs(state):
            shown = (job["id"], job["state"], job["created"], job["idempotency_key"] or "")
            typer.echo(json.dumps(job) if as_json else "  ".join(shown).rstrip())


def delete(
    jobs: Annotated[list[str], typer.Argument(metavar="JOB", help="Ids of jobs that ended.")],
    url: Url = None,
    key: Key = None,
) -> None:
    """Delete jobs that have ended, with their documents and results, for good."""
    with connect(url, key) as client:
        for job in jobs:
            client.delete(job)


def watch(jobs: Iterable[Json]) -> Json:
    """Show a job's progress on standard error until it ends; the job as it is then."""
    job: Json = {}
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("pages"),
        _PagesPerSecond(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
    ) as progress:
        bar = progress.add_task("queued", total=None)
        for job in jobs:
            total = job["pages_total_known"] or None
            progress.update(bar, description=job["state"], completed=job["pages_done"], total=total)
    return job


class _PagesPerSecond(ProgressColumn):
    """Pages done by the second since the job is watched."""

    def render(self, task: Task) -> Text:
        """The figure."""
        return Text(f"{task.completed / (task.elapsed or 1):.1f} pages/s")


def _check_files(files: Iterable[str]) -> None:
    for file in files:
        if not is_reference(file) and not Path(file).is_file():
            raise typer.BadParameter(f"{file} is no file. Nothing was submitted.")


def _print_status(job: Json) -> None:
    pages = f"{job['pages_done']} of {job['pages_total_known']} pages"
    typer.echo(f"{job['id']}  {job['state']}  {pages}, {job['lines_done']} lines")
    for document in job["documents"]:
        done = document["pages_done"] + document["pages_failed"]
        total = "?" if document["page_count"] is None else document["page_count"]
        typer.echo(f"  {document['name']}  {document['state']}  {done} of {total} pages")
        if document["error"]:
            typer.echo(f"    {document['error']['code']}: {document['error']['message']}")
