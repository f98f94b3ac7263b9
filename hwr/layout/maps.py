"""What the network says about a page: maps of baselines, their ends, and heights of lines."""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from hwr.errors import ModelError
from hwr.layout.faint import evened, ink_of
from hwr.layout.ink import Grey

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

#: Columns of pixels that the network takes as one: maps are so many times narrower than its page.
ACROSS = 4
#: Shorter side of a usual page as the network sees it, in pixels: Letter at 75 dpi.
NOMINAL_SIDE = 640
#: Height of a line, ascenders to descenders, at which the network sees best, in pixels.
NOMINAL_HEIGHT = 20.0
#: In training a missed mark, baseline or end, costs so much more than a false one: they are few.
MISSED = np.array([2.0, 6.0], np.float32)
#: Height and width in pixels are made multiples of these: the network halves maps four times.
_ROWS, _COLUMNS = 16, 16 * ACROSS

Map = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class Maps:
    """Maps of a view of H rows; a column stands for ACROSS of its columns of pixels."""

    #: How likely a baseline runs, and one ends there, (H, W), 0 to 1.
    baselines: Map
    ends: Map
    #: How far a line whose baseline runs there reaches up and down in pixels, (H / 2, W / 2).
    up: Map
    down: Map


def maps_of(ink: NDArray[np.uint8]) -> Maps:
    """Maps of what `network_ink` made of a view."""
    marks, heights = _session().run(None, {"ink": ink})
    baselines, ends = 1 / (1 + np.exp(np.log(MISSED)[:, None, None] - marks[0]))
    up, down = np.exp(np.clip(heights[0], 0, 6))
    return Maps(baselines=baselines, ends=ends, up=up, down=down)


def network_ink(image: Grey) -> NDArray[np.uint8]:
    """A grey view as evenly lit ink (1, ACROSS, H, W / ACROSS), 0 is paper.

    White rows and columns are added at its end until it fits.

    A channel holds every ACROSS-th column: along the lines little is lost, and the network has
    fewer places to look at.
    """
    ink = evened(ink_of(padded(image)))
    height, width = ink.shape
    columns = ink.reshape(height, width // ACROSS, ACROSS).transpose(2, 0, 1)
    return np.ascontiguousarray(columns)[None]


def padded(view: Grey) -> Grey:
    """The view with white rows and columns at its end that make it fit."""
    height, width = view.shape
    return np.asarray(
        cv2.copyMakeBorder(
            view, 0, -height % _ROWS, 0, -width % _COLUMNS, cv2.BORDER_CONSTANT, value=255
        ),
        np.uint8,
    )


@cache
def _session() -> "InferenceSession":
    """The network, in the thread that calls it and in no other."""
    # Takes a while to import: who never looks for lines need not wait.
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.enable_mem_pattern = False  # would keep a plan for every size there is
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(_graph(), options, providers=["CPUExecutionProvider"])


def _graph() -> bytes:
    """The network as ONNX; ModelError where the shipped weights cannot be used."""
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    from hwr.layout.graph import write_graph

    try:
        return write_graph(load_file(weights_path()))
    except (OSError, SafetensorError, KeyError) as error:
        raise ModelError(
            f"{weights_path()} holds no network that finds lines ({error}). Install hwr again."
        ) from error


def weights_path() -> Path:
    """The file of the shipped weights."""
    return Path(str(files("hwr.layout").joinpath("weights/hwr-layout.safetensors")))
