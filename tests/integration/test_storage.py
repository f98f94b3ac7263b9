"""Folder and S3 keep the same promises; only their failures differ."""

import base64
import errno
import hashlib
import io
import os
import resource
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import services
from botocore.awsrequest import AWSResponse

from hwr.errors import (
    DocumentTooLarge,
    FetchTimeout,
    ObjectExists,
    ObjectNotFound,
    ReferenceUnreadable,
    ServiceError,
    StorageUnavailable,
    UnsafeObject,
)
from workers import storage as storages
from workers.s3 import S3Storage, fetch_reference
from workers.settings import Settings
from workers.storage import FolderStorage, Storage, open_storage

KEY = "jobs/0a1b/2c3d/original"
KEY_BESIDE = "a/b/c"


def unheard() -> None:
    """Progress that nobody looks at."""


@pytest.fixture(params=["folder", "s3"])
def storage(request: pytest.FixtureRequest) -> Storage:
    """Either storage, empty."""
    if request.param == "folder":
        return open_storage(Settings(storage_url=request.getfixturevalue("folder_url")))
    s3: services.S3Server = request.getfixturevalue("s3")
    url = request.getfixturevalue("s3_url")
    return open_storage(Settings(storage_url=url, s3_endpoint_url=s3.endpoint_url))


def test_gives_back_what_was_put(storage: Storage) -> None:
    storage.put(KEY, b"\x00words\xff")
    assert storage.get(KEY) == b"\x00words\xff"


def test_keeps_an_empty_object(storage: Storage) -> None:
    storage.put(KEY, b"")
    assert storage.get(KEY) == b""


def test_put_reads_a_file_and_download_writes_one(storage: Storage, tmp_path: Path) -> None:
    content = os.urandom(9 * 2**20)  # more than one part of a multipart upload
    storage.put(KEY, io.BytesIO(content))
    calls: list[None] = []
    storage.download(KEY, tmp_path / "copy", lambda: calls.append(None))
    assert (tmp_path / "copy").read_bytes() == content
    assert len(calls) > 2


def test_a_download_ends_with_the_error_of_its_progress(storage: Storage, tmp_path: Path) -> None:
    def late() -> None:
        threads.append(threading.current_thread())
        raise FetchTimeout

    threads: list[threading.Thread] = []
    storage.put(KEY, io.BytesIO(bytes(9 * 2**20)))
    with pytest.raises(FetchTimeout):
        storage.download(KEY, tmp_path / "copy", late)
    assert threads == [threading.current_thread()]


def test_a_place_that_takes_no_download_is_not_blamed_on_the_storage(
    storage: Storage, tmp_path: Path
) -> None:
    storage.put(KEY, b"words")
    with pytest.raises(FileNotFoundError):
        storage.download(KEY, tmp_path / "absent" / "copy", unheard)
    with pytest.raises(IsADirectoryError):
        storage.download(KEY, tmp_path, unheard)


def test_putting_again_replaces(storage: Storage) -> None:
    storage.put(KEY, b"a longer first version")
    storage.put(KEY, b"second")
    assert storage.get(KEY) == b"second"


def test_an_object_that_is_not_there(storage: Storage, tmp_path: Path) -> None:
    with pytest.raises(ObjectNotFound, match=rf"^{KEY} is not there\. Submit"):
        storage.get(KEY)
    with pytest.raises(ObjectNotFound):
        storage.download(KEY, tmp_path / "copy", unheard)
    storage.delete(KEY)


def test_a_deleted_object_is_gone(storage: Storage) -> None:
    storage.put(KEY, b"x")
    storage.delete(KEY)
    with pytest.raises(ObjectNotFound):
        storage.get(KEY)


def test_readers_see_whole_objects_while_it_is_written(storage: Storage) -> None:
    versions = [bytes([letter]) * 300_000 for letter in b"ab"]
    storage.put(KEY, versions[0])
    seen: list[bytes] = []

    def write() -> None:
        for number in range(9):
            storage.put(KEY, versions[number % 2])

    writer = threading.Thread(target=write)
    writer.start()
    while writer.is_alive():
        seen.append(storage.get(KEY))
    writer.join()
    assert seen
    assert set(seen) <= set(versions)


