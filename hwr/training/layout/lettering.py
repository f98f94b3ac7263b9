"""Lines drawn with the fonts of OpenCV: the hands of a page where there are no others."""

from collections.abc import Iterable
from functools import partial

import cv2
import numpy as np

from hwr.training.samples import Grey, LineSample

#: Faces, light and bold, upright and slanting.
_FACES = (
    cv2.FONT_HERSHEY_SCRIPT_SIMPLEX,
    cv2.FONT_HERSHEY_SCRIPT_COMPLEX,
    cv2.FONT_HERSHEY_SIMPLEX,
    cv2.FONT_HERSHEY_COMPLEX | cv2.FONT_ITALIC,
)
_HEIGHT, _BASELINE, _THICK = 64, 44, (1, 2, 3)


def lettered(texts: Iterable[str]) -> list[LineSample]:
    """A line for each text, in one face after the other."""
    return [
        LineSample(
            dataset="lettered",
            name=f"lettered-{number}",
            writer=f"face-{number % len(_FACES)}",
            text=text,
            width=20 * len(text),
            load=partial(_draw, text, number),
        )
        for number, text in enumerate(texts)
    ]


def _draw(text: str, number: int) -> Grey:
    face, thick = _FACES[number % len(_FACES)], _THICK[number % len(_THICK)]
    ascii_text = text.encode("ascii", "ignore").decode()
    (width, _), _ = cv2.getTextSize(ascii_text, face, 1.2, thick)
    image = np.full((_HEIGHT, width + 12), 255, np.uint8)
    cv2.putText(image, ascii_text, (6, _BASELINE), face, 1.2, 0, thick, cv2.LINE_AA)
    return image
