"""Names, bodies and uploads that no well-behaved client would send to the HTTP interface."""

import resource
import socket
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from api_bench import PDF, error_of, make_settings, make_tables, open_api, stored

from hwr.errors import ServiceUnavailable
from workers.api.multipart import MultipartReader
from workers.file_names import MAX_NAME
from workers.settings import Settings


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("..\\..\\windows\\system.ini", "system.ini"),
        ("/absolute/scan.pdf", "scan.pdf"),
        ("a\x00b\x1b[31m\x7f.pdf", "ab[31m.pdf"),
        ("left\u202efdp.exe", "leftfdp.exe"),
        ("Prüfung № 3 – 手書き.pdf", "Prüfung № 3 – 手書き.pdf"),
        ("..", "document"),
        (" ", "document"),
        ("x" * 10_000 + ".pdf", "x" * (MAX_NAME - 4) + ".pdf"),
    ],
)
def test_hostile_names_are_made_harmless(api: httpx.Client, sent: str, kept: str) -> None:
    job = raw_post(api, part(sent.encode()))
    assert [document["name"] for document in job["documents"]] == [kept]


@pytest.mark.parametrize(
    ("parameters", "kept"),
    [
        (b"filename=\"=?utf-8?B?w6kucG5n?=\"; filename*=utf-8''%C3%A9.png", "é.png"),
        (b"filename*=UTF-8'de'Pr%C3%BCfung%20%E2%84%96%203.pdf; filename=x.pdf", "Prüfung № 3.pdf"),
        (b"filename*=UTF-8''..%2F..%2Fpasswd%00", "passwd"),
        (b"filename=\"a; filename*=UTF-8''b.png\"", "a; filename*=UTF-8''b.png"),
        (b"filename=\"a.png\"; filename*=iso-2022-jp''b.png", "a.png"),
        (b'filename="' + b"\\" * 60_000, "document"),
        (b'filename="a%22b.png"', 'a"b.png'),
        (b'filename="a\\"b.png"', 'a"b.png'),
        (b'filename="a%0d%0Ab 100%25.png"', "ab 100%25.png"),
    ],
)
def test_a_name_may_come_as_dotnet_writes_it(
    api: httpx.Client, parameters: bytes, kept: str
) -> None:
    head = b'--B\r\nContent-Disposition: form-data; name="files"; ' + parameters
    job = raw_post(api, head + b"\r\n\r\nx\r\n--B--\r\n")
    assert [document["name"] for document in job["documents"]] == [kept]


def test_a_file_without_a_name_is_refused_with_the_remedy(
    api: httpx.Client, settings: Settings
) -> None:
    body = b'--B\r\nContent-Disposition: form-data; name="files"\r\n\r\nscan.pdf\r\n--B--\r\n'
    error = raw_post(api, body)["error"]
    assert error["code"] == "BadRequest"
    assert "-F files=@scan.pdf" in error["message"]
    assert stored(settings) == []


def part(file_name: bytes, content: bytes = b"x") -> bytes:
    disposition = b'Content-Disposition: form-data; name="files"; filename="' + file_name + b'"'
    return b"--B\r\n" + disposition + b"\r\n\r\n" + content + b"\r\n--B--\r\n"


def raw_post(
    api: httpx.Client, body: bytes, content_type: str = "multipart/form-data; boundary=B"
) -> Any:
    """Post a body that no well-behaved client would make."""
    headers = {"content-type": content_type}
    return api.post("/v1/jobs", content=body, headers=headers).json()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"--B",
        b"not multipart at all",
        b"--B--\r\n",
        part(b"a.pdf")[:-6],
        b'--B\r\nContent-Disposition: form-data; name="files"; filename="a"\r\n\r\nxxxx',
        b"--B\r\n" + b"X: y\r\n" * 100 + b"\r\nx\r\n--B--\r\n",
        b"--B\r\nX: " + b"y" * 100_000 + b"\r\n\r\nx\r\n--B--\r\n",
        b"--B\r\n\r\nno disposition\r\n--B--\r\n",
        b"--B\r\nContent-Disposition: form-data\r\n\r\nno name\r\n--B--\r\n",
        b'--B\r\nContent-Disposition: form-data; name="\xff\xfe"\r\n\r\nx\r\n--B--\r\n',
        b"--B\r\n\r\n\r\n" * 1000,
    ],
)
def test_hostile_bodies_are_refused(api: httpx.Client, settings: Settings, body: bytes) -> None:
    error = raw_post(api, body)["error"]
    assert error["code"] in {"BadRequest", "NoDocuments", "TooManyDocuments"}
    assert stored(settings) == []


