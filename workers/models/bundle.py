"""The files that make a model, as training leaves them: found by what they are, and tried out."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from safetensors import SafetensorError, safe_open

from hwr.errors import ModelError, ModelMismatch
from hwr.model.confidence import load_scales, scales_path
from hwr.model.quantisation import load_quantisation, quantisation_path
from hwr.model.weights import load_model
from workers.models.choice import ModelFiles, open_reader
from workers.models.manifest import CARD, LANGUAGE, LINE, QUANTISATION, SCALES
from workers.settings import Settings

#: What only the metadata of such a file has.
_MARKS = {LINE: "network", LANGUAGE: "heed"}


def collect(sources: Sequence[Path]) -> dict[str, Path]:
    """The files of a model among `sources`, which may be folders, by their names in a version.

    What belongs to a recogniser stands beside it. A language model may be missing: then the
    shipped one is used.

    Raises:
        ModelError: there is no recogniser or no card, or there are several of a kind.
    """
    files = list(_files(sources))
    weights = [path for path in files if path.suffix == ".safetensors"]
    line = _only_one("recogniser", [path for path in weights if _is(LINE, path)])
    languages = [path for path in weights if _is(LANGUAGE, path)]
    cards = [path for path in files if path.name == CARD] or [line.with_name(CARD)]
    found = {
        LINE: line,
        QUANTISATION: quantisation_path(line),
        SCALES: scales_path(line),
        LANGUAGE: _only_one("language model", languages) if languages else None,
        CARD: _only_one("card", cards),
    }
    if not cards[0].is_file():
        raise ModelError(
            f"{cards[0]} is not there. Write what the model was trained on, how it reads and"
            " under which licence it may be used."
        )
    return {name: path for name, path in found.items() if path and path.is_file()}


def try_out(settings: Settings, files: dict[str, Path]) -> None:
    """Read a line with the model, with the engine and decoder of the settings.

    Raises:
        ModelMismatch: a file was made for other weights.
        ModelError, EngineError, DecoderError, LineError: it does not read.
    """
    model = load_model(files[LINE])
    try:
        load_quantisation(model)
    except ModelError as error:
        raise ModelMismatch(str(error)) from error
    if SCALES in files and load_scales(files[SCALES], model.hash) is None:
        raise ModelMismatch(f"{files[SCALES]} is not for {files[LINE]}. Run hwr calibrate again.")
    language = files.get(LANGUAGE, settings.language_model)
    found = ModelFiles(line=files[LINE], language=language)
    open_reader(settings, found).close()


def _files(sources: Iterable[Path]) -> Iterator[Path]:
    for source in sources:
        if source.is_dir():
            yield from (path for path in sorted(source.iterdir()) if path.is_file())
        else:
            yield source


def _is(name: str, path: Path) -> bool:
    try:
        with safe_open(path, "np") as file:
            return _MARKS[name] in (file.metadata() or {})
    except (OSError, SafetensorError) as error:
        raise ModelError(f"{path} is not a usable model ({error}). Name others.") from error


def _only_one(what: str, paths: Sequence[Path]) -> Path:
    if len(paths) != 1:
        told = ", ".join(map(str, paths)) or "none"
        raise ModelError(f"A version has one {what}, found: {told}. Name the files themselves.")
    return paths[0]
