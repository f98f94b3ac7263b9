"""How much writing slants, and how much of that is more than the network reads well.

The slant is where the picture changes least: of all directions that in which the squared derivative
of its grey values, summed over the line, is smallest. It has a closed form, the least squares of
two gradients, and tells rather too little of writing: level strokes count as well. A short thick
dash that rises steeply counts as slanted, which it is not.
"""

import cv2
import numpy as np

from hwr.model.line_image import Grey

#: Slants up to this are usual, in pixels to the right for each pixel upwards.
USUAL = 0.3
#: What is less beyond that is not worth turning a picture for.
_LEAST = 0.02
#: Pictures are blurred by so many pixels before their slant is measured.
_BLUR = 0.8
#: Squared gradients along a line of writing are at least this share of those across it; a long dash
#: or a rule has less, and no slant.
_LEAST_ALONG = 0.2


def slant(image: Grey) -> float:
    """How far the strokes of a grey line (h, w) lean, in pixels to the right for each upwards."""
    soft = cv2.GaussianBlur(image, (0, 0), _BLUR)
    along, down = (cv2.Sobel(soft, cv2.CV_32F, *axes) for axes in ((1, 0), (0, 1)))
    strokes = float(np.vdot(along, along))
    if strokes <= _LEAST_ALONG * float(np.vdot(down, down)):
        return 0.0
    return float(np.vdot(along, down)) / strokes


def unusual_slant(image: Grey) -> float:
    """By how much a line (h, w) slants more than usual, negative to the left; mostly 0."""
    measured = slant(image)
    beyond = measured - min(max(measured, -USUAL), USUAL)
    return beyond if abs(beyond) >= _LEAST else 0.0
