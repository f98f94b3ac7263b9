"""Measuring what was read: edits, rates, intervals, confusions, the report and the sheet."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from random import Random

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwr.decoding.reading import LineReading
from hwr.errors import TrainingDataError
from hwr.model.alphabet import DEFAULT_CHARACTERS, Alphabet
from hwr.model.config import NetworkConfig
from hwr.model.network import Crnn
from hwr.training.confusion import confusion
from hwr.training.edits import align, edit_distance, right_characters
from hwr.training.evaluation import LineResult, network_reader, read_samples
from hwr.training.intervals import Resampled, intervals
from hwr.training.metrics import ErrorCounts, count_errors, error_rates, fold_for_score
from hwr.training.report import character_error_rates, report
from hwr.training.samples import Grey, LineSample
from hwr.training.sheet import worst, write_sheet
from hwr.training.validation import curve_validation
from workers.commands.tables import report_tables, table

ALPHABET = Alphabet(DEFAULT_CHARACTERS)
#: Few letters, so that repeats and near misses are frequent.
WORDS = st.text("ab ", max_size=8)


def sample(text: str, *, writer: str = "w", dataset: str = "drawn", name: str = "x") -> LineSample:
    def draw() -> Grey:
        image = np.full((48, 16 * max(1, len(text)) + 16), 255, np.uint8)
        cv2.putText(image, text, (4, 34), cv2.FONT_HERSHEY_SIMPLEX, 0.8, 0, 2)
        return image

    return LineSample(
        dataset=dataset, name=name, writer=writer, text=text, width=40 * len(text) + 8, load=draw
    )


def result(truth: str, read: str, writer: str = "w", dataset: str = "drawn") -> LineResult:
    return LineResult(
        sample=sample(truth, writer=writer, dataset=dataset),
        truth=truth,
        reading=LineReading(text=read, confidence=0.5),
    )


@pytest.mark.parametrize(
    ("a", "b", "distance"),
    [("", "", 0), ("abc", "", 3), ("kitten", "sitting", 3), ("ab", "ba", 2), ("same", "same", 0)],
)
def test_edit_distance(a: str, b: str, distance: int) -> None:
    assert edit_distance(a, b) == edit_distance(b, a) == distance


@given(WORDS, WORDS)
def test_an_alignment_spells_both_texts_with_the_fewest_edits(a: str, b: str) -> None:
    edits = align(a, b)
    assert "".join(x for x, _ in edits) == a
    assert "".join(y for _, y in edits) == b
    assert sum(x != y for x, y in edits) == edit_distance(a, b)
    assert len(right_characters(a, b)) == len(b)


def test_a_character_is_right_only_where_it_stands() -> None:
    assert right_characters("cheque", "chque") == [True] * 5
    assert right_characters("12", "21") == [False, False]
    assert right_characters("", "a") == [False]


def test_error_rates_are_sums_over_the_set() -> None:
    rates = error_rates([("ab cd", "ab cx"), ("e", "e")])
    assert rates.lines == 2
    assert rates.cer == pytest.approx(1 / 6)
    assert rates.wer == pytest.approx(1 / 3)
    assert rates.exact == 0.5


def test_folding_drops_case_accents_and_punctuation_but_no_letters_digits_or_currencies() -> None:
    assert fold_for_score("L'Été,  à 12:30 - £5!") == "lete a 1230 £5"
    assert fold_for_score("STRASSE") == fold_for_score("Straße")
    assert count_errors(*map(fold_for_score, ("Dear Sir,", "dear sir"))).exact == 1


def test_an_interval_holds_the_rate_and_narrows_with_more_lines() -> None:
    rng = Random(3)

    def lines(count: int) -> list[ErrorCounts]:
        return [ErrorCounts(lines=1, characters=10, character_errors=rng.randrange(4))] * count

    def width(count: int) -> float:
        writers = {str(i): lines(1) for i in range(count)}
        total = sum((own[0] for own in writers.values()), ErrorCounts()).rates().cer
        low, high = intervals(writers).cer
        assert low <= total <= high
        return high - low

    assert width(2_000) < 0.4 * width(100)


def test_writers_are_resampled_where_there_are_several() -> None:
    good, bad = count_errors("aaaaaaaaaa", "aaaaaaaaaa"), count_errors("aaaaaaaaaa", "bbbbbbbbbb")
    two = {"a": [good] * 50, "b": [bad] * 50}
    ten = {f"{i}": [good if i % 2 else bad] * 10 for i in range(10)}
    by_line, by_writer = intervals(two), intervals(ten)
    assert by_line.resampled is Resampled.LINES
    assert by_writer.resampled is Resampled.WRITERS
    # Lines of one writer are alike here, so that there are ten units of chance, not a hundred.
    assert by_writer.cer[1] - by_writer.cer[0] > 2 * (by_line.cer[1] - by_line.cer[0])


def test_confusions_are_counted_by_kind_the_most_frequent_first() -> None:
    found = confusion([("more", "mare"), ("for", "far"), ("nu", "uu"), ("abc", "ac"), ("x", "xy")])
    assert found.substitutions == (("o", "a", 2), ("n", "u", 1))
    assert found.deletions == (("b", 1),)
    assert found.insertions == (("y", 1),)


def test_a_report_tells_sets_and_writers_apart() -> None:
    found = report(
        [
            result("Été", "ete", "anna", "letters"),
            result("four", "four", "bert", "letters"),
            result("1", "7", "carl", "digits"),
        ]
    )
    assert list(found.sets) == ["digits", "letters"]
    letters = found.sets["letters"]
    assert letters.raw.rates.cer == pytest.approx(2 / 7)
    assert letters.folded.rates.cer == 0
    assert letters.raw.writers["anna"].exact == 0
    assert letters.raw.writers["bert"].exact == 1
    assert character_error_rates([result("abcd", "abxd")]) == {"drawn": 0.25}
    json.dumps(asdict(found))


def test_tables_name_sets_and_writers_but_no_text_of_a_line() -> None:
    lines = [result("Jane Roe", "Jane Rod", "anna") for _ in range(6)]
    rows = list(report_tables(report(lines)))
    text = "\n".join(rows)
    assert "drawn" in text
    assert "12.50%" in text
    assert "anna" in text
    assert "e as d 6×" in text
    assert "Jane" not in text
    assert "Ro" not in text


def test_a_terminal_does_not_obey_what_writers_are_called() -> None:
    rows = report_tables(report([result("a", "b", "anna\x1b[2J") for _ in range(6)]))
    assert any(row.startswith("anna[2J ") for row in rows)


def test_columns_of_a_table_stand_below_one_another() -> None:
    assert list(table(("name", "n"), [("a", "1"), ("longer", "100")])) == [
        "name      n",
        "a         1",
        "longer  100",
    ]


def test_every_line_is_read_but_a_broken_picture_is_named(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def broken() -> Grey:
        raise TrainingDataError("cut off")

    lines = [sample(f"line {i}") for i in range(11)]
    bad = LineSample(
        dataset="drawn", name="bad\x1b.jpg", writer="w", text="t", width=9, load=broken
    )

    def read(images: Sequence[Grey]) -> list[LineReading]:
        return [LineReading(text=str(image.shape[1]), confidence=1.0) for image in images]

    results = read_samples([*lines, bad], read, ALPHABET)
    assert sorted(r.truth for r in results) == sorted(s.text for s in lines)
    assert "bad.jpg left out" in caplog.text


def test_the_worst_lines_are_those_with_the_most_errors() -> None:
    lines = [result("a", "b"), result("right", "right"), result("some words", "same wards")]
    assert [r.truth for r in worst(lines, 5)] == ["some words", "a"]
    assert [r.truth for r in worst(lines, 1)] == ["some words"]


def test_the_sheet_is_a_picture_with_errors_in_red(tmp_path: Path) -> None:
    path = tmp_path / "worst.png"
    write_sheet(path, [result("some words", "same wards"), result("«déjà»", "")])
    sheet = cv2.imread(str(path))
    assert sheet is not None
    red = (sheet[..., 2] > 180) & (sheet[..., 0] < 80)
    assert red.sum() > 20
    write_sheet(path, [result("right", "right")])
    assert np.all(cv2.imread(str(path)) == 255)


def test_validation_gives_each_set_its_rate_and_draws_the_sheet(tmp_path: Path) -> None:
    config = NetworkConfig(classes=ALPHABET.classes, channels=(4, 8, 8), hidden=8, layers=1)
    network = Crnn(config)
    lines = [sample("one", dataset="a"), sample("two", dataset="b")]
    rates = curve_validation(lines, ALPHABET, tmp_path / "worst.png")(network)
    assert set(rates) == {"a", "b"}
    assert min(rates.values()) > 0.5, "nothing has taught it"
    assert (tmp_path / "worst.png").exists()
    readings = network_reader(network, ALPHABET)([lines[0].load()[:, :40].repeat(2, 0)[:64]])
    assert len(readings) == 1