@pytest.mark.parametrize(
    "content_type",
    [
        "multipart/form-data",
        "multipart/form-data; boundary=",
        "multipart/form-data; boundary=" + "B" * 300,
    ],
)
def test_hostile_content_types_are_refused(api: httpx.Client, content_type: str) -> None:
    assert raw_post(api, part(b"a.pdf"), content_type)["error"]["code"] == "BadRequest"


def test_the_limit_holds_while_the_body_still_comes(api: httpx.Client, settings: Settings) -> None:
    """The refusal comes although the client would go on sending for ever."""
    with socket.create_connection((api.base_url.host, api.base_url.port), timeout=20) as connection:
        head = "POST /v1/jobs HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000000\r\n"
        head += "Content-Type: multipart/form-data; boundary=B\r\n\r\n"
        connection.sendall(head.encode() + part(b"endless.pdf", b"x" * 2000)[:1900])
        assert connection.recv(100).startswith(b"HTTP/1.1 413")
    assert stored(settings) == []


def test_an_upload_that_breaks_off_leaves_nothing(api: httpx.Client, settings: Settings) -> None:
    with socket.create_connection((api.base_url.host, api.base_url.port)) as connection:
        head = "POST /v1/jobs HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n"
        head += "Content-Type: multipart/form-data; boundary=B\r\n\r\n"
        connection.sendall(
            head.encode() + part(b"whole.pdf")[:-4] + b"\r\n" + part(b"half.pdf")[5:60]
        )
        deadline = time.monotonic() + 30
        while not stored(settings) and time.monotonic() < deadline:
            time.sleep(0.01)
        assert len(stored(settings)) == 1
    while stored(settings) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert stored(settings) == []


def test_no_room_for_uploads_is_an_outage(
    tmp_path: Path,
    redis_url: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    settings = make_settings(tmp_path, redis_url, max_bytes=4 * 2**20)
    make_tables(settings)
    with open_api(settings) as api:
        monkeypatch.setattr(tempfile, "tempdir", "/proc/inside")
        answer = api.post("/v1/jobs", files=[PDF, ("files", ("large.pdf", bytes(2 * 2**20)))])
        monkeypatch.undo()
    assert error_of(answer) == (503, "ServiceUnavailable")
    assert "retry-after" in answer.headers
    assert "/proc" not in answer.text
    assert "Uploads cannot wait in /proc/inside" in caplog.text
    assert stored(settings) == []


def test_a_disk_that_is_full_is_told_while_a_part_is_written_and_thrown_away() -> None:
    usual = resource.getrlimit(resource.RLIMIT_FSIZE)
    body = part(b"large.pdf", bytes(2**20 + 1000))
    with MultipartReader("multipart/form-data; boundary=B", max_bytes=2**21, max_parts=1) as reader:
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, usual[1]))
        try:
            with pytest.raises(ServiceUnavailable, match="TMPDIR"):
                list(reader.feed(body))
            reader.__exit__(None, None, None)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, usual)


def test_a_name_without_an_end_takes_no_longer_than_another() -> None:
    body = part(b'\\"' * 15_000 + b"\\")
    start = time.process_time()
    with MultipartReader("multipart/form-data; boundary=B", max_bytes=2**21, max_parts=1) as reader:
        for one in reader.feed(body):
            one.content.close()
    assert time.process_time() - start < 0.5


@pytest.mark.parametrize("either_settings", ["servers"], indirect=True)
def test_zero_characters_are_the_clients_mistake(either: httpx.Client) -> None:
    submitted = either.post("/v1/jobs", json={"references": ["s3://inbox/scans/a\0b.pdf"]})
    assert submitted.status_code == 400
    assert submitted.json()["error"]["code"] == "BadRequest"
    assert either.get("/v1/jobs/a%00b").status_code == 400
