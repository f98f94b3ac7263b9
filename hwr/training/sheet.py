"""The worst-read lines as one picture, for the eyes of whoever trains: where does the work lie?

The sheet shows what people wrote; it is made where it is asked for and nowhere else.
"""

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from hwr.model.files import replacing
from hwr.training.edits import align
from hwr.training.evaluation import LineResult
from hwr.training.metrics import count_errors
from hwr.training.report import by_set

#: Lines of each set.
_LINES = 12
_WIDTH = 1400
_LINE_HEIGHT = 64
_TEXT_HEIGHT = 26
_TEXT_SIZE = 18
_MARGIN = 10
#: Colours as OpenCV has them: blue, green, red.
_BLACK, _RED, _GREY = (0, 0, 0), (0, 0, 220), (120, 120, 120)

Colour = tuple[int, int, int]
Picture = NDArray[np.uint8]


def write_sheet(path: Path, results: Sequence[LineResult]) -> None:
    """Write the results of each set that cost its error rate most to the picture `path`.

    Below each line: its name and error rate, the truth, and the reading with its errors in red.

    Raises:
        OSError: the file cannot be written.
    """
    sets = by_set(results).values()
    rows = [_row(result) for own in sets for result in worst(own, _LINES)]
    sheet = np.vstack(rows) if rows else _blank(_TEXT_HEIGHT)
    with replacing(path) as temporary:
        temporary.write_bytes(cv2.imencode(".png", sheet)[1].tobytes())


def worst(results: Sequence[LineResult], lines: int) -> list[LineResult]:
    """The results with the most wrong characters: a rate alone would show the shortest lines."""
    counted = [(count_errors(*result.pair).character_errors, result) for result in results]
    wrong = [(errors, result) for errors, result in counted if errors]
    wrong.sort(key=lambda entry: -entry[0])
    return [result for _, result in wrong[:lines]]


def _row(result: LineResult) -> Picture:
    picture = _fitted(result.sample.load())
    height = picture.shape[0]
    row = _blank(height + 3 * _TEXT_HEIGHT + _MARGIN)
    row[:height, _MARGIN : _MARGIN + picture.shape[1]] = picture[..., None]
    sample = result.sample
    rate = count_errors(*result.pair).rates().cer
    heading = f"{sample.dataset} {sample.name}: {rate:.0%}"
    texts = ([(heading, _GREY)], [(result.truth, _BLACK)], _reading(result))
    for number, pieces in enumerate(texts, 1):
        _write(row, height + number * _TEXT_HEIGHT - 7, pieces)
    return row


def _reading(result: LineResult) -> list[tuple[str, Colour]]:
    """The reading in pieces, wrong ones red; what was left out is a red stroke."""
    edits = align(*result.pair)
    pieces = groupby(edits, key=lambda edit: edit[0] == edit[1])
    return [
        ("".join(read or "¦" for _, read in piece), _BLACK if right else _RED)
        for right, piece in pieces
    ]


def _write(row: Picture, baseline: int, pieces: Sequence[tuple[str, Colour]]) -> None:
    face, x = cv2.FontFace("sans"), _MARGIN
    for text, colour in pieces:
        end: Any = cv2.putText(row, text, (x, baseline), colour, face, _TEXT_SIZE, 400)
        x = end[0][0]


def _fitted(image: Picture) -> Picture:
    height, width = image.shape
    scale = min(_LINE_HEIGHT / height, (_WIDTH - 2 * _MARGIN) / width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


def _blank(height: int) -> Picture:
    return np.full((height, _WIDTH, 3), 255, np.uint8)
