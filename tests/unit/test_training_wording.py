"""Drawn lines say English, French and what was transcribed, in their shares."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwr.model.alphabet import DEFAULT_CHARACTERS, Alphabet
from hwr.training import french, texts
from hwr.training.texts import Prose
from hwr.training.wording import Wording, in_words

ALPHABET = Alphabet(DEFAULT_CHARACTERS)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (0, "zéro"),
        (16, "seize"),
        (21, "vingt et un"),
        (70, "soixante-dix"),
        (71, "soixante et onze"),
        (80, "quatre-vingts"),
        (81, "quatre-vingt-un"),
        (99, "quatre-vingt-dix-neuf"),
        (100, "cent"),
        (218, "deux cent dix-huit"),
        (1000, "mille"),
        (80_000, "quatre-vingt mille"),
        (1_981, "mille neuf cent quatre-vingt-un"),
        (92_317, "quatre-vingt-douze mille trois cent dix-sept"),
    ],
)
def test_numbers_in_french(value: int, said: str) -> None:
    assert french.number_words(value) == said


def test_hundreds_have_an_s_where_nothing_follows() -> None:
    assert french.number_words(200) == "deux cents"
    assert french.number_words(201) == "deux cent un"
    assert french.number_words(200_000) == "deux cent mille"


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10**6))
def test_french_text_can_be_written(seed: int) -> None:
    for make in (french.sentence, french.date, french.amount_in_words):
        text = make(Random(seed))
        assert text.strip()
        assert ALPHABET.fold(text) == " ".join(text.split())


def test_elided_words_stand_before_a_vowel() -> None:
    words = french.words(Random(1), 4_000)
    assert len(words) == 4_000
    elided = [word.split("'") for word in words if "'" in word]
    assert len(elided) > 10
    assert all(len(parts) == 2 and parts[1][0] in "aàâeéèêiîoôuùhœ" for parts in elided)


def test_every_french_word_can_be_written_whole() -> None:
    assert all(ALPHABET.fold(word) == word for word in french._words()[0])


def test_one_has_no_plural() -> None:
    amounts = {french.amount_in_words(Random(seed)).lower() for seed in range(600)}
    assert {"un franc", "deux francs"} <= amounts
    assert not amounts & {"un francs", "un euros", "deux franc", "deux euro"}


def test_days_are_in_their_month() -> None:
    dates = [french.date(Random(seed)) for seed in range(3_000)]
    assert any("29 février" in date for date in dates)
    assert not any(f"{day} février" in date for date in dates for day in (30, 31))


def test_sources_have_their_shares() -> None:
    wording = Wording(
        english=Prose(words=("here",)),
        french=Prose(words=("ici",)),
        transcribed=in_words(["une ligne", "", "deux"]),
    )
    rng = Random(1)
    lines = [wording.line(rng) for _ in range(4_000)]
    said = {word: sum(set(line.split()) == {word} for line in lines) for word in ("here", "ici")}
    passages = sum(set(line.split()) <= {"une", "ligne", "deux"} for line in lines)
    assert passages / 4_000 == pytest.approx(0.15, abs=0.03)
    assert said["ici"] / 4_000 == pytest.approx(0.175, abs=0.03)
    assert said["here"] / 4_000 == pytest.approx(0.18, abs=0.03)


def test_without_other_sources_lines_are_english() -> None:
    prose = Prose.of(["The old man was tired."])
    for seed in range(50):
        assert Wording(english=prose).line(Random(seed)) == texts.line_text(Random(seed), prose)


@pytest.mark.parametrize("seed", range(20))
def test_every_source_gives_the_same_line_for_the_same_seed(seed: int) -> None:
    wording = Wording(french=Prose.of(["ici et là"]), transcribed=in_words(["une ligne"]))
    assert wording.line(Random(seed)) == wording.line(Random(seed))


def test_passages_keep_the_order_of_a_line() -> None:
    wording = Wording(transcribed=in_words(["a b c d e f g h"]))
    rng = Random(2)
    passages = {wording._passage(rng) for _ in range(200)}
    assert all(passage in "a b c d e f g h" for passage in passages)
    assert max(len(passage.split()) for passage in passages) == 6
