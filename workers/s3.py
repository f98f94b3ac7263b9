"""Objects in a bucket of an S3 server, and the files that clients submit by reference.

Credentials come the way boto3 finds them: environment, ~/.aws, or the machine's role.
"""

import base64
import hashlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import IO, Any

import boto3
from boto3.exceptions import Boto3Error
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError

from hwr.errors import (
    DocumentTooLarge,
    ObjectExists,
    ObjectNotFound,
    ReferenceUnreadable,
    StorageUnavailable,
)
from workers.settings import Settings
from workers.storage import (
    Progress,
    check_key,
    chunks_of,
    is_key_part,
    missing_object,
    split_reference,
    split_url,
    write_chunks,
)

#: Answers of a server that has no such object.
_MISSING = frozenset({"404", "NoSuchKey", "NotFound"})

#: Answers of a server that has such an object, or is being given it by somebody else.
_TAKEN = frozenset({"409", "412", "ConditionalRequestConflict", "PreconditionFailed"})

#: Refusals (4xx) that are no word about the object, and will pass.
_PASSING = frozenset(
    {
        *("408", "429", "RequestTimeout", "SlowDown", "TooManyRequests", "RequestLimitExceeded"),
        *("Throttling", "ThrottlingException", "RequestThrottled", "BandwidthLimitExceeded"),
        # The service's own credentials or clock, which its operator mends.
        *("ExpiredToken", "TokenRefreshRequired", "RequestTimeTooSkewed"),
    }
)

#: Connections that are kept for the next call: more than calls at once, of which each one beyond
#: would make its own, with a TLS handshake, and throw it away.
_CONNECTIONS = 256

#: Objects that are deleted at once where a server takes no list: each is mostly the way to it.
_DELETES_AT_ONCE = 8

#: A server that takes connections and never answers costs a call some 30 seconds, a broken upload
#: as much again to take back: less than a lease, so that its work is handed back uncharged.
_CONFIG = Config(
    connect_timeout=5,
    read_timeout=15,
    max_pool_connections=_CONNECTIONS,
    retries={"mode": "standard", "total_max_attempts": 2},
    # Servers other than AWS do not know the newer trailing checksums.
    request_checksum_calculation="when_required",
    response_checksum_validation="when_required",
)

#: What headers of hashes begin with that servers other than AWS may not know.
_NEWER_HASHES = ("x-amz-checksum-", "x-amz-sdk-checksum-")

#: A file goes up in the caller's thread, part by part: ten threads of parts would hold 80 MB.
_ONE_BY_ONE = TransferConfig(use_threads=False)


class S3Storage:
    """Objects under s3://BUCKET/PREFIX. The server itself writes whole objects or nothing."""

    def __init__(self, url: str, *, endpoint_url: str | None = None) -> None:
        self.bucket, prefix = split_url(url)
        self.prefix = prefix.rstrip("/") + "/" if prefix else ""
        self._client = _connect(endpoint_url)

    def put(self, key: str, content: bytes | IO[bytes]) -> None:
        """Upload bytes in one request, a file in as many as its length asks for."""
        body = content if isinstance(content, bytes) else _whole(content)
        with self._errors(key):
            if body is not None:
                self._client.put_object(Bucket=self.bucket, Key=self._key(key), Body=body)
            else:
                self._client.upload_fileobj(
                    content, self.bucket, self._key(key), Config=_ONE_BY_ONE
                )

    def create(self, key: str, content: bytes | IO[bytes]) -> None:
        """Upload in one request, which the server refuses where the object exists."""
        with self._errors(key):
            self._client.put_object(
                Bucket=self.bucket, Key=self._key(key), Body=content, IfNoneMatch="*"
            )

    def get(self, key: str) -> bytes:
        """The bytes of the object."""
        with self._errors(key):
            answer = self._client.get_object(Bucket=self.bucket, Key=self._key(key))
            content: bytes = answer["Body"].read()
            return content

    def download(self, key: str, path: Path, progress: Progress) -> None:
        """Stream the object into a file."""
        with self._errors(key):
            # Not `download_file`: its threads would report the progress, and outlive what ends it.
            answer = self._client.get_object(Bucket=self.bucket, Key=self._key(key))
            with closing(answer["Body"]) as body:
                write_chunks(chunks_of(body), path, progress)

    def names(self, key: str) -> list[str]:
        """The next parts of the keys below a key, in as many requests as there are thousands."""
        prefix = self._key(key) + "/" if key else self.prefix
        found: set[str] = set()
        with self._errors(key):
            for page in self._listed(Prefix=prefix, Delimiter="/"):
                found.update(entry["Key"] for entry in page.get("Contents", ()))
                found.update(entry["Prefix"] for entry in page.get("CommonPrefixes", ()))
        names = (name.removeprefix(prefix).removesuffix("/") for name in found)
        return sorted(filter(is_key_part, names))

    def delete(self, key: str) -> None:
        """Remove the object."""
        with self._errors(key):
            self._client.delete_object(Bucket=self.bucket, Key=self._key(key))

    def delete_below(self, key: str) -> None:
        """Remove them in as many requests as there are thousands."""
        with self._errors(key):
            for page in self._listed(Prefix=self._key(key) + "/"):
                if found := page.get("Contents"):
                    self._delete_all([entry["Key"] for entry in found])

    def last_written(self, key: str) -> float:
        """By the server's clock."""
        with self._errors(key):
            times = (entry["LastModified"].timestamp() for entry in self._below(key))
            return max(times, default=0.0)

    def url(self, key: str) -> str:
        """s3://…"""
        return f"s3://{self.bucket}/{self._key(key)}"

    def check(self) -> None:
        """Ask for one key of ours: proves address, credentials and bucket at once."""
        try:
            with self._errors(""):
                self._client.list_objects_v2(Bucket=self.bucket, Prefix=self.prefix, MaxKeys=1)
        except ObjectNotFound as error:
            raise _unavailable(f"s3://{self.bucket}/{self.prefix}", error) from error

    def _below(self, key: str) -> Iterator[Any]:
        for page in self._listed(Prefix=self._key(key) + "/"):
            yield from page.get("Contents", ())

    def _delete_all(self, keys: Sequence[str]) -> None:
        """A thousand at most. The request succeeds also where some of them are refused."""
        told = {"Objects": [{"Key": key} for key in keys], "Quiet": True}
        try:
            answer = self._client.delete_objects(Bucket=self.bucket, Delete=told)
        except ClientError:  # Google's and others take no list, and say so in many ways
            self._delete_each(keys)
            return
        for refused in answer.get("Errors", ()):
            if refused.get("Code") not in _MISSING:
                raise _refused(f"s3://{self.bucket}/{refused.get('Key')}", refused.get("Code"))

    def _delete_each(self, keys: Sequence[str]) -> None:
        with ThreadPoolExecutor(_DELETES_AT_ONCE) as pool:
            # Where one fails, those that have not begun are not tried.
            for _ in pool.map(self._delete, keys):
                pass

    def _delete(self, key: str) -> None:
        self._client.delete_object(Bucket=self.bucket, Key=key)

    def _listed(self, **where: str) -> Iterator[Any]:
        """Answers of as many requests as it takes, a thousand objects each."""
        pages = self._client.get_paginator("list_objects_v2")
        yield from pages.paginate(Bucket=self.bucket, **where)

    def _key(self, key: str) -> str:
        return self.prefix + check_key(key)

    @contextmanager
    def _errors(self, key: str) -> Iterator[None]:
        address = f"s3://{self.bucket}/{self.prefix}{key}"
        try:
            yield
        except (BotoCoreError, Boto3Error, ClientError) as error:
            if _code(error) in _MISSING:
                raise missing_object(key) from error
            if _code(error) in _TAKEN:
                raise ObjectExists(f"{address} is there already. Choose another name.") from error
            raise _unavailable(address, error) from error


