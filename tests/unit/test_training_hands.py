"""Recorded words become letters, and letters any text. The strokes are drawn here."""

import json
import lzma
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwr.errors import TrainingDataError
from hwr.model.alphabet import DEFAULT_CHARACTERS, Alphabet
from hwr.model.config import NetworkConfig
from hwr.model.line_image import normalise_line
from hwr.model.network import Crnn
from hwr.training.alignment import align
from hwr.training.composition import can_write, compose
from hwr.training.cutter import Cutter
from hwr.training.drawn import hand_sample
from hwr.training.hand_file import load_hands, save_hands
from hwr.training.hands import read_hands
from hwr.training.letters import Hand, Letter, cut_letters, zones
from hwr.training.paper import on_paper
from hwr.training.pen import Stroke
from hwr.training.samples import Grey
from hwr.training.wording import Wording

ALPHABET = Alphabet(DEFAULT_CHARACTERS)
NETWORK = Crnn(NetworkConfig(classes=ALPHABET.classes))
STRIDE = NETWORK.config.stride
#: A box as wide as half a letter's room, in source units.
PITCH, BOX = 100, [0, 0, 50, 0, 0, 90, -50, 0, 0, -90]


def test_an_alignment_finds_the_steps_of_a_text() -> None:
    scores = np.log(np.full((12, 4), 0.02))
    scores[:, 0] = np.log(0.94)
    for step, character in ((2, 1), (3, 1), (6, 2), (9, 2)):
        scores[step] = np.log(0.02)
        scores[step, character] = np.log(0.94)
    found = align(scores, [1, 2, 2])
    assert found is not None
    assert found.steps.tolist() == [2.5, 6, 9]
    assert found.sureness == pytest.approx(np.log([0.94] * 3))


@pytest.mark.parametrize(("steps", "classes"), [(2, [1, 2, 3]), (2, [1, 1]), (4, [])])
def test_what_does_not_fit_is_not_aligned(steps: int, classes: list[int]) -> None:
    assert align(np.zeros((steps, 4)), classes) is None


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6))
def test_an_alignment_is_in_order(seed: int) -> None:
    rng = np.random.default_rng(seed)
    scores = np.log(rng.dirichlet(np.ones(5), 15))
    found = align(scores, rng.integers(1, 5, 5).tolist())
    assert found is not None
    assert (np.diff(found.steps) > 0).all()


def arch(left: float) -> np.ndarray:
    """A pen's way up and down again, 60 wide and 100 high, with feet on the baseline."""
    t = np.linspace(0, np.pi, 30)
    return np.stack([left + 30 - 30 * np.cos(t), 100 - 100 * np.sin(t)], axis=1)


def test_joined_letters_are_cut_at_the_foot_between_them() -> None:
    word = np.concatenate([arch(0), arch(70)])
    first, second = cut_letters("nn", [word], [30.0, 100.0], 0.0)
    assert first.entry is None
    assert first.exit is not None
    assert second.entry is not None
    assert second.exit is None
    assert 50 < first.width < 75
    assert 50 < second.width < 75
    assert second.strokes[0][:, 0].min() == 0


def test_letters_written_apart_keep_their_strokes_and_their_dots() -> None:
    dot = np.array([(95.0, -30.0), (97.0, -28.0)])
    letters = cut_letters("ni", [arch(0), arch(70), dot], [30.0, 100.0], 0.6)
    assert [len(letter.strokes) for letter in letters] == [1, 2]
    assert all(letter.entry is letter.exit is None for letter in letters)


def test_a_letter_without_ink_spoils_the_word() -> None:
    assert cut_letters("nin", [arch(0), arch(70)], [30.0, 65.0, 100.0], 0.6) == []


def test_zones_are_where_the_pen_turns() -> None:
    tall = np.array([(200.0, -100.0), (200.0, 100.0)])
    found = zones([arch(0), arch(70), arch(140), tall])
    assert found.base == pytest.approx(100, abs=2)
    assert found.x_height == pytest.approx(100, abs=2)


