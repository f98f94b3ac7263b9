"""What a version of a model holds: the files by name, length and hash. Hostile when it is read."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import hwr
from hwr.errors import DamagedManifest, ModelNotFound

#: The recogniser. The next two have the names under which hwr looks for them beside it.
LINE = "line.safetensors"
QUANTISATION = "line.int8.json"
SCALES = "line.confidence.json"
LANGUAGE = "language.safetensors"
CARD = "CARD.md"

#: Files that every version has, and those that one may have.
REQUIRED = frozenset({LINE, CARD})
PERMITTED = REQUIRED | {QUANTISATION, SCALES, LANGUAGE}

#: The version that is in use, wherever a version can be named.
CURRENT = "current"

#: What a manifest or a move may have in bytes; they have less than one thousand.
MOST_BYTES = 16 * 1024

#: Digits of a version's hash that people are shown.
SHORT_HASH = 16

#: Manifests of another format are refused.
_FORMAT = 1

_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"
_HASH = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, kw_only=True)
class ModelName:
    """NAME@VERSION, as settings and commands name a model of the registry."""

    name: str
    #: A version's name, or CURRENT.
    version: str

    @classmethod
    def find(cls, text: str) -> Self | None:
        """The name that `text` is; none for what may be the path of a file."""
        match = re.fullmatch(f"({_NAME})@({_NAME})", text)
        return cls(name=match[1], version=match[2]) if match else None

    @classmethod
    def parse(cls, text: str) -> Self:
        """The name that `text` is.

        Raises:
            ModelNotFound: it is none, so nothing can have it.
        """
        found = cls.find(text)
        if found is None:
            raise ModelNotFound(
                f"{text!r} is not NAME@VERSION, each of at most 64 letters, digits and . _ -"
                " beginning with a letter or a digit."
            )
        return found

    def __str__(self) -> str:
        return f"{self.name}@{self.version}"


@dataclass(frozen=True, kw_only=True)
class StoredFile:
    """A file of a version."""

    #: One of PERMITTED.
    name: str
    #: Its length in bytes.
    size: int
    #: 64 hexadecimal digits.
    sha256: str

    @classmethod
    def of(cls, name: str, path: Path) -> Self:
        """The entry for the file at `path`."""
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            return cls(name=name, size=file.tell(), sha256=digest)


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What a version of a model holds."""

    model: ModelName
    files: tuple[StoredFile, ...]
    #: When it was published, ISO 8601 in UTC.
    created: str
    #: The version of hwr that published it.
    hwr: str
    #: SHA-256 of the manifest itself, 64 hexadecimal digits: names all that the version holds.
    hash: str

    @property
    def size(self) -> int:
        """Bytes of all files together."""
        return sum(file.size for file in self.files)

    @property
    def identity(self) -> str:
        """NAME@VERSION and the beginning of the hash, as results carry it."""
        return f"{self.model} {self.hash[:SHORT_HASH]}"

    @classmethod
    def parse(cls, content: bytes, model: ModelName) -> Self:
        """The manifest of `model` that `write` made.

        Raises:
            DamagedManifest: it is no manifest, another model's, or names files it may not.
        """
        try:
            told = json.loads(content)
            _check_head(told, model)
            files = tuple(_file(entry) for entry in told["files"])
            _check_names([file.name for file in files])
            return cls(
                model=model,
                files=files,
                created=_time(told["created"]),
                hwr=_short(told["hwr"]),
                hash=hashlib.sha256(content).hexdigest(),
            )
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise DamagedManifest(
                f"The manifest of {model} is damaged ({error!r}). Publish it as another version."
            ) from error


def write_manifest(model: ModelName, files: tuple[StoredFile, ...]) -> bytes:
    """The content of a manifest that is made now."""
    told = {
        "format": _FORMAT,
        "name": model.name,
        "version": model.version,
        "created": now(),
        "hwr": hwr.__version__,
        "files": [{"name": f.name, "bytes": f.size, "sha256": f.sha256} for f in files],
    }
    return (json.dumps(told, indent=1) + "\n").encode()


@dataclass(frozen=True, kw_only=True)
class Move:
    """That a version was put to use."""

    #: Its place among the moves of the model, from 1.
    number: int
    model: ModelName
    #: Hash of the manifest that was meant.
    manifest: str
    #: When, ISO 8601 in UTC.
    moved: str

    @classmethod
    def parse(cls, content: bytes, name: str, number: int) -> Self:
        """The move of the model `name` that `write_move` made.

        Raises:
            DamagedManifest: it is no move.
        """
        try:
            told = json.loads(content)
            model = ModelName.parse(f"{name}@{told['version']}")
            if model.version == CURRENT:
                raise ValueError("it leads to itself")
            return cls(
                number=number,
                model=model,
                manifest=_hash(told["manifest"]),
                moved=_time(told["moved"]),
            )
        except (ValueError, KeyError, TypeError, RecursionError, ModelNotFound) as error:
            raise DamagedManifest(
                f"Move {number} of {name} is damaged ({error!r}). Put a version to use again."
            ) from error


def write_move(manifest: Manifest) -> bytes:
    """The content of a move to `manifest` that is made now."""
    told = {"version": manifest.model.version, "manifest": manifest.hash, "moved": now()}
    return (json.dumps(told, indent=1) + "\n").encode()


def is_hash(text: str) -> bool:
    """Whether it is a SHA-256 as manifests have it."""
    return _HASH.fullmatch(text) is not None


def now() -> str:
    """The time, ISO 8601 in UTC."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _check_head(told: Mapping[str, Any], model: ModelName) -> None:
    if told["format"] != _FORMAT:
        raise ValueError(f"format {told['format']!r}, this version of hwr knows {_FORMAT}")
    if (told["name"], told["version"]) != (model.name, model.version):
        raise ValueError("it is another model's")


def _check_names(names: list[str]) -> None:
    if len(set(names)) != len(names):
        raise ValueError("a file is named twice")
    if missing := REQUIRED - set(names):
        raise ValueError(f"without {', '.join(sorted(missing))}")


def _file(entry: Mapping[str, Any]) -> StoredFile:
    if entry["name"] not in PERMITTED:
        raise ValueError(f"no file of a model is called {entry['name']!r}")
    size = entry["bytes"]
    if type(size) is not int or size < 0:
        raise ValueError(f"no file has {size!r} bytes")
    return StoredFile(name=entry["name"], size=size, sha256=_hash(entry["sha256"]))


def _hash(text: str) -> str:
    if not is_hash(text):
        raise ValueError("not a SHA-256")
    return text


def _time(text: str) -> str:
    return datetime.fromisoformat(text).isoformat(timespec="milliseconds")


def _short(text: str) -> str:
    if not re.fullmatch(r"[\w.+-]{1,40}", text, re.ASCII):
        raise ValueError("not a version of hwr")
    return text
