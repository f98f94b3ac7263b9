"""How far a language model is heeded: its weight, its doubt, and how both are chosen."""

from functools import partial
from math import exp, log

import numpy as np
import pytest

from hwr.decoding.decoders import BestPathDecoder
from hwr.decoding.guides import LanguageGuide
from hwr.decoding.language_model import Heed, LanguageModel
from hwr.engines import LineBatch, Logits
from hwr.errors import TrainingDataError
from hwr.model.alphabet import BLANK, Alphabet
from hwr.training.heed import SeenLine, beam, choose_heed, halve, rates, see_lines
from hwr.training.ngrams import WeighedTexts, train
from hwr.training.samples import Grey, LineSample

ALPHABET = Alphabet("abc d")
MODEL = LanguageModel(
    train(
        [WeighedTexts(name="test", texts=["abc abc"] * 9, weights=np.ones(9))],
        ALPHABET.characters,
        order=3,
        most=1000,
    )
)


def unsure(text: str, *, seen: str, dataset: str = "notes", writer: str = "w") -> SeenLine:
    """A line that says `text` and looks a little more like `seen`."""
    logits = np.full((2 * len(text), ALPHABET.classes), -6.0, np.float32)
    logits[1::2, BLANK] = 6.0
    for step, (wanted, other) in enumerate(zip(text, seen, strict=True)):
        logits[2 * step, ALPHABET.characters.index(wanted) + 1] = 2.0
        logits[2 * step, ALPHABET.characters.index(other) + 1] = 2.3
    return SeenLine(dataset=dataset, writer=writer, text=text, logits=logits)


def test_doubt_mixes_in_an_even_share() -> None:
    guide = LanguageGuide(MODEL, ALPHABET, Heed(weight=0.5, bonus=0.7, doubt=0.2))
    for label, character in enumerate(ALPHABET.characters, 1):
        p = exp(MODEL.advance(MODEL.start, MODEL.symbol(character))[0])
        wanted = 0.5 * log(0.8 * p + 0.2 / ALPHABET.classes) + 0.7
        assert guide.advance(guide.start, label)[0] == pytest.approx(wanted)
        assert guide.advance(guide.start, label) == guide.advance(guide.start, label)


@pytest.mark.parametrize("values", [{"weight": -0.1}, {"bonus": 101.0}, {"doubt": 1.0}])
def test_senseless_settings_are_refused(values: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="no sense"):
        Heed(**values)


class Blank:
    """An engine that sees nothing in any line."""

    identity = "blank"
    columns = 16_384

    def logits(self, batch: LineBatch) -> Logits:
        values = np.zeros((len(batch.widths), batch.widths.max() // 8, ALPHABET.classes))
        return Logits(values=values.astype(np.float32), lengths=batch.widths // 8)

    def warm_up(self) -> None:
        """Nothing is to be done."""


def test_a_broken_picture_does_not_end_it(caplog: pytest.LogCaptureFixture) -> None:
    def load(name: str) -> Grey:
        if name == "bad":
            raise TrainingDataError("it is no picture.")
        return np.full((64, 80), 255, np.uint8)

    samples = [
        LineSample(dataset="d", name=n, writer="w", text="ab", width=80, load=partial(load, n))
        for n in ("good", "bad", "fine")
    ]
    assert len(list(see_lines(samples, Blank(), ALPHABET))) == 2
    assert "d: bad left out: it is no picture." in caplog.text


def test_what_helps_is_chosen() -> None:
    lines = [unsure("abc abc", seen="adc abc"), unsure("abc", seen="abd")]
    heed = choose_heed(lines, MODEL, ALPHABET)
    assert rates(lines, BestPathDecoder(ALPHABET))["notes"].wer == pytest.approx(2 / 3)
    assert rates(lines, beam(MODEL, ALPHABET, heed))["notes"].wer == 0


def test_no_writer_is_on_both_sides() -> None:
    lines = [unsure("ab", seen="ab", writer=f"w{n % 5}") for n in range(20)]
    choosing, others = halve(lines)
    assert len(choosing) + len(others) == 20
    assert not {line.writer for line in choosing} & {line.writer for line in others}
    assert {line.writer for line in choosing} | {line.writer for line in others} == {
        line.writer for line in lines
    }


def test_a_set_by_one_writer_is_halved_by_lines() -> None:
    choosing, others = halve([unsure("ab", seen="ab", dataset="one") for _ in range(7)])
    assert (len(choosing), len(others)) == (4, 3)
