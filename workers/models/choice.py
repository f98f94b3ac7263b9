"""What is read with: a model of the registry, a file, or what comes with hwr."""

import weakref
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

from hwr.errors import EngineError
from workers.models.cache import Fetched, open_cache
from workers.models.manifest import CURRENT, LANGUAGE, LINE, Manifest, ModelName
from workers.models.registry import open_registry
from workers.settings import Settings

if TYPE_CHECKING:
    from hwr.reader import LineReader

#: What this process reads with to its end.
_for_good: list["ModelFiles"] = []

#: Seconds that reading one blank line may take a new model.
_TRIAL_S = 60.0


@dataclass(frozen=True, kw_only=True)
class ModelFiles:
    """Where a model is on this machine."""

    #: The recogniser; none for the shipped one.
    line: Path | None = None
    #: The language model; none for the shipped one.
    language: Path | None = None
    #: Which version of the registry it is; none where it is not from there.
    version: str | None = None
    #: What keeps that version on the disk.
    fetched: Fetched | None = None


class EngineOptions(TypedDict):
    """What hwr.reader.Reader and LineReader take of the settings."""

    model: Path | None
    engine: str
    threads: int
    decoder: str
    language_model: Path | None
    review_below: float
    model_version: str | None


def engine_of(
    settings: Settings, decoder: str | None = None, files: ModelFiles | None = None
) -> EngineOptions:
    """Which model is read with, by which engine on how many threads, and how it is decoded.

    A `decoder` or `files` that are given go before the settings.
    """
    if files is None:
        files = model_files(settings)
        _for_good.append(files)
    return EngineOptions(
        model=files.line,
        engine=settings.engine,
        threads=settings.engine_threads,
        decoder=decoder or settings.decoder,
        language_model=files.language,
        review_below=settings.review_below,
        model_version=files.version,
    )


def model_files(settings: Settings) -> ModelFiles:
    """The model of the settings, fetched if it is one of the registry.

    Raises:
        ModelError: the registry has no such version, or it cannot be used.
        StorageUnavailable: the registry cannot be reached.
    """
    name = registered(settings)
    if name is None:
        return ModelFiles(line=settings.model, language=settings.language_model)
    return fetch(settings, open_registry(settings).manifest(name))


def registered(settings: Settings) -> ModelName | None:
    """The version of the registry that HWR_MODEL names; none where it names a file."""
    return ModelName.find(str(settings.model)) if settings.model else None


def followed(settings: Settings) -> str | None:
    """The model whose current version is read with, whichever that comes to be."""
    name = registered(settings)
    return name.name if name and name.version == CURRENT else None


def fetch(settings: Settings, manifest: Manifest) -> ModelFiles:
    """The files of a version, verified; raises what `ModelCache.fetch` does.

    A language model that is named by HWR_LANGUAGE_MODEL goes before the version's own.
    """
    fetched = open_cache(settings).fetch(open_registry(settings), manifest)
    names = {file.name for file in manifest.files}
    own = fetched.folder / LANGUAGE if LANGUAGE in names else None
    return ModelFiles(
        line=fetched.folder / LINE,
        language=settings.language_model or own,
        version=manifest.identity,
        fetched=fetched,
    )


def open_reader(settings: Settings, files: ModelFiles) -> "LineReader":
    """A warm reader that has read a line.

    Raises:
        ModelError, EngineError, DecoderError, LineError: the model cannot be read with.
    """
    from hwr.reader import LineReader  # loads an engine: for those who read only
    from workers.line_reader import BLANK

    reader = LineReader(**engine_of(settings, files=files))
    if files.fetched:
        # The method holds what it releases, which nobody else need do.
        weakref.finalize(reader, files.fetched.release)
    try:
        # Weights that are no numbers load, warm up, and fail on every line.
        reader.submit(BLANK, deadline_s=_TRIAL_S).result(_TRIAL_S)
    except TimeoutError as error:
        reader.close()
        raise EngineError(
            f"The model has not read a blank line in {_TRIAL_S:g} s. Give it a machine that is less"
            " busy, another HWR_ENGINE, or a smaller model."
        ) from error
    except BaseException:
        reader.close()
        raise
    return reader
