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


def stack_ink(images: Sequence[Grey]) -> torch.Tensor:
    """Grey (64, w) line images → (B, 1, 64, W) float32 ink in 0..1, padded with paper."""
    width = max(image.shape[1] for image in images)
    ink = np.zeros((len(images), 1, images[0].shape[0], width), np.float32)
    for row, image in zip(ink, images, strict=True):
        row[0, :, : image.shape[1]] = (255 - image.astype(np.float32)) / 255
    return torch.from_numpy(ink)


def decode_grey(data: bytes, name: str) -> Grey:
    """The grey picture (h, w) in encoded `data`.

    Raises:
        TrainingDataError: it cannot be decoded; `name` is in the message.
    """
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE)
    if image is None:
        raise TrainingDataError(f"{name} cannot be decoded. Repack the data set without it.")
    return np.asarray(image, np.uint8)
