"""How sure a line is of what cannot be meant."""

from pathlib import Path

import numpy as np
import pytest

from hwr.engines import LineBatch, Logits
from hwr.line_work import Decodings, LineTask, read_tasks
from hwr.model.alphabet import BLANK, DEFAULT_CHARACTERS, Alphabet
from hwr.model.confidence import FIELD_SCALE
from hwr.model.config import NetworkConfig
from hwr.model.weights import Model

ALPHABET = Alphabet(DEFAULT_CHARACTERS)


class SureOf:
    """An engine that sees the same text in every picture, and is sure of it."""

    identity = "sure"
    columns = 10_000

    def __init__(self, text: str) -> None:
        self._places = range(1, 2 * len(text), 2)
        self._labels = ALPHABET.encode(text)

    def warm_up(self) -> None:
        pass

    def logits(self, batch: LineBatch) -> Logits:
        lengths = batch.widths // 8
        values = np.zeros((len(lengths), lengths.max(), ALPHABET.classes), np.float32)
        values[:, :, BLANK] = 20.0
        values[:, self._places, BLANK] = 0.0
        values[:, self._places, self._labels] = 20.0
        return Logits(values=values, lengths=lengths)


@pytest.mark.parametrize(
    ("decoder", "text", "sure"),
    [
        ("date", "29/02/2024", True),
        ("date", "29/02/2023", False),
        ("date", "31 April 2024", False),
        ("amount", "Rs. 1,00,000/-", True),
        ("amount-in-words", "six dollars", True),
        ("amount-in-words", "six cents", False),
        ("best-path", "29/02/2023", True),
    ],
)
def test_what_cannot_be_meant_is_read_as_written_and_not_believed(
    model: Model, decoder: str, text: str, *, sure: bool
) -> None:
    decoding = Decodings(model, "best-path", None).named(decoder)
    task = LineTask(image=np.full((64, 400), 255, np.uint8), decoding=decoding)
    [reading] = read_tasks(SureOf(text), [task])
    assert reading.text == text
    assert reading.confidence > 0.95 if sure else reading.confidence == 0


@pytest.mark.parametrize(
    ("decoder", "seen", "text", "sure"),
    [
        ("comb:date", "2 9022 024", "29022024", True),
        ("comb:date", "29022023", "29022023", False),
        ("comb:digits", "00 1 23", "00123", True),
        ("comb:capitals", "JOHN SMITH", "JOHN SMITH", True),
    ],
)
def test_spaces_between_the_figures_of_a_comb_do_not_matter(
    model: Model, decoder: str, seen: str, text: str, *, sure: bool
) -> None:
    decoding = Decodings(model, "best-path", None).named(decoder)
    task = LineTask(image=np.full((64, 400), 255, np.uint8), decoding=decoding)
    [reading] = read_tasks(SureOf(seen), [task])
    assert reading.text == text
    assert reading.confidence > 0.95 if sure else reading.confidence == 0


def test_only_bounded_fields_are_surer_than_the_network(model: Model, tmp_path: Path) -> None:
    words = tmp_path / "words.txt"
    words.write_text("paid\n")
    decodings = Decodings(model, "best-path", None)
    for name in ("digits", "amount", "amount-in-words", "date", "comb:date", f"lexicon:{words}"):
        assert decodings.named(name).scale == FIELD_SCALE
    for name in ("capitals", "comb:capitals", "best-path", "beam:7"):
        assert decodings.named(name).scale != FIELD_SCALE


def test_a_letter_among_the_figures_of_a_comb_is_not_believed(model: Model) -> None:
    decoding = Decodings(model, "best-path", None).named("comb:digits")
    task = LineTask(image=np.full((64, 400), 255, np.uint8), decoding=decoding)
    [reading] = read_tasks(SureOf("A1234"), [task])
    assert reading.confidence < 0.01


def test_what_boxes_leave_between_the_figures_of_a_comb_is_not_looked_for(model: Model) -> None:
    decoder = Decodings(model, "best-path", None).named("comb:digits").decoder
    prepared = decoder.prepared(np.zeros((2, ALPHABET.classes), np.float32))
    kept = {c for c, seen in zip(ALPHABET.characters, prepared[0, 1:], strict=True) if seen == 0}
    assert kept == set(filter(str.isalnum, ALPHABET.characters))
    assert prepared[0, BLANK] == pytest.approx(np.log(2))


@pytest.fixture
def model(tmp_path: Path) -> Model:
    """One whose confidence is not calibrated."""
    return Model(
        path=tmp_path / "none.safetensors",
        config=NetworkConfig(classes=ALPHABET.classes),
        tensors={},
        alphabet=ALPHABET,
        hash="",
    )
