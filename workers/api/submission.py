"""A submission while it arrives: small files are stored beside each other, references noted."""

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from sqlalchemy import Row
from sqlalchemy.exc import SQLAlchemyError

from hwr.errors import (
    BadRequest,
    ServiceError,
    ServiceUnavailable,
    TooManyDocuments,
    UnsupportedMediaType,
)
from hwr.profiles import FREE_TEXT
from workers.api.multipart import IN_MEMORY, MultipartReader, Part
from workers.api.services import Services
from workers.database import Database, Lane
from workers.file_names import clean_name
from workers.folders import document_folder, job_folder
from workers.jobs import NewDocument, new_id, was_written
from workers.storage import Storage, split_reference

log = logging.getLogger(__name__)

#: Fields that a multipart submission may have beside its documents.
_FIELDS = 10

#: Small files of a submission that are stored at once, each while the next ones come: what storing
#: takes is mostly waiting, for a disk or a server.
_AT_ONCE = 8

#: Largest JSON body in bytes: a thousand references of the longest keys S3 permits.
_MAX_JSON = 2 * 2**20


#: Compressions. Some clients put another name there and compress nothing: `UTF-8`, say.
_COMPRESSED = frozenset({"gzip", "x-gzip", "deflate", "br", "zstd", "compress", "x-compress"})


class ReferenceList(BaseModel):
    """The JSON body of a submission by reference."""

    model_config = ConfigDict(extra="forbid")

    references: list[str] = Field(description="s3:// addresses, under the permitted prefixes")
    lane: Lane = Field(Lane.NORMAL, description="How urgent the job is")
    profile: str = Field(FREE_TEXT, description="What kind of documents these are")


@dataclass(kw_only=True)
class Received:
    """What a client has handed in so far."""

    #: The job that its key has already: what comes in is compared with it, and stored nowhere.
    known: Row[str, str] | None = None
    #: Id of the job it is going to be.
    job_id: str = field(default_factory=new_id)
    #: How urgent it is.
    lane: Lane = Lane.NORMAL
    #: Name of the profile that its pages are laid out by.
    profile: str = FREE_TEXT
    #: Its documents in the order they came.
    documents: list[NewDocument] = field(default_factory=list)

    def add_reference(self, reference: str) -> None:
        """Note a reference. Raises ReferenceUnreadable when it is no address."""
        _, key = split_reference(reference)
        self.documents.append(NewDocument(name=clean_name(key), reference=reference))

    def stored_keys(self) -> list[str]:
        """Storage keys of the files."""
        if self.known is not None:
            return []
        return [document.key for document in self.documents if document.key is not None]


async def receive(
    request: Request, services: Services, known: Row[str, str] | None = None
) -> Received:
    """Take the body of a submission in; what was stored is removed again if it fails.

    Where its key has a job already, the documents are only read, to tell whether they are the same.

    Raises:
        BadRequest, UnsupportedMediaType, DocumentTooLarge, TooManyDocuments,
        StorageUnavailable.
        ServiceUnavailable: there is no room for it, or the API ends before it has come.
    """
    received = Received(known=known)
    content_type = request.headers.get("content-type", "")
    media_type = content_type.partition(";")[0].strip().lower()
    try:
        _check_encoding(request)
        if media_type == "multipart/form-data":
            await _receive_files(request, content_type, services, received)
        elif media_type == "application/json":
            await _receive_references(request, services.settings.max_documents, received)
        else:
            raise UnsupportedMediaType(
                f"The Content-Type is {media_type[:100] or 'missing'}. "
                "Send multipart/form-data with files, or application/json with references."
            )
    except BaseException as error:
        if isinstance(error, asyncio.CancelledError):
            _say_cut_off(services.storage, received)
        await services.storing.run(discard, services.storage, received)
        if isinstance(error, asyncio.CancelledError):
            raise ServiceUnavailable("The API ends. Send the submission again.") from error
        raise
    return received


def _check_encoding(request: Request) -> None:
    encoding = ",".join(request.headers.getlist("content-encoding"))
    if not _COMPRESSED.isdisjoint(name.strip() for name in encoding.lower().split(",")):
        raise UnsupportedMediaType(
            f"The Content-Encoding is {encoding[:100]}. Send the body as it is, uncompressed."
        )


def _say_cut_off(storage: Storage, received: Received) -> None:
    # Said before anything is removed, for the process may be killed meanwhile.
    log.warning("job %s was cut off by the end of the API", received.job_id)
    for key in received.stored_keys():
        log.warning("%s is being removed", storage.url(key))


