"""An empty text is believed on blank paper only."""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from hwr.decoding.decoders import BestPathDecoder
from hwr.engines import LineBatch, Logits
from hwr.line_work import Decoding, LineTask, read_tasks
from hwr.model.alphabet import BLANK, Alphabet
from hwr.model.line_image import normalise_line
from hwr.model.line_ink import has_writing

Grey = NDArray[np.uint8]


def blank() -> Grey:
    return np.full((64, 400), 230, np.uint8)


def grainy() -> Grey:
    return np.random.default_rng(0).normal(200, 8, (64, 400)).clip(0, 255).astype(np.uint8)


def ruled() -> Grey:
    paper = blank()
    paper[50:53] = paper[:, 3:6] = 60
    return paper


def specked() -> Grey:
    paper = blank()
    paper[10:14, 20:24] = paper[40:45, 300:305] = 0
    return paper


def written() -> Grey:
    return np.asarray(cv2.putText(blank(), "hello", (20, 48), 0, 1.2, 50, 2), np.uint8)


def standing() -> Grey:
    return np.rot90(written()).copy()


@dataclass
class SureOfBlanks:
    """An engine that sees nothing, and is sure of it."""

    identity: str = "blank"
    columns: int = 10_000

    def logits(self, batch: LineBatch) -> Logits:
        values = np.zeros((len(batch.widths), int(batch.widths.max()) // 8, 3), np.float32)
        values[:, :, BLANK] = 20.0
        return Logits(values=values, lengths=batch.widths // 8)

    def warm_up(self) -> None:
        pass


@pytest.mark.parametrize("paper", [blank, grainy, ruled, specked])
def test_blank_paper_has_no_writing(paper: Callable[[], Grey]) -> None:
    assert not has_writing(normalise_line(paper()))


@pytest.mark.parametrize("paper", [written, standing])
def test_writing_is_seen(paper: Callable[[], Grey]) -> None:
    assert has_writing(normalise_line(paper()))


def test_an_empty_text_is_believed_of_blank_paper_alone() -> None:
    decoding = Decoding(decoder=BestPathDecoder(Alphabet("ab")))
    tasks = [LineTask(image=normalise_line(p()), decoding=decoding) for p in (blank, standing)]
    readings = [read_tasks(SureOfBlanks(), [task])[0] for task in tasks]
    assert [reading.text for reading in readings] == ["", ""]
    assert readings[0].confidence > 0.9
    assert readings[1].confidence == 0
