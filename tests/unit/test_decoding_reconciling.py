"""Two lines that say the same amount: which one, how surely, and when they differ."""

from dataclasses import replace

import pytest

from hwr.decoding.reading import Alternative, LineReading
from hwr.decoding.reconciling import FieldLine, reconcile

FIGURES, WORDS = "courtesy amount", "legal amount"


def reading(**texts: float) -> LineReading:
    """A reading with these alternatives, the likeliest first."""
    alternatives = tuple(Alternative(*both) for both in texts.items())
    return LineReading(
        text=alternatives[0].text,
        confidence=alternatives[0].probability,
        characters=(0.5,) * len(alternatives[0].text),
        alternatives=alternatives,
    )


def cheque(figures: LineReading | None, words: LineReading | None) -> list[FieldLine]:
    return [
        FieldLine(reading=LineReading(text="Miller", confidence=0.9)),
        FieldLine(reading=figures, zone=FIGURES),
        FieldLine(reading=words, zone=WORDS, same_as=FIGURES),
    ]


def test_the_words_decide_which_of_two_figures_it_is() -> None:
    lines = cheque(reading(**{"1.00": 0.7, "7.00": 0.2}), reading(Seven=0.9, seven=0.06, ten=0.02))
    (payee, figures, words), trouble = reconcile(lines)
    assert payee == lines[0].reading
    assert trouble is None
    assert figures
    assert words
    assert (figures.text, words.text) == ("7.00", "Seven")
    known, agreed = 0.9 * 0.98, 0.2 * 0.96
    others = 0.01 * (known - agreed) + 0.001 * (1 - known)
    assert figures.confidence == words.confidence == pytest.approx(agreed / (agreed + others))
    # What stood at each place of another text says nothing of this one.
    assert figures.characters == ()
    assert words.characters == (0.5,) * 5


def test_of_two_amounts_that_both_lines_may_say_the_likelier_is_taken() -> None:
    lines = cheque(reading(**{"1.00": 0.6, "7.00": 0.3}), reading(Seven=0.9, One=0.05))
    (_, figures, words), _ = reconcile(lines)
    assert figures
    assert words
    assert (figures.text, words.text) == ("7.00", "Seven")


def test_amounts_that_agree_are_surer_than_each_alone() -> None:
    lines = cheque(reading(**{"12.50": 0.8}), reading(**{"Twelve and 50/100": 0.7}))
    (_, figures, words), trouble = reconcile(lines)
    assert trouble is None
    assert figures
    assert words
    assert figures.confidence == words.confidence > 0.95


def test_amounts_that_differ_stay_as_they_were_read_but_unsure() -> None:
    lines = cheque(reading(**{"12.50": 0.99}), reading(**{"Twenty and 50/100": 0.99}))
    (_, figures, words), trouble = reconcile(lines)
    assert figures
    assert words
    assert (figures.text, words.text) == ("12.50", "Twenty and 50/100")
    assert (figures.confidence, words.confidence) == (0.0, 0.0)
    assert trouble is not None
    assert trouble.code == "AmountsDiffer"
    assert "courtesy amount says '12.50' and legal amount says 'Twenty and 50/100'" in str(trouble)


def test_amounts_are_compared_on_each_sheet_alone() -> None:
    ten, twelve = reading(**{"10.00": 0.9}), reading(**{"12.00": 0.9})
    words = reading(Ten=0.9), reading(Twelve=0.9), reading(Two=0.9)
    sheets = [cheque(ten, words[0]), cheque(twelve, words[2]), cheque(ten, words[1])]
    lines = [replace(line, sheet=at) for at, sheet in enumerate(sheets, 1) for line in sheet]
    readings, trouble = reconcile(lines)
    first, second, third = (readings[at + 1] for at in (0, 3, 6))
    assert first
    assert first.confidence > 0.9
    assert (second and second.confidence, third and third.confidence) == (0.0, 0.0)
    assert "courtesy amount of sheet 2 says '12.00' and legal amount of sheet 2" in str(trouble)
    assert "courtesy amount of sheet 3 says '10.00'" in str(trouble)
    assert "sheet 1" not in str(trouble)


def test_a_far_fetched_common_amount_is_a_difference() -> None:
    """A figure that was altered looks a little like the one before."""
    lines = cheque(reading(**{"91.00": 0.99, "11.00": 0.002}), reading(Eleven=0.99))
    (_, figures, _), trouble = reconcile(lines)
    assert figures
    assert figures.text == "91.00"
    assert trouble is not None


def test_figures_without_alternatives_are_what_they_say() -> None:
    figures = LineReading(text="12.50", confidence=0.9)
    (_, one, _), trouble = reconcile(cheque(figures, reading(**{"Twelve and 50/100": 0.9})))
    assert trouble is None
    assert one
    assert one.confidence > 0.9


def test_words_that_are_hardly_believed_decide_nothing() -> None:
    """Of what a field holds they are the likeliest, but the line may say something else."""
    figures = reading(**{"1.00": 0.6, "7.00": 0.3})
    (_, one, _), _ = reconcile(cheque(figures, reading(Seven=0.99)))
    (_, other, _), _ = reconcile(cheque(figures, reading(Seven=0.006)))
    assert one
    assert other
    assert one.text == "7.00"
    assert one.confidence > 0.95
    assert other.confidence < 0.9


def test_equal_amounts_that_nobody_believes_do_not_differ() -> None:
    lines = cheque(reading(**{"12.50": 1e-3}), reading(**{"Twelve and 50/100": 1e-3}))
    readings, trouble = reconcile(lines)
    assert readings == [line.reading for line in lines]
    assert trouble is None


@pytest.mark.parametrize(
    "words", [None, LineReading(text="", confidence=0.0), reading(illegible=0.3)]
)
def test_without_two_amounts_nothing_changes(words: LineReading | None) -> None:
    lines = cheque(reading(**{"12.50": 0.9}), words)
    readings, trouble = reconcile(lines)
    assert readings == [line.reading for line in lines]
    assert trouble is None


def test_a_zone_with_two_lines_is_not_compared() -> None:
    lines = cheque(reading(**{"12.50": 0.9}), reading(Twenty=0.9))
    lines.append(replace(lines[-1], reading=reading(**{"and 50/100": 0.9})))
    readings, trouble = reconcile(lines)
    assert readings == [line.reading for line in lines]
    assert trouble is None