class Planted(Cutter):
    """Sees each box of a drawn word as the next letter of its text; reads all but `unread`."""

    def __init__(self, texts: list[str], unread: str = "") -> None:
        super().__init__(NETWORK, ALPHABET)
        self._texts = texts
        self._unread = unread

    def _log_probs(self, images: Sequence[Grey], *, local: bool) -> list[np.ndarray]:
        if local:
            seen = zip(self._texts, images, strict=True)
            return [self._seen(text, image) for text, image in seen]
        return [self._read(text) for text in self._texts for _ in range(2)]

    def _read(self, text: str) -> np.ndarray:
        scores = np.full((2 * len(text), ALPHABET.classes), -9.0)
        # In the order in which letters are judged.
        codes = ALPHABET.encode(text[::-2] + text[-2::-2])
        scores[2 * np.arange(len(text)), codes] = 0.0
        scores[:, ALPHABET.encode(self._unread)] = -9.0
        return scores

    def _seen(self, text: str, image: Grey) -> np.ndarray:
        line = normalise_line(image)
        ink = (line < 128).any(axis=0).astype(int)
        edges = np.diff(np.concatenate(([0], ink, [0])))
        starts, ends = np.flatnonzero(edges > 0), np.flatnonzero(edges < 0)
        scores = np.full((line.shape[1] // STRIDE, ALPHABET.classes), -9.0)
        scores[:, 0] = -0.01
        for code, middle in zip(ALPHABET.encode(text), (starts + ends) / 2, strict=True):
            scores[int(middle // STRIDE), code] = 0.0
        return scores


def strokes_file(folder: Path, sessions: list[dict[str, Any]]) -> Path:
    path = folder / "strokes.jsonl.xz"
    with lzma.open(path, "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(session) + "\n" for session in sessions)
    return path


def entry(text: str, kind: int) -> list[object]:
    boxes = [[PITCH * i, 0, *BOX[2:]] for i, _ in enumerate(text.replace(" ", ""))]
    return [text, kind, boxes, 1.0]


def test_a_session_becomes_a_hand_that_is_kept(tmp_path: Path) -> None:
    words = ["quick", "brown", "jumps"]
    entries = [entry("Write Here", 1), *(entry(w, 1) for w in words)]
    entries += [entry("1 2 3 4 5", 3), entry("A B C", 4), entry("+ ! $", 2)]
    session = {"writer": "w", "split": "train", "words": entries}
    path = strokes_file(tmp_path, [session, session | {"split": "val"}])
    cache = tmp_path / "kept"
    (hand,) = read_hands(path, "train", Planted(words), cache)
    assert set(hand.letters) == set("quickbrownjumps12345ABC+!$")
    assert len(hand.letters["u"]) == 2
    box = hand.letters["q"][0].strokes[0]
    assert np.ptp(box[:, 1]) == pytest.approx(1, abs=0.05)
    # A plus floats; a letter stands on the baseline.
    assert hand.letters["+"][0].strokes[0][:, 1].max() < -0.1
    (again,) = read_hands(path, "train", Planted([]), cache)
    assert set(again.letters) == set(hand.letters)
    (kept,) = cache.iterdir()
    kept.write_bytes(kept.read_bytes()[:-40])
    with pytest.raises(TrainingDataError, match=f"{kept.name} is damaged .* Delete it"):
        read_hands(path, "train", Planted([]), cache)


def test_a_letter_that_the_network_does_not_read_is_not_kept(tmp_path: Path) -> None:
    words = ["quick", "brown", "jumps"]
    session = {"writer": "w", "split": "train", "words": [entry(w, 1) for w in words]}
    path = strokes_file(tmp_path, [session])
    (hand,) = read_hands(path, "train", Planted(words, unread="j"), tmp_path)
    assert set(hand.letters) == set("quickbrownumps")


@pytest.mark.parametrize("other", ["split", "strokes", "cutter"])
def test_hands_of_something_else_are_not_taken(
    tmp_path: Path, other: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ["quick", "brown", "jumps"]
    session = {"writer": "w", "split": "train", "words": [entry(w, 1) for w in words]}
    path = strokes_file(tmp_path, [session, session | {"split": "val", "writer": "v"}])
    assert [hand.writer for hand in read_hands(path, "train", Planted(words), tmp_path)] == ["w"]
    if other == "strokes":
        strokes_file(tmp_path, [session | {"writer": "x"}])
    if other == "cutter":
        monkeypatch.setattr(f"{__name__}.NETWORK", Crnn(NETWORK.config))
    split = "val" if other == "split" else "train"
    (hand,) = read_hands(path, split, Planted(words), tmp_path)
    assert hand.writer == {"split": "v", "strokes": "x", "cutter": "w"}[other]
    assert len(list(tmp_path.glob("hands-*"))) == 2


class Overtaken(Planted):
    """Cuts only after another process of the run has cut and kept the same sessions."""

    def __init__(self, texts: list[str], overtake: Callable[[], object]) -> None:
        super().__init__(texts)
        self._overtake = overtake

    def cut(self, words: Sequence[tuple[str, list[Stroke]]]) -> list[tuple[str, Letter]]:
        self._overtake()
        return super().cut(words)


def test_processes_of_one_run_may_cut_at_the_same_time(tmp_path: Path) -> None:
    words = ["quick", "brown", "jumps"]
    session = {"writer": "w", "split": "train", "words": [entry(w, 1) for w in words]}
    path, cache = strokes_file(tmp_path, [session]), tmp_path / "kept"
    late = Overtaken(words, lambda: read_hands(path, "train", Planted(words), cache))
    (hand,) = read_hands(path, "train", late, cache)
    assert set(hand.letters) == set("quickbrownjumps")
    (kept,) = cache.iterdir()
    assert kept.name.startswith("hands-train-")


def test_a_file_holds_what_hands_are_made_of(tmp_path: Path) -> None:
    dot = Letter(strokes=(np.array([(0.1, -1.5)]),), width=0.2, entry=None, exit=None)
    rng = np.random.default_rng(1)
    wild = Letter(
        strokes=tuple(rng.normal(0, 40, (n, 2)) for n in (5, 1, 300)),
        width=2.5,
        entry=(0.0, -0.25),
        exit=(2.5, 0.1),
    )
    hands = [
        Hand(writer="é", letters={"i": (dot, wild), "w": (wild,)}),
        Hand(writer="mute", letters={}),
        Hand(writer="z", letters={"z": (dot,)}),
    ]
    save_hands(tmp_path / "hands.npz", hands)
    again = load_hands(tmp_path / "hands.npz")
    assert [hand.writer for hand in again] == ["é", "mute", "z"]
    for hand, before in zip(again, hands, strict=True):
        assert list(hand.letters) == list(before.letters)
        for character, forms in before.letters.items():
            for form, old in zip(hand.letters[character], forms, strict=True):
                assert (form.width, form.entry, form.exit) == (old.width, old.entry, old.exit)
                for stroke, was in zip(form.strokes, old.strokes, strict=True):
                    np.testing.assert_allclose(stroke, was, atol=6e-4)


def test_a_file_may_hold_no_hand(tmp_path: Path) -> None:
    save_hands(tmp_path / "hands.npz", [])
    assert load_hands(tmp_path / "hands.npz") == []


def hand(characters: str, size: float = 1.0) -> Hand:
    box = np.array([(0, 0), (0.8, 0), (0.8, -1), (0, -1), (0, 0)]) * size
    letter = Letter(strokes=(box,), width=0.8 * size, entry=(0, 0), exit=(0.8 * size, 0))
    return Hand(writer="w", letters=dict.fromkeys(characters, (letter,)))


def test_a_hand_borrows_what_it_lacks() -> None:
    own, lender = hand("abc"), hand("d", size=3.0)
    assert can_write(own, "a cab, b.", None)
    assert not can_write(own, "bad", None)
    assert can_write(own, "bad", lender)
    strokes = compose(own, "bad", Random(1), lender)
    assert max(np.ptp(stroke[:, 1]) for stroke in strokes) > 2


def test_joined_letters_touch_and_words_do_not() -> None:
    strokes = compose(hand("ab"), "ab ab", Random(3))
    ends = [(stroke[:, 0].min(), stroke[:, 0].max()) for stroke in strokes]
    gaps = [b[0] - a[1] for a, b in pairwise(ends)]
    assert sum(gap > 0.4 for gap in gaps) == 1


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6))
def test_a_line_in_a_hand_is_the_same_for_the_same_seed(seed: int) -> None:
    writer = hand(DEFAULT_CHARACTERS.replace(" ", ""))
    one, other = (hand_sample(writer, writer, Wording(), seed) for _ in range(2))
    image = one.load()
    assert one.text == other.text
    assert np.array_equal(image, other.load())
    assert image.min() < 100
    assert one.width == pytest.approx(image.shape[1] * 64 / image.shape[0], rel=0.1, abs=8)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6))
def test_paper_keeps_the_ink_darker_than_its_surroundings(seed: int) -> None:
    image = np.full((64, 300), 255, np.uint8)
    image[20:44, 100:200] = 0
    page = on_paper(image, np.random.default_rng(seed))
    assert page.shape == image.shape
    assert page[20:44, 100:200].mean() < page[:, 220:290].mean()
