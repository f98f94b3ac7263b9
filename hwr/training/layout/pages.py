"""Pages whose lines are known, to learn from.

They are transcribed pages (`hwr.training.pages.truth`), or drawn. Of a folder sorted by name every
second page is held out: nothing is ever learned or chosen from it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from hwr.errors import TrainingDataError
from hwr.layout import Line
from hwr.training.pages.halves import Half
from hwr.training.pages.truth import PRINTED_HEAD, TruePage, read_true_pages, transcriptions
from hwr.training.samples import Grey

#: Points (n, 2), x and y in pixels.
Points = NDArray[np.float64]

#: Shorter side that pages are kept at, in pixels: training never looks at them closer.
_KEPT_SIDE = 1100


@dataclass(frozen=True, kw_only=True)
class KnownLine:
    """One line of writing on a page, in its pixels."""

    #: What the letters stand on, from left to right.
    baseline: Points
    #: Outline; None where only the baseline is known.
    polygon: Points | None


@dataclass(frozen=True, kw_only=True)
class KnownPage:
    """A grey page and all of its lines."""

    #: Collection it comes from.
    collection: str
    image: Grey
    lines: Sequence[KnownLine]
    #: How high a line usually is, from ascenders to descenders, in pixels.
    height: float
    #: Rows from the top in which lines may stand that are not known.
    unknown: int = 0


def tuning_pages(folder: Path) -> list[KnownPage]:
    """The pages of ``folder`` that may be learned from.

    Raises:
        TrainingDataError: there are none that can be read.
    """
    paths = Half.TUNING.of(transcriptions(folder))
    pages = [known_page(page) for _, page in read_true_pages(paths)]
    if not pages:
        raise TrainingDataError(
            f"{folder} holds no transcribed page that can be read. Put pictures there with PAGE,"
            " ALTO or NAME.json beside them, or name another folder."
        )
    return pages


def held_out_names(folder: Path) -> list[str]:
    """Names of the pages of ``folder`` that are held out, without that of their collection."""
    paths = Half.HELD_OUT.of(transcriptions(folder))
    return [path.stem.partition("_")[2] for path in paths]


def known_page(page: TruePage) -> KnownPage:
    """A transcribed page, no larger than training needs it."""
    scale = min(_KEPT_SIDE / min(page.image.shape), 1.0)
    small = cv2.resize(page.image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    lines = [_known_line(line.line, scale) for line in page.lines]
    return KnownPage(
        collection=page.collection,
        image=np.asarray(small, np.uint8),
        lines=lines,
        height=float(np.median([_height(line) for line in lines] or [len(small)])),
        unknown=round(PRINTED_HEAD * len(small)) if page.has_printed_head else 0,
    )


def _known_line(line: Line, scale: float) -> KnownLine:
    baseline, polygon = (
        np.array(points, float) * scale for points in (line.baseline, line.polygon)
    )
    return KnownLine(baseline=baseline, polygon=polygon)


def _height(line: KnownLine) -> float:
    """Area of the outline by the length of the baseline."""
    if line.polygon is None:
        return 0.0
    area = cv2.contourArea(line.polygon.astype(np.float32))
    return float(area / max(np.ptp(line.baseline[:, 0]), 1.0))
