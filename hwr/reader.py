"""The whole reader for one process: `Reader().read("scan.pdf")`.

`LineReader` is the part that workers share among pages: one engine, one batcher.
"""

import logging
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, Self

import hwr
from hwr.batching import Batcher, BatcherLimits, BatcherStatistics, Lane
from hwr.decoding.reading import LineReading
from hwr.decoding.reconciling import FieldLine, reconcile
from hwr.documents import Document, Limits, open_document
from hwr.engines import open_engine
from hwr.errors import DocumentError, HwrError, LineError, PageError, PageFailed
from hwr.failure import Failure
from hwr.forms import PageLayout, Zone, ZonedLine, lay_out, page_form
from hwr.forms.doubt import LineFinder
from hwr.layout import find_lines
from hwr.line_work import Decodings, LineTask, read_tasks
from hwr.model.line_image import Grey, normalise_line
from hwr.model.weights import load_model
from hwr.profiles import FREE_TEXT, Profile, load_profile
from hwr.states import State

log = logging.getLogger(__name__)

#: A line less likely than this to be read exactly is for a person to look at.
REVIEW_BELOW = 0.9


@dataclass(frozen=True, kw_only=True)
class ReadLine:
    """A line with its text."""

    #: Place in reading order, from 0.
    order: int
    #: Outline in page pixels.
    polygon: tuple[tuple[int, int], ...]
    #: Baseline in page pixels.
    baseline: tuple[tuple[int, int], ...]
    text: str
    #: Probability that the whole line is read exactly; of two amounts read together, that the
    #: amount is right.
    confidence: float
    #: Whether a person should look at it: the confidence is below the threshold, or it failed.
    needs_review: bool
    #: Name of the zone it stands in; None outside of all zones.
    zone: str | None = None
    #: Set where this line alone failed.
    error: Failure | None = None
    #: Number of its sheet, from 1; None where the page is one.
    sheet: int | None = None


@dataclass(frozen=True, kw_only=True)
class ReadZone:
    """A zone of the profile as it was found on a page, with or without lines."""

    name: str
    #: Corners in page pixels, clockwise from the top left.
    polygon: tuple[tuple[int, int], ...]
    #: What its place is known from: see hwr.forms.Found.
    found: str
    #: Number of its sheet, from 1; None where the page is one.
    sheet: int | None = None

    @classmethod
    def of(cls, zone: Zone) -> "ReadZone":
        """What results say of `zone`."""
        return cls(name=zone.name, polygon=zone.polygon, found=zone.found.value, sheet=zone.sheet)


@dataclass(frozen=True, kw_only=True)
class PageReading:
    """What a page says; without lines where it was refused."""

    #: Page number, from 1.
    number: int
    #: Size in pixels, 0 where the page was refused.
    width: int = 0
    height: int = 0
    lines: tuple[ReadLine, ...] = ()
    #: Zones of the profile, also those without lines and those that are not read.
    zones: tuple[ReadZone, ...] = ()
    #: Why the zones may be wrong, or which amounts differ.
    warning: Failure | None = None
    error: Failure | None = None

    @property
    def text(self) -> str:
        """The lines in reading order, one a row."""
        return "\n".join(line.text for line in self.lines)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values; lines and zones name their sheet only where there are several."""
        told = asdict(self)
        for part in (*told["lines"], *told["zones"]):
            if part["sheet"] is None:
                del part["sheet"]
        return told


@dataclass(frozen=True, kw_only=True)
class DocumentReading:
    """What a document says."""

    name: str
    pages: tuple[PageReading, ...] = ()
    error: Failure | None = None
    #: What read it: model hash, engine, decoder, version.
    reader: dict[str, str]

    @property
    def state(self) -> State:
        """done, done_with_errors or failed, as jobs have it."""
        if self.error or (self.pages and all(page.error for page in self.pages)):
            return State.FAILED
        flawed = any(page.error or any(line.error for line in page.lines) for page in self.pages)
        return State.DONE_WITH_ERRORS if flawed else State.DONE

    def to_json(self) -> dict[str, Any]:
        """The result as plain JSON values, the same as the service writes."""
        return {
            "name": self.name,
            "state": self.state.value,
            "error": asdict(self.error) if self.error else None,
            "reader": self.reader,
            "pages": [page.to_json() for page in self.pages],
        }


def _why_all_failed(pages: Sequence[PageReading]) -> Failure | None:
    errors = [page.error for page in pages if page.error]
    if not errors or len(errors) < len(pages):
        return None
    return Failure.of_pages(len(pages), errors[0])


class _Closing(ABC):
    """Closes itself at the end of a `with` block."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @abstractmethod
    def close(self) -> None: ...


