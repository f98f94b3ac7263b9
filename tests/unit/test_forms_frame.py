"""Printed frames seen level."""

import cv2
import numpy as np

from hwr.forms.boxed import lone_line
from hwr.forms.frame import HEIGHT, frame_view


def test_what_is_around_a_frame_is_seen_as_far_as_asked() -> None:
    page = np.full((300, 600), 200, np.uint8)
    cv2.rectangle(page, (100, 100), (300, 164), 20, 3)
    frame = np.array([(100, 100), (300, 100), (300, 164), (100, 164)], np.float64)
    around = frame_view(page, frame, widest=1000, beside=24, above=8)
    assert around.dark.shape == (HEIGHT + 16, 200 + 48)
    assert (around.dark[8 + HEIGHT // 2, [24, 224]] > 150).all()
    inside = frame_view(page, frame, widest=1000, beside=-5, above=-5)
    assert inside.dark.shape == (HEIGHT - 10, 200 - 10)
    assert not inside.dark.any()


def test_an_empty_box_that_lies_beyond_the_picture_in_part_is_empty() -> None:
    page = np.full((300, 300), 200, np.uint8)
    frame = np.array([(-30, 100), (70, 100), (70, 200), (-30, 200)], np.float64)
    assert lone_line(page, frame) is None
