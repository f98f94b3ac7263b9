"""Reads one document through `hwr up` and through Redis, PostgreSQL and S3, and compares the texts.

    python tests/benchmarks/bench_two_ways.py SCAN.pdf [PAGES.txt]

PAGES.txt has a line a page, its number and a picture's name, tab separated; beside the picture
lies its transcription (see hwr.training.pages). With it the character error rates are printed:
of the lines inside the transcribed part of each page, and of everything that was read.
"""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import services
from rich.console import Console

from hwr.model.alphabet import DEFAULT_CHARACTERS, Alphabet
from hwr.training.metrics import ErrorRates
from hwr.training.pages import PlacedText, read_transcription, score_page
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
        follow(client, job["id"], console)
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
            command = [sys.executable, "-m", "workers.cli", *words]
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
    inside: list[ErrorRates] = []
    whole: list[ErrorRates] = []
    for page, row in zip(document["pages"], pages.read_text().splitlines(), strict=True):
        truth = read_transcription(pages.parent / Path(row.split("\t")[1]).with_suffix(".json"))
        lines = [PlacedText(text=line["text"], polygon=line["polygon"]) for line in page["lines"]]
        score = score_page(truth, lines, alphabet)
        inside.append(score.inside)
        whole.append(score.whole)
        found = f"{score.lines[1]} lines of {score.lines[0]}"
        console.print(
            f"page {page['number']:2}: CER {score.inside.cer:6.2%}, "
            f"with print {score.whole.cer:6.2%}, {found}"
        )
    console.print(
        f"mean of {len(inside)} pages: CER {_mean(inside):.2%}, with print {_mean(whole):.2%}"
    )


def _mean(rates: list[ErrorRates]) -> float:
    return sum(rate.cer for rate in rates) / len(rates)


if __name__ == "__main__":
    arguments = [Path(argument) for argument in sys.argv[1:]]
    sys.exit(main(arguments[0], arguments[1] if len(arguments) > 1 else None))