class LineReader(_Closing):
    """Reads lines of any number of pages at once; safe to call from many threads."""

    def __init__(
        self,
        *,
        model: Path | None = None,
        engine: str = "auto",
        threads: int = 1,
        decoder: str = "auto",
        language_model: Path | None = None,
        review_below: float = REVIEW_BELOW,
        model_version: str | None = None,
    ) -> None:
        """Load `model` (default: the shipped one) into the engine of that name and warm it up.

        `decoder` and `language_model` are what `hwr.decoding.decoders.open_decoder` takes.
        `review_below` is recorded in the identity, for whoever sorts the readings, and so is
        `model_version`, what names the model where it came from.

        Raises:
            ModelError, EngineError, DecoderError: it cannot be used on this machine.
        """
        loaded = load_model(model)
        self._decodings = Decodings(loaded, decoder, language_model)
        self._engine = open_engine(engine, loaded, threads)
        self._engine.warm_up()
        self.identity = {
            "model": loaded.hash,
            "engine": self._engine.identity,
            "decoder": self._decodings.usual.decoder.identity,
            "calibration": self._decodings.usual.calibration,
            "review_below": f"{review_below:g}",
            "hwr": hwr.__version__,
        }
        if model_version:
            self.identity["model_version"] = model_version
        limits = BatcherLimits(padded_columns=self._engine.columns)
        self._batcher: Batcher[LineTask, LineReading] = Batcher(
            partial(read_tasks, self._engine), limits
        )

    def submit(
        self,
        image: Grey,
        *,
        lane: str = "normal",
        tenant: str = "default",
        deadline_s: float | None = None,
        decoder: str | None = None,
    ) -> "Future[LineReading]":
        """Queue a normalised line image (64, w); blocks while too many wait.

        `decoder` is the name of one other than the reader's own. The future fails with a LineError
        for this line alone, or with ReaderClosed.

        Raises:
            LineFailed: the decoder cannot be used.
        """
        task = LineTask(image=image, decoding=self._decodings.named(decoder))
        return self._batcher.submit(
            task, lane=Lane[lane.upper()], tenant=tenant, deadline_s=deadline_s
        )

    def statistics(self) -> BatcherStatistics:
        """Times of waiting and working, batch sizes and padding since it was made."""
        return self._batcher.statistics()

    def close(self) -> None:
        """Finish the running batch and fail the waiting lines with ReaderClosed."""
        self._batcher.close()


