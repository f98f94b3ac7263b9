"""What every reader gives, and how it becomes lines of one split."""

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256

import cv2

from hwr.errors import HwrError, TrainingDataError
from hwr.training.samples import Grey, LineSample, decode_grey, shown
from hwr.training.splits import takes, tell_others, tell_shared

log = logging.getLogger(__name__)

#: Share of the writers that validate where the source gives no split.
VAL_SHARE = 0.1
#: Pixels. Lines are kept at most this high: a model takes 64, and augmentation wants some room.
_HEIGHT = 80
_JPEG_QUALITY = 95


@dataclass(frozen=True, kw_only=True)
class Record:
    """One line of a source, before its picture is looked at."""

    #: Names the line in reports: its path inside the data set.
    name: str
    #: Whose hand it is; the page or form where the source names no writer.
    writer: str
    #: What is written, as the source says it.
    text: str
    #: The split that the source puts it in, or None where it gives none.
    split: str | None
    #: Gives the picture, grey (h, w) uint8; raises `HwrError` where it is broken.
    picture: Callable[[], Grey]


@dataclass
class LeftOut:
    """The broken records of one data set: each is logged by name, and all are counted."""

    #: Data set they belong to.
    dataset: str
    #: Broken records so far.
    count: int = field(default=0, init=False)

    def add(self, name: str, reason: object) -> None:
        """Report one."""
        self.count += 1
        log.warning("%s: %s left out: %s", self.dataset, shown(name), shown(str(reason)))

    def conclude(self, lines: int, split: str) -> None:
        """Tell how many lines of a split there are beside those left out."""
        said = f"{self.dataset}: {lines} lines of {split}, {self.count} left out"
        log.log(logging.WARNING if self.count or not lines else logging.INFO, said)


def undivided(sets: Iterable[Iterable[Record]]) -> set[str]:
    """Who validates in any of these data sets, and so in all: nobody is trained on in another."""
    return set().union(*(val_writers(r.writer for r in own if r.split is None) for own in sets))


def gather(
    records: Sequence[Record], left_out: LeftOut, split: str, validating: set[str]
) -> list[LineSample]:
    """The lines of one split; where the source gives none, those by `validating` are in val.

    Each picture is decoded once here, so that a broken one is named before a run begins, and kept
    small and compressed: a page is not decoded again for every line.
    """
    tell_others(left_out.dataset, (record.split for record in records if record.split))
    tell_repeated(left_out.dataset, (record.name for record in records))
    splits = [r.split or ("val" if r.writer in validating else "train") for r in records]
    tell_shared(left_out.dataset, zip((r.writer for r in records), splits, strict=True))
    samples = []
    for record, own in zip(records, splits, strict=True):
        if not takes(split, own):
            continue
        try:
            samples.append(_sample(left_out.dataset, record))
        except HwrError as error:
            left_out.add(record.name, error)
    left_out.conclude(len(samples), split)
    return samples


def check_cells(beyond: Sequence[str]) -> None:
    """See that a row of a table has nothing `beyond` its columns but empty cells.

    Raises:
        TrainingDataError: it has: a tab in the text moves what follows into the wrong columns.
    """
    if any(beyond):
        raise TrainingDataError(
            "its row has more cells than there are columns. Take the tab out of its text."
        )


def tell_repeated(dataset: str, lines: Iterable[str]) -> None:
    """Warn of lines that come several times: they may be in both splits, or say different texts."""
    if names := [name for name, count in Counter(lines).items() if count > 1]:
        log.warning(
            "%s: %d lines come more than once, %s among them. Keep one row of each.",
            dataset,
            len(names),
            shown(names[0]),
        )


def val_writers(writers: Iterable[str]) -> set[str]:
    """Those of one set's `writers` that validate: `VAL_SHARE` of all names, the same everywhere.

    Where the names give none, the one nearest to it; but a single writer is trained on.
    """
    places = {writer: _place(writer) for writer in writers}
    if len(places) < 2:
        return set()
    chosen = {writer for writer, place in places.items() if place < VAL_SHARE}
    return chosen or {min(places, key=places.__getitem__)}


def _place(writer: str) -> float:
    """A number in 0..1 that depends on nothing but the name."""
    return int.from_bytes(sha256(writer.encode()).digest()[:8]) / 2**64


def _sample(dataset: str, record: Record) -> LineSample:
    text = some_text(record.text)
    image = _lowered(record.picture())
    data = cv2.imencode(".jpg", image, (cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY))[1].tobytes()
    return LineSample(
        dataset=dataset,
        name=record.name,
        writer=record.writer,
        text=text,
        width=round(image.shape[1] * 64 / image.shape[0]),
        load=partial(decode_grey, data, record.name),
    )


def some_text(text: str) -> str:
    """The text without blanks around it.

    Raises:
        TrainingDataError: there is none.
    """
    if not (stripped := text.strip()):
        raise TrainingDataError("it has no text. Transcribe it or remove it.")
    return stripped


def _lowered(image: Grey) -> Grey:
    height, width = image.shape
    if height <= _HEIGHT:
        return image
    size = (max(1, round(width * _HEIGHT / height)), _HEIGHT)
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA).astype("uint8", copy=False)
