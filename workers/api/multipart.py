"""Multipart bodies as they arrive: parts are limited while they stream, never gathered first."""

import hashlib
import re
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import IO, Self
from urllib.parse import unquote_to_bytes

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from hwr.errors import BadRequest, DocumentTooLarge, ServiceUnavailable, TooManyDocuments
from workers.file_names import clean_name

#: Bytes of a part that are held in memory before it goes to a temporary file.
IN_MEMORY = 2**20

#: Longest header line of a part in bytes. Room for the longest file names, which are shortened.
_MAX_HEADER = 64 * 2**10

#: Longest value of a field that is no file, in bytes.
_MAX_FIELD = 8 * 2**10

#: The part that files come in.
_FILES = "files"

#: The name as RFC 8187 writes it; .NET's own `filename` beside it is no name that a person gave.
_EXTENDED_NAME = re.compile(r";\s*filename\*\s*=\s*utf-8'[^']*'([^\s;]+)", re.IGNORECASE)

#: What stands between quotation marks in a header, or behind the last one where that is alone: to
#: look for its fellow from each mark again would take the square of a header's length.
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*+(?:"|$)', re.DOTALL)

#: What browsers, curl and others write of a name that would end the header or its quotation.
_ESCAPED = {"%22": '"', "%0D": "\r", "%0A": "\n"}
_ESCAPE = re.compile("|".join(_ESCAPED), re.IGNORECASE)

#: What parts may be named, and of these what a body may have once.
FIELDS = (_FILES, "references", "lane", "profile")
_ONCE = frozenset({"lane", "profile"})


def _spool() -> IO[bytes]:
    return tempfile.SpooledTemporaryFile(IN_MEMORY)


def _no_room(error: OSError) -> ServiceUnavailable:
    # Without a folder that can be written to there is no name: the error itself lists those tried.
    folder = tempfile.tempdir or "any folder"
    return ServiceUnavailable(
        f"Uploads cannot wait in {folder} ({error}). Free space there or set TMPDIR to another one."
    )


def _extended_name(disposition: str) -> bytes | None:
    told = _EXTENDED_NAME.search(_QUOTED.sub("", disposition))
    return unquote_to_bytes(told[1]) if told else None


def _file_name(disposition: str, options: Mapping[bytes, bytes]) -> str:
    """The name that the client gives a file, harmless. Raises BadRequest where it gives none."""
    if extended := _extended_name(disposition):
        return clean_name(extended.decode("utf-8", "replace"))
    if b"filename" not in options:
        raise BadRequest(
            f"A part {_FILES!r} is a text without a file name, no file. With curl an @ goes before "
            f"the name of a file: -F {_FILES}=@scan.pdf"
        )
    name = options[b"filename"].decode("utf-8", "replace")
    return clean_name(_ESCAPE.sub(lambda told: _ESCAPED[told[0].upper()], name))


@dataclass(kw_only=True)
class Part:
    """One part of the body, whole."""

    #: Name of the form field.
    field_name: str
    #: The client's file name, cleaned; None: a field, not a file.
    file_name: str | None
    #: Most bytes it may have.
    limit: int
    #: Whether its bytes are kept; else only their number and their hash are told.
    kept: bool = True
    #: Its bytes; positioned at the start once the part is whole.
    content: IO[bytes] = field(default_factory=_spool)
    #: Bytes so far.
    size: int = 0
    #: SHA-256 of the bytes so far.
    sha256: "hashlib._Hash" = field(default_factory=hashlib.sha256)

    def write(self, data: bytes) -> None:
        """Take some more bytes. Raises DocumentTooLarge or BadRequest beyond the limit."""
        self.size += len(data)
        if self.size > self.limit:
            raise self._too_large()
        self.sha256.update(data)
        if self.kept:
            self.content.write(data)

    def _too_large(self) -> Exception:
        if self.file_name is None:
            return BadRequest(
                f"The field {self.field_name!r} is longer than {_MAX_FIELD} bytes. Shorten it."
            )
        return DocumentTooLarge(
            f"{self.file_name} has more than {self.limit:,} bytes. "
            "Split it or scan at a lower resolution. No document of this request was taken."
        )


class MultipartReader:
    """Turns chunks of a body into parts.

    Feed it each chunk and take the parts it has finished; call `end` when the body ends. As a
    context manager it closes what was left unfinished.
    """

    def __init__(
        self, content_type: str, *, max_bytes: int, max_parts: int, kept: bool = True
    ) -> None:
        """`kept` says whether the bytes of files are.

        Raises:
            BadRequest: the content type names no usable boundary.
        """
        self._kept = kept
        self._max_bytes = max_bytes
        self._parts_left = max_parts
        self._part: Part | None = None
        self._finished: list[Part] = []
        self._seen: set[str] = set()
        self._ended = False
        self._header_name = b""
        self._header_value = b""
        self._disposition = b""
        self._parser = self._make_parser(content_type)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for part in [*self._finished, self._part]:
            if part is not None:
                with suppress(OSError):  # a full disk: what is thrown away need not be written
                    part.content.close()

    def feed(self, chunk: bytes) -> Iterator[Part]:
        """The parts that this chunk completes.

        Raises:
            BadRequest: the body is no multipart.
            ServiceUnavailable: there is no room for it.
        """
        try:
            self._parser.write(chunk)
        except FormParserError as error:
            raise BadRequest(f"The multipart body is damaged: {error}. Send it again.") from error
        except OSError as error:
            raise _no_room(error) from error
        while self._finished:
            yield self._finished.pop(0)

    def end(self) -> None:
        """Say that the body is over. Raises BadRequest when its last boundary has not come."""
        if not self._ended:
            raise BadRequest("The upload was cut off before its last boundary. Send it again.")

    def _make_parser(self, content_type: str) -> MultipartParser:
        boundary = parse_options_header(content_type)[1].get(b"boundary", b"")
        if not boundary:
            raise BadRequest("The Content-Type names no boundary. Send multipart/form-data.")
        try:
            return MultipartParser(
                boundary,
                {
                    "on_part_begin": self._on_part_begin,
                    "on_header_begin": self._on_header_begin,
                    "on_header_field": self._on_header_field,
                    "on_header_value": self._on_header_value,
                    "on_header_end": self._on_header_end,
                    "on_headers_finished": self._on_headers_finished,
                    "on_part_data": self._on_part_data,
                    "on_part_end": self._on_part_end,
                    "on_end": self._on_end,
                },
                max_header_size=_MAX_HEADER,
            )
        except FormParserError as error:
            raise BadRequest(f"{error}. Send a shorter boundary.") from error

    def _on_part_begin(self) -> None:
        self._disposition = b""
        self._parts_left -= 1
        if self._parts_left < 0:
            raise TooManyDocuments

    def _on_header_begin(self) -> None:
        self._header_name = self._header_value = b""

    def _on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._header_name += data[start:end]

    def _on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._header_value += data[start:end]

    def _on_header_end(self) -> None:
        if self._header_name.lower() == b"content-disposition":
            self._disposition = self._header_value

    def _on_headers_finished(self) -> None:
        disposition = self._disposition.decode("latin-1")
        options = parse_options_header(disposition)[1]
        field_name = options.get(b"name", b"").decode("utf-8", "replace")
        if field_name not in FIELDS:
            raise BadRequest(f"There is no field {field_name[:100]!r}. Use {', '.join(FIELDS)}.")
        if field_name in _ONCE & self._seen:
            raise BadRequest(f"The field {field_name!r} comes more than once. Send it once.")
        self._seen.add(field_name)
        if field_name == _FILES:
            file_name = _file_name(disposition, options)
            self._part = Part(
                field_name=field_name, file_name=file_name, limit=self._max_bytes, kept=self._kept
            )
        else:
            self._part = Part(field_name=field_name, file_name=None, limit=_MAX_FIELD)

    def _on_part_data(self, data: bytes, start: int, end: int) -> None:
        if self._part is not None:
            self._part.write(data[start:end])

    def _on_part_end(self) -> None:
        if self._part is not None:
            self._part.content.seek(0)
            self._finished.append(self._part)
        self._part = None

    def _on_end(self) -> None:
        self._ended = True
