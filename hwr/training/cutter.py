"""A model that cuts words into letters: it says where they are, and which cut reads best.

The shortcut head is asked, not the recurrent one, because its few columns see a letter where it
stands. What was cut is laid out again in another order, so that no known word helps, and the
network itself must read it; letters that it does not are dropped.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

import numpy as np
import torch
from numpy.typing import NDArray

from hwr.model.alphabet import Alphabet
from hwr.model.line_image import LINE_HEIGHT, normalise_line
from hwr.model.network import Crnn
from hwr.training.alignment import Alignment, align
from hwr.training.compute import Compute
from hwr.training.letters import Letter, cut_letters
from hwr.training.pen import Stroke, draw, smooth
from hwr.training.samples import Grey, stack_ink

#: Height of a drawn word in pixels, the pen's width and the paper around it.
_DRAWN, _PEN, _PAD_X, _PAD_Y = 44, 2.6, 16, 6
#: Ways to cut: how far right of its peak a letter's centre is, in pixels of 64, and the haste.
_WAYS = ((1.0, 0.6), (3.0, 0.0))
#: Least mean log probability of a word that is cut, and of a letter that is kept.
_LEAST_WORD, _LEAST_LETTER = -3.0, -4.0

#: The letters of a word, cut in one way.
Way = list[tuple[str, Letter]]


@dataclass(frozen=True, kw_only=True)
class _Drawing:
    """A drawn word and how to come back from its columns to source units."""

    image: Grey
    left: float
    unit: float

    def x(self, pixels: NDArray[np.float64]) -> NDArray[np.float64]:
        """Source units of columns in the normalised image."""
        scale = LINE_HEIGHT / self.image.shape[0]
        columns: NDArray[np.float64] = pixels / scale - _PAD_X + self.left
        return columns / self.unit


class Cutter:
    """Cuts words with a trained network; not thread-safe."""

    def __init__(self, network: Crnn, alphabet: Alphabet) -> None:
        self._network = network.eval()
        self.alphabet = alphabet

    @property
    def stride(self) -> int:
        """Pixels of a time step."""
        return self._network.config.stride

    def weights_digest(self) -> bytes:
        """SHA-256 of the network's weights."""
        digest = sha256()
        for name, value in self._network.state_dict().items():
            digest.update(name.encode() + value.contiguous().numpy().tobytes())
        return digest.digest()

    def letters_of(self, texts: Sequence[str], images: Sequence[Grey]) -> list[Alignment | None]:
        """Where the letters of each normalised (64, w) image stand, if all fit in.

        The images are of about one width.
        """
        scores = self._log_probs(images, local=True)
        codes = [self.alphabet.encode(text) for text in texts]
        return [align(s, c) for s, c in zip(scores, codes, strict=True)]

    def cut(self, words: Sequence[tuple[str, list[Stroke]]]) -> list[tuple[str, Letter]]:
        """The sure letters of a writer's words (text, strokes in source units)."""
        drawings = [_drawing(strokes) for _, strokes in words]
        scores = self._log_probs([normalise_line(d.image) for d in drawings], local=True)
        ways = [
            self._ways(text, strokes, drawing, score)
            for (text, strokes), drawing, score in zip(words, drawings, scores, strict=True)
        ]
        return self._surest([word for word in ways if word])

    def _ways(
        self, text: str, strokes: list[Stroke], drawing: _Drawing, scores: NDArray[np.float64]
    ) -> list[Way]:
        spelling, steps = self._spelling(text, scores)
        if steps is None:
            return []
        ways = []
        for aside, haste in _WAYS:
            centres = drawing.x((steps + 0.5) * self.stride + aside)
            letters = cut_letters(spelling, strokes, centres.tolist(), haste)
            if letters:
                ways.append(list(zip(spelling, letters, strict=True)))
        return ways

    def _spelling(
        self, text: str, scores: NDArray[np.float64]
    ) -> tuple[str, NDArray[np.float64] | None]:
        """The case that the writer used, and the time step of each letter."""
        found = [
            (alignment.sureness.mean(), spelling, alignment.steps)
            for spelling in dict.fromkeys((text, text.lower(), text.capitalize(), text.upper()))
            if (codes := self.alphabet.encode(spelling)) and len(codes) == len(spelling)
            if (alignment := align(scores, codes)) is not None
        ]
        if not found:
            return text, None
        sure, spelling, steps = max(found, key=lambda item: item[0])
        return spelling, steps if sure > _LEAST_WORD else None

    def _surest(self, words: list[list[Way]]) -> list[tuple[str, Letter]]:
        """The way of each word that reads best, without its unsure letters."""
        ways = [[_shuffled(way) for way in word] for word in words]
        flat = [way for word in ways for way in word]
        if not flat:
            return []
        drawings = [_drawing(_apart([letter for _, letter in way])) for way in flat]
        images = [normalise_line(drawing.image) for drawing in drawings]
        scores = self._log_probs(images, local=False)
        sureness = iter([self._sureness(w, s) for w, s in zip(flat, scores, strict=True)])
        kept: list[tuple[str, Letter]] = []
        for word in ways:
            sure, way = max(((next(sureness), w) for w in word), key=lambda pair: pair[0].mean())
            kept += [piece for s, piece in zip(sure, way, strict=True) if s > _LEAST_LETTER]
        return kept

    def _sureness(self, way: Way, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        alignment = align(scores, self.alphabet.encode("".join(c for c, _ in way)))
        return np.full(len(way), -np.inf) if alignment is None else alignment.sureness

    @torch.inference_mode()
    def _log_probs(self, images: Sequence[Grey], *, local: bool) -> list[NDArray[np.float64]]:
        """(T, C) log probabilities of each (64, w) image, of the shortcut head where `local`."""
        widths = torch.tensor([image.shape[1] for image in images])
        with Compute(torch.device("cpu")).autocast():
            if local:
                features = self._network.backbone(stack_ink(images), widths)
                logits = self._network.shortcut(features.transpose(1, 2)).transpose(1, 2)
            else:
                logits, _ = self._network(stack_ink(images), widths)
        values = logits.float().log_softmax(2).double().numpy()
        lengths = (widths // self.stride).tolist()
        return [row[:length] for row, length in zip(values, lengths, strict=True)]


def _drawing(strokes: Sequence[Stroke]) -> _Drawing:
    height = float(np.ptp(np.concatenate(strokes)[:, 1]))
    unit = _DRAWN / max(height, 60.0)
    paths = [smooth(stroke) * unit for stroke in strokes]
    left = float(np.concatenate(paths)[:, 0].min()) - _PEN - 3
    padding = ((_PAD_Y, _PAD_Y), (_PAD_X, _PAD_X))
    return _Drawing(
        image=np.pad(draw(paths, _PEN), padding, constant_values=255), left=left, unit=unit
    )


def _shuffled(letters: Way) -> Way:
    return letters[::-2] + letters[-2::-2] if len(letters) > 2 else letters[::-1]


def _apart(letters: Sequence[Letter]) -> list[Stroke]:
    """Letters side by side, not joined."""
    x, placed = 0.0, []
    height = max(float(np.ptp(np.concatenate(letter.strokes)[:, 1])) for letter in letters)
    for letter in letters:
        placed += [stroke + np.array((x, 0.0)) for stroke in letter.strokes]
        x += letter.width + 0.12 * height
    return placed
