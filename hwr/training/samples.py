"""What training and evaluation are made of: a line image and its text."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from hwr.errors import TrainingDataError

Grey = NDArray[np.uint8]


@dataclass(frozen=True, kw_only=True)
class LineSample:
    """One labelled line; its picture is decoded or drawn when it is asked for."""

    #: Data set the line comes from.
    dataset: str
    #: Path inside the data set: names the line in reports.
    name: str
    #: Whose hand it is; splits never divide a writer.
    writer: str
    #: What is written, as the source says it.
    text: str
    #: Width in pixels at 64 pixels of height, known or estimated, for bucketing.
    width: int
    #: Gives the picture, grey (h, w) uint8.
    load: Callable[[], Grey]


def shown(text: str) -> str:
    """What the data says, without what a terminal would obey."""
    return "".join(filter(str.isprintable, text))


def stack_lines(images: Sequence[Grey]) -> Grey:
    """Grey (h, w) line images of one height → (B, h, W) uint8, padded with paper."""
    lines = np.full((len(images), len(images[0]), max(i.shape[1] for i in images)), 255, np.uint8)
    for row, image in zip(lines, images, strict=True):
        row[:, : image.shape[1]] = image
    return lines


def ink(lines: Grey, device: torch.device | None = None) -> torch.Tensor:
    """Lines (B, h, W) uint8 → (B, 1, h, W) float32 ink in 0..1 on `device`."""
    return (255 - torch.from_numpy(lines).to(device))[:, None].float() / 255


def stack_ink(images: Sequence[Grey]) -> torch.Tensor:
    """Grey (h, w) line images of one height → (B, 1, h, W) float32 ink, padded with paper."""
    return ink(stack_lines(images))


def decode_grey(data: bytes, name: str) -> Grey:
    """The grey picture (h, w) in encoded `data`.

    Raises:
        TrainingDataError: it cannot be decoded; `name` is in the message.
    """
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE)
    except cv2.error:  # of sizes that it refuses
        image = None
    if image is None:
        raise TrainingDataError(f"{name} cannot be decoded. Repack the data set without it.")
    return np.asarray(image, np.uint8)
