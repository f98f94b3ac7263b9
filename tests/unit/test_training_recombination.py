"""Real lines are parted between words and put together anew."""

import json
from pathlib import Path
from random import Random

import numpy as np
import pytest
import torch

from hwr.errors import TrainingDataError
from hwr.model.alphabet import Alphabet
from hwr.model.config import NetworkConfig
from hwr.model.network import Crnn
from hwr.training.alignment import Alignment
from hwr.training.batches import Batch, BatchPlan, Sources
from hwr.training.cutter import Cutter
from hwr.training.recipe import Recipe
from hwr.training.recombination import Recombination
from hwr.training.samples import Grey, LineSample
from hwr.training.words import _cut, _cuts, read_cuts

_WORD, _GAP = 40, 24


def _line(name: str, words: int, writer: str = "w") -> LineSample:
    """A line of `words` bars, each a word of the line's name and the word's number."""
    image = np.full((64, words * (_WORD + _GAP)), 255, np.uint8)
    for word in range(words):
        image[20:44, word * (_WORD + _GAP) :][:, :_WORD] = 0
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
    lines = [_line(name, 5) for name in "abc"]
    parted = Recombination(lines, [_halfway(5)] * 3)
    made = [parted.like(lines[0], Random(seed)) for seed in range(20)]
    assert len({line.text for line in made}) > 10
    for line in made:
        assert _bars(line.load()) == len(line.text.split())
        assert abs(line.load().shape[1] - line.width) <= 8


def test_a_new_line_has_words_of_its_writer_alone() -> None:
    lines = [_line("a", 4), _line("b", 4), _line("c", 4, writer="other")]
    parted = Recombination(lines, [_halfway(4)] * 3)
    words = {w[0] for seed in range(30) for w in parted.like(lines[0], Random(seed)).text.split()}
    assert words == {"a", "b"}


def test_a_writers_only_line_stays_as_it_is() -> None:
    line = _line("a", 4)
    assert Recombination([line], [_halfway(4)]).like(line, Random(1)) is line


def test_lines_of_one_name_by_two_writers_are_two() -> None:
    lines = [_line("a", 3), _line("b", 3), _line("a", 3, "other"), _line("c", 3, "other")]
    lines = [*lines, *(_line(name, 3, "other") for name in "defghijklmnopqrstuvwxyz"), lines[2]]
    parted = Recombination(lines, [_halfway(3)] * len(lines))
    assert all(parted.like(line, Random(seed)).text for line in lines for seed in range(3))


def test_words_that_cannot_be_parted_stay_together() -> None:
    lines = [_line("a", 3), _line("b", 3)]
    parted = Recombination(lines, [[None, 116]] * 2)
    for seed in range(30):
        text = parted.like(lines[0], Random(seed)).text.split()
        assert all(text[i + 1][1] == "1" for i, word in enumerate(text) if word[1] == "0")


def test_lines_are_cut_in_the_gap_and_rules_do_not_count() -> None:
    image = _line("a", 2).load().copy()
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
    assert _cuts("a b", _line("a", 2).load(), unsure, 4) == [None]
    assert _cuts("a b", wavy, None, 4) == [None]


def test_a_cut_leaves_both_letters_something() -> None:
    ink = np.zeros(64, np.float32)
    letters = Alignment(steps=np.array([4.0, 5.0, 6.0]), sureness=np.array([-0.1, -0.1, -0.1]))
    assert _cut(ink, letters, 1, 4) is not None
    touching = Alignment(steps=np.array([4.0, 4.0, 4.0]), sureness=letters.sureness)
    assert _cut(ink, touching, 1, 4) is None
    for step in range(4, 8):
        near = Alignment(steps=np.array([4.0, 4.0, step]), sureness=letters.sureness)
        cut = _cut(ink, near, 1, 4)
        assert cut is None or 4.5 * 4 < cut < (step + 0.5) * 4


def test_cuts_are_kept_in_the_order_of_the_lines(tmp_path: Path) -> None:
    lines = [_line("a", 3), _line("b", 1), _line("c", 2)]
    cuts = read_cuts(lines, _cutter(1), tmp_path)
    assert [len(own) for own in cuts] == [2, 0, 1]
    (kept,) = tmp_path.iterdir()
    kept.write_text(json.dumps([[7, None], [], [9]]))
    assert read_cuts(lines, _cutter(1), tmp_path) == [[7, None], [], [9]]
    assert read_cuts(lines, _cutter(2), tmp_path)[0] != [7, None], "those are another network's"
    assert read_cuts(lines[::-1], _cutter(1), tmp_path) == cuts[::-1]
    for damaged in ("[[7, nu", "[[7, null], []]", "7"):
        kept.write_text(damaged)
        with pytest.raises(TrainingDataError, match=f"{kept.name} is damaged .* Delete it"):
            read_cuts(lines, _cutter(1), tmp_path)


def _cutter(seed: int) -> Cutter:
    torch.manual_seed(seed)
    alphabet = Alphabet("abc 012")
    config = NetworkConfig(
        classes=alphabet.classes, channels=(2, 2, 2), blocks=(1, 1, 1), hidden=2, layers=1
    )
    return Cutter(Crnn(config), alphabet)


def test_a_plan_draws_recombined_lines() -> None:
    lines = [_line(name, 5) for name in "abc"]
    sources = Sources(
        real=lines, hands=[], fonts=[], parted=Recombination(lines, [_halfway(5)] * 3)
    )
    alphabet = Alphabet("abc 01234")
    texts = {tuple(alphabet.encode(line.text)) for line in lines}
    for share, new in ((0.0, False), (1.0, True)):
        recipe = Recipe(pool=20, short_pools=0, hands=0, fonts=0, recombined=share)
        batches = BatchPlan(sources, recipe, alphabet).batches_in(0)
        seen = {own for batch in batches for own in _texts(batch)}
        assert bool(seen - texts) is new


def _texts(batch: Batch) -> list[tuple[int, ...]]:
    ends = np.cumsum(batch.target_lengths)[:-1]
    return [tuple(codes.tolist()) for codes in np.split(batch.targets, ends)]
