"""Real lines are parted between words and put together anew."""

from random import Random

import numpy as np

from hwr.training.alignment import Alignment
from hwr.training.recombination import Recombination
from hwr.training.samples import Grey, LineSample
from hwr.training.words import _cuts

_WORD, _GAP = 40, 24


def _line(name: str, words: int, tone: int, writer: str = "w") -> LineSample:
    """A line of `words` bars of one tone, as dark as the line's name says."""
    image = np.full((64, words * (_WORD + _GAP)), 255, np.uint8)
    for word in range(words):
        image[20:44, word * (_WORD + _GAP) :][:, :_WORD] = tone
    return LineSample(
        dataset="set",
        name=name,
        writer=writer,
        text=" ".join(f"{name}{word}" for word in range(words)),
        width=image.shape[1],
        load=lambda: image,
    )


def _halfway(words: int) -> list[int | None]:
    return [word * (_WORD + _GAP) - _GAP // 2 for word in range(1, words)]


def _bars(image: Grey) -> int:
    inked = (image.min(axis=0) < 128).astype(int)
    return int((np.diff(inked, prepend=0) == 1).sum())


def test_every_word_of_a_new_line_is_in_its_picture() -> None:
    lines = [_line(name, 5, 0) for name in "abc"]
    parted = Recombination(lines, [_halfway(5)] * 3)
    made = [parted.like(lines[0], Random(seed)) for seed in range(20)]
    assert len({line.text for line in made}) > 10
    for line in made:
        assert _bars(line.load()) == len(line.text.split())
        assert abs(line.load().shape[1] - line.width) <= 8


def test_a_new_line_has_words_of_its_writer_alone() -> None:
    lines = [_line("a", 4, 0), _line("b", 4, 0), _line("c", 4, 0, writer="other")]
    parted = Recombination(lines, [_halfway(4)] * 3)
    words = {w[0] for seed in range(30) for w in parted.like(lines[0], Random(seed)).text.split()}
    assert words == {"a", "b"}


def test_a_writers_only_line_stays_as_it_is() -> None:
    line = _line("a", 4, 0)
    assert Recombination([line], [_halfway(4)]).like(line, Random(1)) is line


def test_words_that_cannot_be_parted_stay_together() -> None:
    lines = [_line("a", 3, 0), _line("b", 3, 0)]
    parted = Recombination(lines, [[None, 116]] * 2)
    for seed in range(30):
        text = parted.like(lines[0], Random(seed)).text.split()
        assert all(text[i + 1][1] == "1" for i, word in enumerate(text) if word[1] == "0")


def test_lines_are_cut_in_the_gap_and_rules_do_not_count() -> None:
    image = _line("a", 2, 0).load().copy()
    image[50:52] = 100
    letters = Alignment(steps=np.array([4.0, 13.0, 20.0]), sureness=np.array([-0.1, -0.1, -0.1]))
    (cut,) = _cuts("a b", image, letters, 4)
    assert cut is not None
    assert _WORD <= cut < _WORD + _GAP


def test_no_cut_where_ink_or_doubt_is() -> None:
    letters = Alignment(steps=np.array([4.0, 10.0, 16.0]), sureness=np.array([-0.1, -0.1, -0.1]))
    wavy = np.full((64, 128), 255, np.uint8)
    wavy[np.arange(128) % 40 + 10, np.arange(128)] = 0
    assert _cuts("a b", wavy, letters, 4) == [None]
    unsure = Alignment(steps=letters.steps, sureness=np.array([-9.0, -0.1, -0.1]))
    assert _cuts("a b", _line("a", 2, 0).load(), unsure, 4) == [None]
    assert _cuts("a b", wavy, None, 4) == [None]