@pytest.mark.parametrize("key", ["../x", "a/../../x", "/etc/passwd", "a//b", "", ".hidden", "a\nb"])
def test_a_key_cannot_leave_the_storage(storage: Storage, key: str) -> None:
    with pytest.raises(ServiceError, match="no storage key"):
        storage.put(key, b"x")


def test_check_passes(storage: Storage) -> None:
    storage.check()


def test_urls_are_absolute(storage: Storage) -> None:
    assert storage.url(KEY).startswith(("file:///", "s3://hwr-test/"))
    assert storage.url(KEY).endswith(KEY)


class Broken(io.BytesIO):
    """A client that goes away in the middle of its upload."""

    def read(self, size: int | None = -1) -> bytes:
        if self.tell() > 0:
            raise ConnectionResetError
        return super().read(10)


def test_an_interrupted_put_leaves_the_old_object(storage: Storage) -> None:
    storage.put(KEY, b"old")
    with pytest.raises((ConnectionResetError, StorageUnavailable)):
        storage.put(KEY, Broken(b"x" * 100))
    assert storage.get(KEY) == b"old"


def test_an_interrupted_put_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises((ConnectionResetError, StorageUnavailable)):
        FolderStorage(tmp_path).put("a/b", Broken(b"x" * 100))
    assert list(tmp_path.iterdir()) == []


def test_a_deleted_object_takes_its_empty_folders_along(tmp_path: Path) -> None:
    storage = FolderStorage(tmp_path / "store")
    for key in ("jobs/1/2/original", "jobs/1/3/original"):
        storage.put(key, b"x")
    storage.delete("jobs/1/2/original")
    assert storage.names("jobs/1") == ["3"]
    storage.delete("jobs/1/3/original")
    storage.delete("jobs/1/3/original")
    assert list((tmp_path / "store").iterdir()) == []


def test_objects_are_written_while_the_folder_vanishes(tmp_path: Path) -> None:
    storage, ended = FolderStorage(tmp_path), threading.Event()

    def vanish() -> None:
        while not ended.is_set():
            storage.delete("a/b/other")

    threads = [threading.Thread(target=vanish) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(100):
            storage.put(KEY_BESIDE, b"x")
            storage.delete(KEY_BESIDE)
    finally:
        ended.set()
        for thread in threads:
            thread.join()


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    storage = FolderStorage(tmp_path / "file" / "store")
    with pytest.raises(StorageUnavailable, match="cannot be used"):
        storage.put(KEY, b"x")
    with pytest.raises(StorageUnavailable, match="cannot be used"):
        storage.check()


def test_a_folder_without_room(tmp_path: Path) -> None:
    usual = resource.getrlimit(resource.RLIMIT_FSIZE)
    # As on a full disk, files can be made but hold nothing.
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, usual[1]))
    try:
        with pytest.raises(StorageUnavailable, match="Free space"):
            FolderStorage(tmp_path).check()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, usual)


@pytest.mark.parametrize("url", ["ftp://nowhere", "s3:///no-bucket", "file:", "file://", ""])
def test_what_is_no_storage_is_named_with_its_setting(url: str) -> None:
    with pytest.raises(ServiceError, match=f"HWR_STORAGE_URL is '{url}'"):
        open_storage(Settings(storage_url=url))