class Reader(_Closing):
    """Reads whole documents in this process, a page at a time."""

    def __init__(
        self,
        *,
        model: Path | None = None,
        engine: str = "auto",
        threads: int = 1,
        decoder: str = "auto",
        language_model: Path | None = None,
        review_below: float = REVIEW_BELOW,
        model_version: str | None = None,
        limits: Limits | None = None,
        profile: Profile | None = None,
        line_finder: LineFinder = find_lines,
    ) -> None:
        """As `LineReader`; documents are laid out by `profile`, by default as free text.

        A review threshold of the profile goes before `review_below`.
        """
        self._limits = limits or Limits()
        self._profile = profile or load_profile(FREE_TEXT)
        self._find = line_finder
        self._lines = LineReader(
            model=model,
            engine=engine,
            threads=threads,
            decoder=decoder,
            language_model=language_model,
            review_below=review_below,
            model_version=model_version,
        )
        own = self._profile.content.review_below
        self._review_below = review_below if own is None else own

    @property
    def identity(self) -> dict[str, str]:
        """What reads: model hash, engine, decoder, profile, version."""
        return self._lines.identity | self._profile.audit

    def read(self, path: Path | str) -> DocumentReading:
        """The reading of the document at `path`; what is refused is in it as a Failure.

        Raises:
            HwrError: no document is at fault: poppler is missing, a template cannot be used.
        """
        path, error = Path(path), None
        pages: list[PageReading] = []
        try:
            pages.extend(self.pages(path))
        except DocumentError as refusal:
            error = Failure.of(refusal)
        error = error or _why_all_failed(pages)
        return DocumentReading(
            name=path.name, pages=tuple(pages), error=error, reader=self.identity
        )

    def pages(self, path: Path | str) -> Iterator[PageReading]:
        """The pages as they are read; one page is in memory at a time.

        Raises:
            DocumentError: the whole document is refused.
            HwrError: as `read`.
        """
        with open_document(Path(path), self._limits) as document:
            for number in range(1, document.page_count + 1):
                yield self._read_page(document, number)

    def read_lines(self, images: Sequence[Grey]) -> list[LineReading]:
        """The readings of line images that are already cut; they share batches.

        Each is uint8, grey (h, w) or RGB (h, w, 3), dark on light, at least 4 × 4 pixels.

        Raises:
            LineError: one of them cannot be read.
        """
        return self.read_normalised([normalise_line(image) for image in images])

    def read_normalised(self, images: Sequence[Grey]) -> list[LineReading]:
        """The same of what `normalise_line` made, which doing twice would change."""
        waiting = [self._lines.submit(image) for image in images]
        return [future.result() for future in waiting]

    def close(self) -> None:
        """Stop the engine."""
        self._lines.close()

    def _read_page(self, document: Document, number: int) -> PageReading:
        try:
            image = document.page(number).image
            layout = lay_out(image, page_form(image, self._profile, number), self._find)
            waiting = [self._submit(layout, line) for line in layout.lines]
        except PageError as refusal:
            return PageReading(number=number, error=Failure.of(refusal))
        except HwrError:  # not this page's fault: poppler is missing, the reader is closed
            raise
        except Exception as error:  # whatever a page does to us, its neighbours are read
            log.exception("page %d", number)
            failed = PageFailed(f"Page {number} could not be read ({error!r}). Report it.")
            return PageReading(number=number, error=Failure.of(failed))
        return self._finish_page(number, layout, waiting)

    def _submit(self, layout: PageLayout, line: ZonedLine) -> "Future[LineReading]":
        try:
            picture = normalise_line(layout.crop(line))
            return self._lines.submit(picture, decoder=line.zone.decoder if line.zone else None)
        except LineError as refusal:
            failed: Future[LineReading] = Future()
            failed.set_exception(refusal)
            return failed

    def _finish_page(
        self, number: int, layout: PageLayout, waiting: Sequence["Future[LineReading]"]
    ) -> PageReading:
        results = [_result(future) for future in waiting]
        readings, differ = reconcile(list(map(_field_line, layout.lines, results)))
        height, width = layout.view.page_shape
        # That amounts differ their lines tell too, by a confidence of 0.
        warning = layout.warning or differ
        return PageReading(
            number=number,
            width=width,
            height=height,
            lines=tuple(map(self._finish, layout.lines, readings, results)),
            zones=tuple(map(ReadZone.of, layout.zones)),
            warning=Failure.of(warning) if warning else None,
        )

    def _finish(
        self, line: ZonedLine, reading: LineReading | None, result: LineReading | LineError
    ) -> ReadLine:
        error = Failure.of(result) if isinstance(result, LineError) else None
        text, confidence = (reading.text, reading.confidence) if reading else ("", 0.0)
        return ReadLine(
            order=line.line.order,
            polygon=line.line.polygon,
            baseline=line.line.baseline,
            text=text,
            confidence=confidence,
            needs_review=error is not None or confidence < self._review_below,
            zone=line.zone.name if line.zone else None,
            error=error,
            sheet=line.sheet,
        )


def _result(future: "Future[LineReading]") -> LineReading | LineError:
    try:
        return future.result()
    except LineError as refusal:
        return refusal


def _field_line(line: ZonedLine, result: LineReading | LineError) -> FieldLine:
    reading = result if isinstance(result, LineReading) else None
    if line.zone is None:
        return FieldLine(reading=reading)
    return FieldLine(
        reading=reading, zone=line.zone.name, same_as=line.zone.same_as, sheet=line.sheet
    )
