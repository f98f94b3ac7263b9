"""API and workers as docker-compose runs them, on Redis, PostgreSQL and S3."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import services
from running import HWR, hwr, wait_for

from workers.processes import free_port, kill, spawn, tail


@pytest.fixture
def url(
    tmp_path: Path,
    model: Path,
    redis_url: str,
    postgres_url: str,
    s3_url: str,
    s3: services.S3Server,
) -> Iterator[str]:
    """URL of an API with a split and a read worker behind it."""
    port = free_port()
    environment = s3.environment() | {
        "HWR_REDIS_URL": redis_url,
        "HWR_DATABASE_URL": postgres_url,
        "HWR_STORAGE_URL": s3_url,
        "HWR_S3_ENDPOINT_URL": s3.endpoint_url,
        "HWR_REFERENCE_PREFIXES": f'["s3://{s3.bucket}/inbox"]',
        "HWR_API_PORT": str(port),
        "HWR_API_KEYS": '{"bank": "bank-key"}',
        "HWR_MODEL": str(model),
    }
    parts = {}
    for part in ("api", "worker split", "worker read"):
        log = tmp_path / f"{part}.log"
        ready = {"HWR_READY_FILE": str(tmp_path / f"{part}.ready")}
        parts[log] = spawn([*HWR, *part.split()], log=log, environment=environment | ready)
    try:
        wait_for(
            lambda: is_ready(port, tmp_path), lambda: "\n".join(tail(log, 20) for log in parts)
        )
        yield f"http://127.0.0.1:{port}"
    finally:
        for process in parts.values():
            kill(process)


def is_ready(port: int, folder: Path) -> bool:
    try:
        answer = httpx.get(f"http://127.0.0.1:{port}/readyz")
    except httpx.TransportError:
        return False
    return answer.is_success and len(list(folder.glob("worker *.ready"))) == 2


def test_files_and_references_read_as_on_one_machine(
    url: str, scans: Path, model: Path, s3: services.S3Server
) -> None:
    pages = scans / "two-pages.tif"
    s3.client().upload_file(str(pages), s3.bucket, "inbox/two-pages.tif")
    reference = f"s3://{s3.bucket}/inbox/two-pages.tif"
    absent = f"s3://{s3.bucket}/inbox/absent.pdf"
    key = {"HWR_KEY": "bank-key"}
    files: list[str | Path] = [reference, scans / "page.png", absent]
    submitted = hwr("submit", *files, "--wait", "--url", url, **key)
    assert submitted.returncode == 1
    assert "absent.pdf: ReferenceUnreadable: " in submitted.stderr
    read = hwr("read", pages, scans / "page.png", model=model)
    assert submitted.stdout == read.stdout + "==> absent.pdf <==\n"
    assert hwr("submit", pages, "--url", url).stderr.startswith("KeyRefused: ")
