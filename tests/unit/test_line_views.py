"""Other views of a line, and reading by all of them."""

import numpy as np
import pytest
from numpy.typing import NDArray

from hwr.decoding.confidence import log_probabilities, text_probabilities
from hwr.decoding.decoders import BestPathDecoder, ThoroughDecoder, open_decoder
from hwr.engines import LineBatch, Logits
from hwr.line_work import Decoding, LineTask, read_tasks
from hwr.model.alphabet import DEFAULT_CHARACTERS, Alphabet
from hwr.model.line_image import LINE_HEIGHT, Grey
from hwr.model.line_views import VIEWS, view

ALPHABET = Alphabet(DEFAULT_CHARACTERS)


def logits_of(text: str, sureness: float = 8.0) -> NDArray[np.float32]:
    """Logits (2n, C) that spell `text`, a blank after each character."""
    classes = [c for label in ALPHABET.encode(text) for c in (label, 0)]
    logits = np.zeros((len(classes), ALPHABET.classes), np.float32)
    logits[range(len(classes)), classes] = sureness
    return logits


def upright_stroke(width: int = 200) -> Grey:
    image = np.full((LINE_HEIGHT, width), 255, np.uint8)
    image[4:60, width // 2 - 2 : width // 2 + 2] = 0
    return image


def test_the_first_view_is_the_line_itself() -> None:
    image = upright_stroke()
    assert view(image, 0) is image


@pytest.mark.parametrize(("width", "wider"), [(8, 16), (200, 208), (6136, 6144), (6144, 6144)])
def test_other_views_are_a_step_wider_as_far_as_a_line_may_be(width: int, wider: int) -> None:
    for number in range(1, VIEWS):
        seen = view(upright_stroke(width), number)
        assert seen.shape == (LINE_HEIGHT, wider)
        assert seen.dtype == np.uint8


def test_other_views_lean_to_the_right_and_to_the_left_about_the_middle() -> None:
    leans = []
    for number in (1, 2):
        ink = 255.0 - view(upright_stroke(), number)
        columns = np.arange(208)
        top, middle, foot = (float((row @ columns) / row.sum()) for row in ink[[8, 32, 56]])
        assert middle == pytest.approx(103.5, abs=1)
        leans.append(top - foot)
    assert leans[0] == pytest.approx(48 * 0.12, abs=1)
    assert leans[1] == pytest.approx(-48 * 0.12, abs=1)


def test_nothing_is_cut_off_at_the_edges() -> None:
    image = np.full((LINE_HEIGHT, 160), 255, np.uint8)
    image[:, :2] = image[:, -2:] = 0
    for number in (1, 2):
        ink = (255.0 - view(image, number)).sum(axis=1)
        assert ink.min() > 0.8 * ink.max()


def test_log_probabilities_are_those_of_texts() -> None:
    row, texts = logits_of("cat"), [ALPHABET.encode(t) for t in ("cat", "at", "")]
    expected = [text_probabilities([row], [labels])[0][0] for labels in texts]
    assert np.exp(log_probabilities(row, texts)) == pytest.approx(expected)


def test_log_probabilities_are_the_same_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    row, texts = logits_of("cat"), [ALPHABET.encode(t) for t in ("cat", "at", "cart", "")]
    together = log_probabilities(row, texts)
    monkeypatch.setattr("hwr.decoding.confidence._MOST_STATES", 1)
    assert log_probabilities(row, texts) == pytest.approx(together)


def test_a_text_that_all_views_allow_wins_over_one_that_one_view_likes() -> None:
    doubtful = logits_of("hound")
    doubtful[0, ALPHABET.encode("f")] = 10.0
    decoder = open_decoder("thorough", ALPHABET)
    assert isinstance(decoder, ThoroughDecoder)
    assert decoder.read(doubtful).text == "found"
    assert decoder.read(doubtful, logits_of("hound"), logits_of("hound")).text == "hound"
    assert decoder.read(logits_of("hound")).text == "hound"
    assert f"{VIEWS} views" in decoder.identity


def test_confidence_is_lower_where_views_differ() -> None:
    decoder = open_decoder("thorough", ALPHABET)
    alike = decoder.read(*[logits_of("seven")] * 3)
    apart = decoder.read(logits_of("seven"), logits_of("eleven"), logits_of("seven"))
    assert 0 < apart.confidence < alike.confidence <= 1


def test_a_line_of_nothing_is_empty() -> None:
    blank = np.zeros((4, ALPHABET.classes), np.float32)
    blank[:, 0] = 20.0
    reading = open_decoder("thorough", ALPHABET).read(blank, blank, blank)
    assert reading.text == ""
    assert reading.confidence == pytest.approx(1.0, abs=1e-3)


class CountingEngine:
    """Reads the same in every picture, and remembers how many it saw."""

    identity = "counting"
    columns = 10_000

    def __init__(self) -> None:
        self.batches: list[int] = []

    def warm_up(self) -> None:
        pass

    def logits(self, batch: LineBatch) -> Logits:
        self.batches.append(len(batch.widths))
        lengths = batch.widths // 8
        values = np.zeros((len(lengths), lengths.max(), ALPHABET.classes), np.float32)
        values[:, :, 0] = 8.0
        values[:, :6] = logits_of("yes")
        return Logits(values=values, lengths=lengths)


def test_only_lines_that_want_more_views_are_seen_more_often() -> None:
    engine, thorough = CountingEngine(), open_decoder("thorough", ALPHABET)
    decoders = [BestPathDecoder(ALPHABET), thorough, BestPathDecoder(ALPHABET)]
    tasks = [LineTask(image=upright_stroke(48), decoding=Decoding(decoder=d)) for d in decoders]
    assert [reading.text for reading in read_tasks(engine, tasks)] == ["yes"] * 3
    assert engine.batches == [3, 1, 1]
