"""Accents and ligatures come out of a hand's plain letters."""

from dataclasses import replace
from random import Random

import numpy as np
import pytest

from hwr.model.alphabet import DEFAULT_CHARACTERS
from hwr.training.accents import can_put_together, plain_letters, put_together
from hwr.training.composition import can_write, compose
from hwr.training.letters import Hand, Letter


def box(height: float, *more: tuple[tuple[float, float], ...]) -> Letter:
    outline = np.array([(0, 0), (0.8, 0), (0.8, -height), (0, -height), (0, 0)])
    strokes = (outline, *map(np.array, more))
    return Letter(strokes=strokes, width=0.8, entry=(0.0, 0.0), exit=(0.8, 0.0))


def ends(letter: Letter) -> tuple[float, float]:
    points = np.concatenate(letter.strokes)
    return float(points[:, 1].min()), float(points[:, 1].max())


@pytest.mark.parametrize(
    ("character", "plain"),
    [("é", "e"), ("Ç", "C"), ("ï", "i"), ("ñ", "n"), ("œ", "oe"), ("Æ", "AE")]
    + [(c, "") for c in "eß°-«"],
)
def test_a_character_is_taken_apart(character: str, plain: str) -> None:
    assert plain_letters(character) == plain
    assert can_put_together(character, plain) == bool(plain)
    assert not can_put_together(character, plain[1:])


def test_every_accent_that_a_model_writes_can_be_drawn() -> None:
    latin = [c for c in DEFAULT_CHARACTERS if c.isascii() and c.isalpha()]
    hand = Hand(writer="w", letters={c: (box(1.0),) for c in latin})
    accented = [c for c in DEFAULT_CHARACTERS if not c.isascii() and c.isalpha() and c != "ß"]
    assert accented
    for character in accented:
        assert can_write(hand, character), character
        assert len(compose(hand, character, Random(1))) >= 2, character


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("character", "àéîõüÉ")
def test_accents_stand_clear_above_their_letter(character: str, seed: int) -> None:
    letter = put_together(character, [box(1.0)], Random(seed))
    mark = np.concatenate(letter.strokes[1:])
    assert mark[:, 1].max() < -1.0
    assert mark[:, 1].min() > -2.2
    assert abs(float(np.median(mark[:, 0])) - 0.4) < 0.45
    assert (letter.width, letter.entry, letter.exit) == (0.8, (0.0, 0.0), (0.8, 0.0))


def test_accents_lean_as_they_are_named() -> None:
    grave, acute = (put_together(c, [box(1.0)], Random(1)).strokes[-1] for c in "èé")
    assert (grave[-1] - grave[0]).prod() > 0 > (acute[-1] - acute[0]).prod()


def test_a_cedilla_hangs_from_its_letter() -> None:
    letter = put_together("ç", [box(1.0)], Random(1))
    top, bottom = ends(letter)
    assert top == -1.0
    assert 0.2 < bottom < 0.8


def test_an_accent_takes_the_place_of_the_dot() -> None:
    dotted = box(1.0, ((0.4, -1.6), (0.4, -1.5)))
    assert len(put_together("î", [dotted], Random(1)).strokes) == 2
    assert len(put_together("í", [box(2.0)], Random(1)).strokes) == 2


def test_what_is_nothing_but_a_dot_stays() -> None:
    dot = Letter(strokes=(np.array([(0.1, -1.6), (0.1, -1.5)]),), width=0.2, entry=None, exit=None)
    assert len(put_together("ï", [dot], Random(1)).strokes) == 3


def test_a_join_that_left_from_the_dot_is_none() -> None:
    dotted = box(1.0, ((0.4, -1.6), (0.4, -1.5)))
    assert put_together("î", [replace(dotted, exit=(0.4, -1.5))], Random(1)).exit is None
    assert put_together("î", [dotted], Random(1)).exit == dotted.exit


def test_a_ligature_is_closer_than_its_letters_apart() -> None:
    o, e = box(1.0), box(1.0)
    both = put_together("œ", [o, e], Random(1))
    assert o.width < both.width < o.width + e.width
    assert both.entry == o.entry
    assert both.exit is not None
    assert both.exit[0] == pytest.approx(both.width)
    assert ends(both) == (-1.0, 0.0)


def test_an_own_letter_with_an_accent_comes_before_a_lent_one() -> None:
    own = Hand(writer="w", letters={"e": (box(1.0),)})
    lender = Hand(writer="l", letters={"é": (box(9.0),), "e": (box(9.0),), "a": (box(3.0),)})
    highest = [-np.concatenate(compose(own, c, Random(1), lender))[:, 1].min() for c in "éà"]
    assert highest[0] < 2.5
    assert 3.0 < highest[1] < 4.8
