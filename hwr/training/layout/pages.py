"""Pages whose lines are marked: a picture, and beside it a JSON file of the same stem.

The file holds ``{"image", "lines": [{"polygon", "baseline"}]}`` in pixels of the picture. Sorted by
name, every second page is held out: nothing is ever learned or chosen from it.
"""

import json
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from hwr.errors import TrainingDataError
from hwr.training.samples import Grey

log = logging.getLogger(__name__)

#: Points (n, 2), x and y in pixels.
Points = NDArray[np.float64]

#: Shorter side that pages are kept at, in pixels: training never looks at them closer.
_KEPT_SIDE = 1100
#: Pages named so carry print without marks in this share of their height.
_UNMARKED, _UNMARKED_SHARE = "_imp_", 0.12


@dataclass(frozen=True, kw_only=True)
class MarkedLine:
    """One line of writing on a page; lengths in its pixels."""

    #: What the letters stand on, from left to right.
    baseline: Points
    #: Outline; None where only the baseline is known.
    polygon: Points | None


@dataclass(frozen=True, kw_only=True)
class MarkedPage:
    """A grey page and all of its lines."""

    #: Collection it comes from.
    collection: str
    image: Grey
    lines: Sequence[MarkedLine]
    #: How high a line usually is, from ascenders to descenders, in pixels.
    height: float
    #: Rows from the top in which lines may stand that are not marked.
    unmarked: int = 0


def tuning_pages(folder: Path) -> list[MarkedPage]:
    """The pages of ``folder`` that may be learned from.

    Raises:
        TrainingDataError: there are none, or a page cannot be read.
    """
    pages = [read_page(path) for path in page_files(folder)[0::2]]
    if not pages:
        raise TrainingDataError(f"{folder} holds no page with marked lines (NAME.json).")
    return pages


def held_out_stems(folder: Path) -> list[str]:
    """Names of the pages of ``folder`` that are held out, without that of their collection."""
    return [path.stem.partition("_")[2] for path in page_files(folder)[1::2]]


def page_files(folder: Path) -> list[Path]:
    """The JSON files of pages, sorted by name."""
    return sorted(folder.glob("*.json"))


def read_page(path: Path) -> MarkedPage:
    """The page that the JSON file describes.

    Raises:
        TrainingDataError: file or picture is damaged, or is something else.
    """
    try:
        truth: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        image = cv2.imread(str(path.with_name(truth["image"])), cv2.IMREAD_GRAYSCALE)
        if image is None:
            raise TrainingDataError(f"The picture of {path} cannot be read. Leave the page out.")
        scale = min(_KEPT_SIDE / min(image.shape), 1.0)
        lines = [_line(entry, scale) for entry in truth["lines"] if entry.get("baseline")]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise TrainingDataError(f"{path} does not describe a page ({error!r}).") from error
    small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    unmarked = _UNMARKED_SHARE * len(small) if _UNMARKED in path.name else 0
    return MarkedPage(
        collection=path.name.partition("_")[0],
        image=np.asarray(small, np.uint8),
        lines=lines,
        height=float(np.median([_height(line) for line in lines] or [len(small)])),
        unmarked=round(unmarked),
    )


def _line(entry: dict[str, Any], scale: float) -> MarkedLine:
    return MarkedLine(
        baseline=_points(entry["baseline"]) * scale, polygon=_points(entry["polygon"]) * scale
    )


def _height(line: MarkedLine) -> float:
    """Area of the outline by the length of the baseline."""
    if line.polygon is None:
        return 0.0
    area = cv2.contourArea(line.polygon.astype(np.float32))
    return float(area / max(np.ptp(line.baseline[:, 0]), 1.0))


def _points(points: Iterable[Iterable[float]]) -> Points:
    table = np.array([[float(value) for value in point] for point in points])
    if table.ndim != 2 or table.shape[1] != 2 or len(table) < 2:
        raise ValueError("a line needs points of two numbers")
    return table
