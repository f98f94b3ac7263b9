"""Contrast of a line image is stretched by percentiles, counted and not sorted."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from hwr.model.line_image import _percentile


@settings(max_examples=200, deadline=None)
@given(
    grey=arrays(np.uint8, st.tuples(st.integers(1, 12), st.integers(1, 30))),
    percent=st.sampled_from([0, 1, 50, 90, 100]),
)
def test_percentiles_are_those_of_numpy(grey: np.ndarray, percent: int) -> None:
    assert np.isclose(_percentile(grey, percent), np.percentile(grey, percent), atol=1e-9)
