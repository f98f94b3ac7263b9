"""Scores of whole pages against their transcription."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest

from hwr.errors import TrainingDataError
from hwr.model.alphabet import DEFAULT_CHARACTERS, Alphabet
from hwr.reader import Reader
from hwr.training.pages import PlacedText, read_transcription, score_page
from workers.commands import measure

ALPHABET = Alphabet(DEFAULT_CHARACTERS)


def placed(text: str, top: int) -> PlacedText:
    return PlacedText(text=text, polygon=((0, top), (100, top), (100, top + 10), (0, top + 10)))


def test_a_page_read_without_error_scores_nothing() -> None:
    truth = [placed("one two", 100), placed("l’été", 120)]
    score = score_page(truth, [placed("one two", 101), placed("l'été", 119)], ALPHABET)
    assert score.whole.cer == score.inside.cer == score.whole.wer == 0
    assert score.lines == (2, 2)


def test_print_outside_of_the_transcription_counts_only_in_the_whole() -> None:
    truth = [placed("hand", 100), placed("hand", 120)]
    score = score_page(truth, [placed("PRINTED", 10), *truth], ALPHABET)
    assert score.inside.cer == 0
    assert score.whole.cer == pytest.approx(8 / 9)
    assert score.lines == (2, 2)


class TwoPages:
    """A reader whose every document has two pages."""

    def pages(self, path: Path) -> Iterator[str]:
        yield from ("first", "second")


def test_a_picture_of_several_pages_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "pages"
    folder.mkdir()
    (folder / "fax.jpg").touch()
    line = {"order": 1, "text": "a", "polygon": [[0, 0], [9, 0], [9, 9]]}
    (folder / "fax.json").write_text(json.dumps({"lines": [line]}), encoding="utf-8")
    with pytest.raises(TrainingDataError, match=r"fax\.jpg has more than one page"):
        measure._pages(cast("Reader", TwoPages()), tmp_path)


def test_lines_in_another_order_are_errors() -> None:
    truth = [placed("first", 100), placed("other", 120)]
    assert score_page(truth, truth[::-1], ALPHABET).inside.cer > 0.5


def test_a_transcription_is_read_in_its_order(tmp_path: Path) -> None:
    box = [[0, 0], [9, 0], [9, 9]]
    lines = [{"order": n, "text": str(n), "polygon": box} for n in (2, 0, 1)]
    path = tmp_path / "page.json"
    path.write_text(json.dumps({"lines": lines}))
    assert [line.text for line in read_transcription(path)] == ["0", "1", "2"]


@pytest.mark.parametrize("content", ["", "[]", '{"lines": [{"order": 0}]}', '{"lines": 3}'])
def test_what_is_no_transcription_is_named(tmp_path: Path, content: str) -> None:
    path = tmp_path / "page.json"
    path.write_text(content)
    with pytest.raises(TrainingDataError, match=r"page\.json"):
        read_transcription(path)