def test_bad_credentials_are_named(s3: services.S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    settings = Settings(storage_url=f"s3://{s3.bucket}/x", s3_endpoint_url=s3.endpoint_url)
    storage = open_storage(settings)
    for use in (storage.check, lambda: storage.put(KEY, b"x"), lambda: storage.get(KEY)):
        with pytest.raises(StorageUnavailable, match="credentials"):
            use()


def test_a_bucket_that_does_not_exist_is_named(s3: services.S3Server) -> None:
    settings = Settings(storage_url="s3://no-such-bucket/x", s3_endpoint_url=s3.endpoint_url)
    with pytest.raises(StorageUnavailable, match="no-such-bucket"):
        open_storage(settings).check()


def test_a_server_that_is_down_is_named(s3: services.S3Server) -> None:
    settings = Settings(storage_url="s3://bucket/x", s3_endpoint_url="http://127.0.0.1:1")
    with pytest.raises(StorageUnavailable, match="HWR_S3_ENDPOINT_URL"):
        open_storage(settings).get(KEY)


def reference_settings(s3: services.S3Server, *, max_bytes: int = 1000) -> Settings:
    return Settings(s3_endpoint_url=s3.endpoint_url, max_bytes=max_bytes)


def test_fetches_a_reference(s3: services.S3Server, s3_url: str, tmp_path: Path) -> None:
    storage = open_storage(Settings(storage_url=s3_url, s3_endpoint_url=s3.endpoint_url))
    storage.put("scan.pdf", b"%PDF-")
    settings = reference_settings(s3, max_bytes=5)
    fetch_reference(settings, f"{s3_url}/scan.pdf", tmp_path / "copy", unheard)
    assert (tmp_path / "copy").read_bytes() == b"%PDF-"


def test_a_reference_over_the_limit_is_not_fetched(
    s3: services.S3Server, s3_url: str, tmp_path: Path
) -> None:
    storage = open_storage(Settings(storage_url=s3_url, s3_endpoint_url=s3.endpoint_url))
    storage.put("scan.pdf", b"x" * 11)
    with pytest.raises(DocumentTooLarge, match=r"11 bytes, 10"):
        fetch_reference(
            reference_settings(s3, max_bytes=10), f"{s3_url}/scan.pdf", tmp_path / "copy", unheard
        )
    assert not (tmp_path / "copy").exists()


@pytest.mark.parametrize("tail", ["/absent.pdf", "/../x", "/a/../../secret"])
def test_a_reference_that_is_not_there(
    s3: services.S3Server, s3_url: str, tmp_path: Path, tail: str
) -> None:
    with pytest.raises(ReferenceUnreadable):
        fetch_reference(reference_settings(s3), s3_url + tail, tmp_path / "copy", unheard)


def test_a_reference_to_another_bucket(s3: services.S3Server, tmp_path: Path) -> None:
    with pytest.raises(ReferenceUnreadable, match="other-bucket"):
        fetch_reference(reference_settings(s3), "s3://other-bucket/x", tmp_path / "copy", unheard)


def test_an_object_is_created_once(storage: Storage) -> None:
    storage.create(KEY, io.BytesIO(b"first"))
    with pytest.raises(ObjectExists, match=r"jobs/0a1b.* Choose another name"):
        storage.create(KEY, b"second")
    assert storage.get(KEY) == b"first"


def test_what_is_created_may_be_read_by_other_users(tmp_path: Path) -> None:
    FolderStorage(tmp_path).create("a/b", b"x")
    assert (tmp_path / "a" / "b").stat().st_mode & 0o777 == 0o644


def test_of_those_who_create_it_at_once_one_wins(storage: Storage) -> None:
    def create(content: bytes) -> None:
        together.wait()
        try:
            storage.create(KEY, content)
            won.append(content)
        except ObjectExists:
            lost.append(content)

    won: list[bytes] = []
    lost: list[bytes] = []
    contents = [bytes([letter]) * 1000 for letter in b"abcd"]
    together = threading.Barrier(len(contents))
    threads = [threading.Thread(target=create, args=[content]) for content in contents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(lost) == len(contents) - 1
    assert [storage.get(KEY)] == won


def test_names_are_those_directly_below(storage: Storage) -> None:
    for key in ("a/b/c", "a/b/d", "a/e", "ab/c"):
        storage.put(key, b"x")
    assert storage.names("") == ["a", "ab"]
    assert storage.names("a") == ["b", "e"]
    assert storage.names("a/b") == ["c", "d"]
    assert storage.names("a/b/c") == storage.names("z") == []


def test_names_are_those_that_a_key_can_have(tmp_path: Path) -> None:
    for name in (".put-left", "a b", "good"):
        (tmp_path / name).touch()
    assert FolderStorage(tmp_path).names("") == ["good"]


def test_all_below_a_key_goes_and_no_neighbour(storage: Storage) -> None:
    for key in ("a/b/c", "a/b/d/e", "a/bb", "ab"):
        storage.put(key, b"x")
    storage.delete_below("a/b")
    storage.delete_below("absent")
    assert storage.last_written("a/b") == 0
    for gone in ("a/b/c", "a/b/d/e"):
        with pytest.raises(ObjectNotFound):
            storage.get(gone)
    assert storage.get("a/bb") == storage.get("ab") == b"x"


def test_objects_on_a_server_are_removed_together(s3: services.S3Server, s3_url: str) -> None:
    def note(request: Any, **_: Any) -> None:
        sent.append(request)

    sent: list[Any] = []
    storage = S3Storage(s3_url, endpoint_url=s3.endpoint_url)
    storage._client.meta.events.register("before-send.s3.DeleteObjects", note)
    for name in "bcde":
        storage.put(f"a/{name}", b"x")
    storage.delete_below("a")
    assert storage.names("a") == []
    (request,) = sent
    # What servers ask for that know no newer hash, and nothing that they do not know.
    md5 = base64.b64decode(request.headers["Content-MD5"])
    assert md5 == hashlib.md5(request.body).digest()
    assert [name for name in request.headers if "checksum" in name.lower()] == []


@pytest.mark.parametrize(("status", "code"), [(400, "NotImplemented"), (405, "MethodNotAllowed")])
def test_a_server_that_takes_no_list_of_deletions_is_asked_for_each(
    s3: services.S3Server, s3_url: str, status: int, code: str
) -> None:
    def answer(request: Any, **_: Any) -> AWSResponse:
        error = f"<Error><Code>{code}</Code><Message>no</Message></Error>".encode()
        return AWSResponse(request.url, status, {}, SimpleNamespace(stream=lambda: iter([error])))

    storage = S3Storage(s3_url, endpoint_url=s3.endpoint_url)
    storage._client.meta.events.register("before-send.s3.DeleteObjects", answer)
    for name in ("a/b", "a/c", "ab"):
        storage.put(name, b"x")
    storage.delete_below("a")
    assert storage.names("a") == []
    assert storage.get("ab") == b"x"


def test_where_a_server_removes_neither_a_list_nor_each_it_is_told(
    s3: services.S3Server, s3_url: str
) -> None:
    def answer(request: Any, **_: Any) -> AWSResponse:
        error = b"<Error><Code>AccessDenied</Code><Message>no</Message></Error>"
        return AWSResponse(request.url, 403, {}, SimpleNamespace(stream=lambda: iter([error])))

    storage = S3Storage(s3_url, endpoint_url=s3.endpoint_url)
    for operation in ("DeleteObjects", "DeleteObject"):
        storage._client.meta.events.register(f"before-send.s3.{operation}", answer)
    storage.put("a/b", b"x")
    with pytest.raises(StorageUnavailable, match="AccessDenied"):
        storage.delete_below("a")


@pytest.mark.parametrize(("code", "refused"), [("AccessDenied", True), ("NoSuchKey", False)])
def test_what_a_server_does_not_remove_is_told(
    s3: services.S3Server, s3_url: str, code: str, refused: bool
) -> None:
    def answer(request: Any, **_: Any) -> AWSResponse:
        error = f"<Error><Key>kept/a/b</Key><Code>{code}</Code><Message>no</Message></Error>"
        raw = SimpleNamespace(
            stream=lambda: iter([f"<DeleteResult>{error}</DeleteResult>".encode()])
        )
        return AWSResponse(request.url, 200, {}, raw)

    storage = S3Storage(s3_url, endpoint_url=s3.endpoint_url)
    storage.put("a/b", b"x")
    storage._client.meta.events.register("before-send.s3.DeleteObjects", answer)
    told = pytest.raises(StorageUnavailable, match=r"kept/a/b \(AccessDenied\)")
    with told if refused else nullcontext():
        storage.delete_below("a")


def test_documents_in_a_folder_are_removed_beside_each_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def remove(folder: Path) -> None:
        if folder.name in "bc":
            two.wait(30)  # two at once, or it breaks
        usual(folder)

    outside = tmp_path / "outside"
    store, usual, two = (
        FolderStorage(tmp_path / "store"),
        storages._remove_tree,
        threading.Barrier(2),
    )
    for path in (outside / "kept", store.root / "a" / "b" / "d", store.root / "a" / "c" / "d"):
        path.mkdir(parents=True)
    (store.root / "a" / "link").symlink_to(outside)
    monkeypatch.setattr(storages, "_remove_tree", remove)
    store.delete_below("a")
    assert [*store.root.iterdir()] == []
    assert (outside / "kept").exists()


def test_two_may_remove_the_same_at_once(tmp_path: Path) -> None:
    storage = FolderStorage(tmp_path)
    for _ in range(30):
        for number in range(40):
            (tmp_path / "a" / str(number)).mkdir(parents=True)
            (tmp_path / "a" / str(number) / "b").touch()
        with ThreadPoolExecutor() as pool:
            list(pool.map(storage.delete_below, ["a"] * 4))
            assert storage.last_written("a") == 0


def test_it_is_known_when_what_does_not_vanish_was_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lstat(path: Path) -> os.stat_result:
        if path.name == "c":
            path.unlink()
        return real(path)

    storage, real = FolderStorage(tmp_path), Path.lstat
    for key in ("a/b", "a/c"):
        storage.put(key, b"x")
    monkeypatch.setattr(Path, "lstat", lstat)
    assert storage.last_written("a") > 0


@pytest.mark.parametrize(("times", "removed"), [(3, True), (99, False)])
def test_a_folder_that_is_written_to_is_removed_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, times: int, removed: bool
) -> None:
    def rmdir(path: str, **where: int) -> None:
        if left:
            raise left.pop()
        real(path, **where)

    storage, real = FolderStorage(tmp_path), os.rmdir
    storage.put("a/b/c", b"x")
    left = [OSError(errno.ENOTEMPTY, os.strerror(errno.ENOTEMPTY)) for _ in range(times)]
    monkeypatch.setattr(os, "rmdir", rmdir)
    with nullcontext() if removed else pytest.raises(StorageUnavailable):
        storage.delete_below("a")
    assert (tmp_path / "a").exists() is not removed


def test_it_is_known_when_something_was_written_last(storage: Storage) -> None:
    before = time.time()
    storage.put("a/b/c", b"x")
    # The server tells whole seconds.
    assert before - 2 <= storage.last_written("a") <= time.time() + 2
    assert storage.last_written("absent") == 0


def test_an_empty_folder_counts_by_when_it_was_made(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    os.utime(tmp_path / "a", (1000, 1000))
    assert FolderStorage(tmp_path).last_written("a") == 1000


@pytest.mark.parametrize("error", [FileNotFoundError, FileExistsError])
def test_a_folder_that_vanishes_while_it_is_made_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: type[OSError]
) -> None:
    def mkdir(path: Path, **how: bool) -> None:
        if left:
            raise left.pop()
        real(path, **how)

    real, left = Path.mkdir, [error()] * 2
    monkeypatch.setattr(Path, "mkdir", mkdir)
    FolderStorage(tmp_path).put("a/b", b"x")
    assert (tmp_path / "a" / "b").read_bytes() == b"x"
    assert not left


def test_in_a_plain_folder_only_files_are_objects(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "socket"))
        with pytest.raises(UnsafeObject, match="no plain file"):
            FolderStorage(tmp_path, plain=True).get("socket")


def test_a_plain_folder_follows_no_link(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    root = tmp_path / "store"
    root.mkdir()
    (root / "link").symlink_to(tmp_path / "secret")
    (root / "folder").symlink_to(tmp_path)
    storage = FolderStorage(root, plain=True)
    for key in ("link", "folder/secret"):
        with pytest.raises(UnsafeObject, match="Put a copy"):
            storage.get(key)
        with pytest.raises(UnsafeObject):
            storage.put(key, b"x")
    with pytest.raises(UnsafeObject):
        storage.names("folder")
    assert FolderStorage(root).get("link") == b"secret"