def discard(storage: Storage, received: Received) -> None:
    """Remove the files of a submission that became no job, or name those that may stay."""
    keys = received.stored_keys()
    if not keys:
        return
    try:
        storage.delete_below(job_folder(received.job_id))
    except ServiceError as error:
        log.warning("job %s became none and cannot be cleaned up: %s", received.job_id, error)
        _leave_behind(storage, keys)


def discard_unless_written(database: Database, storage: Storage, received: Received) -> None:
    """The same where the database failed, which may have the job all the same: it needs its files.

    Where the database cannot tell, they stay, and nobody but an operator removes them.
    """
    try:
        written = was_written(database, received.job_id)
    except SQLAlchemyError as error:
        log.warning("job %s: whether it was written is not known: %s", received.job_id, error)
        _leave_behind(storage, received.stored_keys())
        return
    if not written:
        discard(storage, received)


def _leave_behind(storage: Storage, keys: list[str]) -> None:
    for key in keys:
        log.warning("%s may be left behind", storage.url(key))


async def _receive_files(
    request: Request, content_type: str, services: Services, received: Received
) -> None:
    limits = services.settings
    most = limits.max_documents + _FIELDS
    storing: set[asyncio.Task[None]] = set()
    try:
        with MultipartReader(
            content_type,
            max_bytes=limits.max_bytes,
            max_parts=most,
            kept=received.known is None,
        ) as reader:
            async for chunk in request.stream():
                for part in reader.feed(chunk):
                    await _take(part, services, received, storing)
            reader.end()
        await _until(storing, most=0)
    finally:
        await _end(storing)


async def _take(
    part: Part, services: Services, received: Received, storing: set[asyncio.Task[None]]
) -> None:
    if part.file_name is not None:
        key = _note(part, part.file_name, received)
        if received.known is not None:
            part.content.close()
            return
        small = part.size <= IN_MEMORY
        storing.add(asyncio.create_task(services.storing.run(_store, part, key, services.storage)))
        # What lies in a temporary file is stored by itself, so that there is one of them at a time.
        await _until(storing, most=_AT_ONCE - 1 if small else 0)
        return
    with part.content:
        _take_field(part, received)


def _take_field(part: Part, received: Received) -> None:
    if part.field_name == "references":
        received.add_reference(_text(part))
    elif part.field_name == "profile":
        received.profile = _text(part)
    else:
        received.lane = _lane(_text(part))


async def _until(storing: set[asyncio.Task[None]], *, most: int) -> None:
    """Wait until so many at most are going on. Raises what one has failed with."""
    while storing:
        patience = None if len(storing) > most else 0
        done, _ = await asyncio.wait(storing, timeout=patience, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            storing.discard(task)
            task.result()
        if not done:
            return


async def _end(storing: set[asyncio.Task[None]]) -> None:
    """End what is going on: what has begun is awaited, so that nothing comes after its removal."""
    for task in storing:
        task.cancel()
    await asyncio.gather(*storing, return_exceptions=True)


def _note(part: Part, name: str, received: Received) -> str:
    """Note the file, in its place and before anything of it is stored; the key it is to have."""
    document_id = new_id()
    key = f"{document_folder(received.job_id, document_id)}/original"
    received.documents.append(
        NewDocument(id=document_id, name=name, key=key, digest=part.sha256.hexdigest())
    )
    return key


def _store(part: Part, key: str, storage: Storage) -> None:
    with part.content:
        storage.put(key, part.content)


def _text(part: Part) -> str:
    return part.content.read().decode("utf-8", "replace")


def _lane(name: str) -> Lane:
    try:
        return Lane(name)
    except ValueError as error:
        raise BadRequest(f"There is no lane {name!r}. Use {', '.join(Lane)}.") from error


async def _receive_references(request: Request, most: int, received: Received) -> None:
    body = b""
    async for chunk in _limited(request.stream()):
        body += chunk
    try:
        parsed = ReferenceList.model_validate_json(body)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "body"
        raise BadRequest(
            f'{where}: {first["msg"]}. Send {{"references": ["s3://bucket/file.pdf"]}}.'
        ) from error
    if len(parsed.references) > most:  # to note each of so many would hold up all other requests
        raise TooManyDocuments(
            f"The job has {len(parsed.references)} documents, {most} are permitted. "
            "Submit it as several jobs."
        )
    received.lane, received.profile = parsed.lane, parsed.profile
    for reference in parsed.references:
        received.add_reference(reference)


async def _limited(stream: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    size = 0
    async for chunk in stream:
        size += len(chunk)
        if size > _MAX_JSON:
            raise BadRequest(
                f"The JSON body is longer than {_MAX_JSON} bytes. Submit several jobs."
            )
        yield chunk
