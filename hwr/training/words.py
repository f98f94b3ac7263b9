"""Where the words of real lines stand, so that lines can be parted between them.

The shortcut head of a trained network says where the letters on both sides of a space are
(`hwr.training.alignment`); the line is cut between the two where hardly any ink is.
"""

import json
import logging
from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from hwr.model.files import replacing
from hwr.model.line_image import normalise_line
from hwr.training.alignment import Alignment
from hwr.training.cutter import Cutter
from hwr.training.kept import reading
from hwr.training.samples import Grey, LineSample

log = logging.getLogger(__name__)

#: Least log probability of the letters on both sides of a gap.
_LEAST_LETTER = -3.0
#: Columns whose darkest pixels, meaned, are at most so dark (0..255) for a cut to go through.
_GAP, _DARKEST = 5, 70
#: Lines read at once.
_BATCH = 16
#: A line's cuts: for each space of its text the column at 64 pixels of height, if there is one.
Cuts = list[int | None]


def read_cuts(samples: Sequence[LineSample], cutter: Cutter, folder: Path) -> list[Cuts]:
    """The cuts of each sample's line; `folder` keeps them, for it takes minutes.

    What was kept of lines with other names, texts or widths or by another network is not taken.

    Raises:
        TrainingDataError: what was kept is damaged.
    """
    lines = json.dumps([(s.dataset, s.name, s.text, s.width) for s in samples])
    made_of = sha256(lines.encode() + cutter.weights_digest()).hexdigest()
    kept = folder / f"words-{made_of[:16]}.json"
    if not kept.exists():
        found = json.dumps(_find_cuts(samples, cutter))
        with replacing(kept) as temporary:
            temporary.write_text(found)
    with reading(kept):
        cuts = [list(own) for own in json.loads(kept.read_text())]
        if len(cuts) != len(samples):
            raise ValueError(f"it has cuts of {len(cuts)} lines, not of {len(samples)}")
    return cuts


def _find_cuts(samples: Sequence[LineSample], cutter: Cutter) -> list[Cuts]:
    found: dict[int, Cuts] = {}
    # Lines of about one width together, for a batch is as wide as its widest.
    order = sorted(range(len(samples)), key=lambda i: samples[i].width)
    for first in range(0, len(order), _BATCH):
        batch = order[first : first + _BATCH]
        found |= zip(batch, _batch_cuts([samples[i] for i in batch], cutter), strict=True)
    log.info("words of %d lines found", len(samples))
    return [found[i] for i in range(len(samples))]


def _batch_cuts(samples: Sequence[LineSample], cutter: Cutter) -> Iterator[Cuts]:
    images = [normalise_line(sample.load()) for sample in samples]
    places = cutter.letters_of([sample.text for sample in samples], images)
    for sample, image, letters in zip(samples, images, places, strict=True):
        yield _cuts(cutter.alphabet.fold(sample.text), image, letters, cutter.stride)


def _cuts(text: str, image: Grey, letters: Alignment | None, stride: int) -> Cuts:
    spaces = [i for i, character in enumerate(text) if character == " "]
    if letters is None:
        return [None] * len(spaces)
    ink = _ink(image)
    return [_cut(ink, letters, i, stride) for i in spaces]


def _ink(image: Grey) -> NDArray[np.float32]:
    """How dark the darkest pixel of each column is, 0..255, meaned over a gap's width.

    Rules on the paper do not count: what most of a row has is no writing.
    """
    dark = 255 - image.astype(np.float32)
    darkest = (dark - np.median(dark, axis=1, keepdims=True)).max(axis=0, keepdims=True)
    return np.asarray(cv2.blur(darkest, (_GAP, 1))[0], np.float32)


def _cut(ink: NDArray[np.float32], letters: Alignment, space: int, stride: int) -> int | None:
    beside = [space - 1, space + 1]
    if letters.sureness[beside].min() < _LEAST_LETTER:
        return None
    left, right = ((letters.steps[beside] + 0.5) * stride).astype(int)
    # Past both letters' middles, so that a cut leaves some of each.
    between = ink[left + 1 : right]
    clear = np.flatnonzero(between <= _DARKEST)
    if not len(clear):
        return None
    # In the middle of the widest run of clear columns.
    runs = np.split(clear, np.flatnonzero(np.diff(clear) > 1) + 1)
    widest = max(runs, key=len)
    return int(left + 1 + widest[len(widest) // 2])