def fetch_reference(settings: Settings, reference: str, path: Path, progress: Progress) -> None:
    """Stream the file that a client submitted by reference into `path`.

    Raises:
        DocumentTooLarge: it has more than `max_bytes`.
        ReferenceUnreadable: it does not exist or cannot be read as it is.
        StorageUnavailable: the server does not answer; worth trying again.
    """
    bucket, key = split_reference(reference)
    client = _connect(settings.s3_endpoint_url)
    try:
        # No HEAD before it: its refusals have no body, and so do not say what is wrong.
        answer = client.get_object(Bucket=bucket, Key=key)
        with closing(answer["Body"]) as body:
            _check_size(reference, answer["ContentLength"], settings.max_bytes)
            write_chunks(chunks_of(body), path, progress)
    except (BotoCoreError, Boto3Error, ClientError) as error:
        if _stays(error):
            raise ReferenceUnreadable(
                f"{reference} cannot be fetched ({_code(error)}). Check that it exists, that it is "
                "not archived, and that the service may read it."
            ) from error
        raise _unavailable(reference, error) from error


def _stays(error: Exception) -> bool:
    """Whether the server would refuse the same request again."""
    if not isinstance(error, ClientError):
        return isinstance(error, ParamValidationError)
    status = error.response["ResponseMetadata"]["HTTPStatusCode"]
    return 300 <= status < 500 and not {str(status), _code(error)} & _PASSING


def _whole(file: IO[bytes]) -> bytes | None:
    """What is left of the file where that is less than a part; else None, and nothing was read."""
    start, body = file.tell(), b""
    while more := file.read(_ONE_BY_ONE.multipart_threshold - len(body)):
        body += more
    if len(body) < _ONE_BY_ONE.multipart_threshold:
        return body
    file.seek(start)
    return None


def _check_size(reference: str, size: int, limit: int) -> None:
    if size > limit:
        raise DocumentTooLarge(
            f"{reference} has {size:,} bytes, {limit:,} are permitted. Split it into smaller files."
        )


def _connect(endpoint_url: str | None) -> Any:
    # A session of its own: the default one may not be used by several threads at once.
    client = boto3.session.Session().client("s3", endpoint_url=endpoint_url or None, config=_CONFIG)
    client.meta.events.register("before-sign.s3.DeleteObjects", _hash_as_all_servers_do)
    return client


def _hash_as_all_servers_do(request: Any, **_: Any) -> None:
    """A list of deletions has to have a hash: boto3's is newer than many servers, MD5 is not."""
    for name in [name for name in request.headers if name.lower().startswith(_NEWER_HASHES)]:
        del request.headers[name]
    md5 = hashlib.md5(request.body, usedforsecurity=False).digest()
    request.headers["Content-MD5"] = base64.b64encode(md5).decode()


def _code(error: Exception) -> str:
    if isinstance(error, ClientError):
        return str(error.response.get("Error", {}).get("Code", ""))
    return type(error).__name__


def _unavailable(address: str, error: Exception) -> StorageUnavailable:
    return _refused(address, _code(error))


def _refused(address: str, code: object) -> StorageUnavailable:
    return StorageUnavailable(
        f"The S3 server does not serve {address} ({code}). "
        "Check HWR_S3_ENDPOINT_URL, the bucket and the credentials (AWS_ACCESS_KEY_ID, …)."
    )
