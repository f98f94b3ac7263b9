"""Reads one document through `hwr up` and through Redis, PostgreSQL and S3, and compares the texts.

    python tests/benchmarks/bench_two_ways.py SCAN.pdf [PAGES.txt]

PAGES.txt has a line a page, its number and a picture's name, tab separated; beside the picture
lies its transcription (see hwr.training.pages.truth). With it the character error rates are
printed, without and with print that the transcription leaves out.
"""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import fields
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import services
from rich.console import Console

from hwr.model.alphabet import DEFAULT_CHARACTERS, Alphabet
from hwr.reader import ReadLine
from hwr.training.metrics import ErrorCounts
from hwr.training.pages.scores import TextScore, score_text
from hwr.training.pages.truth import read_true_page
from workers.client import Client, Json
from workers.demo_service import follow, running_service
from workers.processes import free_port, spawn, stop

console = Console(highlight=False, width=100)


def main(scan: Path, pages: Path | None) -> int:
    """Read the scan both ways; the exit code says whether the texts are the same."""
    with tempfile.TemporaryDirectory() as folder:
        alone = _read(scan, "hwr up", running_service(Path(folder) / "up", _log(folder), console))
        servers = _read(scan, "servers", _on_servers(Path(folder)))
    same = _texts(alone) == _texts(servers)
    console.print(f"the texts are {'the same' if same else 'NOT the same'}")
    if pages:
        _score(alone, pages)
    return 0 if same else 1


def _read(scan: Path, way: str, service: AbstractContextManager[Client]) -> Json:
    console.print(f"[{way}]", markup=False)
    with service as client:
        job = client.submit([scan])
        follow(client, [job["id"]], console)
        document: Json = client.results(job["id"])["documents"][0]
    return document


def _log(folder: str) -> Path:
    return Path(folder) / "up.log"


@contextmanager
def _on_servers(folder: Path) -> Iterator[Client]:
    """API, split and read worker on a Redis, a PostgreSQL and an S3 server."""
    with ExitStack() as stack:
        port = free_port()
        s3 = stack.enter_context(services.run_s3(_made(folder / "s3")))
        settings = s3.environment() | {
            "HWR_REDIS_URL": stack.enter_context(services.run_redis(_made(folder / "redis"))),
            "HWR_DATABASE_URL": stack.enter_context(services.run_postgres()),
            "HWR_STORAGE_URL": f"s3://{s3.bucket}/documents",
            "HWR_S3_ENDPOINT_URL": s3.endpoint_url,
            "HWR_API_PORT": str(port),
        }
        for number, words in enumerate((["api"], ["worker", "split"], ["worker", "read"])):
            command = [sys.executable, "-m", "workers", *words]
            log = folder / f"part-{number}.log"
            part = spawn(command, log=log, environment=os.environ | settings)
            stack.callback(stop, part, patience_s=60)
        client = stack.enter_context(Client(f"http://127.0.0.1:{port}"))
        services.wait_until(lambda: client._json("GET", "/readyz"), part, log, Exception)
        yield client


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder


def _texts(document: Json) -> list[list[str]]:
    return [[line["text"] for line in page["lines"]] for page in document["pages"]]


def _score(document: Json, pages: Path) -> None:
    alphabet = Alphabet(DEFAULT_CHARACTERS)
    scores: list[TextScore] = []
    for page, row in zip(document["pages"], pages.read_text().splitlines(), strict=True):
        truth = read_true_page(pages.parent / Path(row.split("\t")[1]).with_suffix(".json"))
        scores.append(score_text(truth, [_line(line) for line in page["lines"]], (), alphabet))
        console.print(f"page {page['number']:2}: {_rates(scores[-1:])}, {len(page['lines'])} lines")
    console.print(f"{len(scores)} pages: {_rates(scores)}")


def _line(line: Json) -> ReadLine:
    return ReadLine(**{field.name: line[field.name] for field in fields(ReadLine)})


def _rates(scores: list[TextScore]) -> str:
    page = sum((score.page for score in scores), ErrorCounts()).rates()
    with_print = sum((score.with_print for score in scores), ErrorCounts()).rates()
    return f"CER {page.cer:6.2%}, with print {with_print.cer:6.2%}"


if __name__ == "__main__":
    arguments = [Path(argument) for argument in sys.argv[1:]]
    sys.exit(main(arguments[0], arguments[1] if len(arguments) > 1 else None))
