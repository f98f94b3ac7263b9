"""Scores of whole pages against their transcriptions."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from hwr.decoding.reading import LineReading
from hwr.errors import TrainingDataError
from hwr.layout import Line
from hwr.model.alphabet import DEFAULT_CHARACTERS, Alphabet
from hwr.reader import ReadLine
from hwr.training.pages.baselines import score_baselines
from hwr.training.pages.halves import Half
from hwr.training.pages.matching import matches, overlaps
from hwr.training.pages.scores import PageScore, as_true, score_lines, score_page
from hwr.training.pages.summary import figures_of, grouped
from hwr.training.pages.truth import (
    TrueLine,
    TruePage,
    read_true_page,
    read_true_pages,
    transcriptions,
)
from hwr.training.pages.worst import draw_page, write_worst

ALPHABET = Alphabet(DEFAULT_CHARACTERS)
HEIGHT, WIDTH = 1000, 400


def line(top: int, *, left: int = 50, right: int = 350, order: int = 0) -> Line:
    """A line 40 pixels high whose letters stand 10 above its lower edge."""
    corners = ((left, top), (right, top), (right, top + 40), (left, top + 40))
    return Line(order=order, polygon=corners, baseline=((left, top + 30), (right, top + 30)))


def page(*texts: str | None, name: str = "set_page", first: int = 300) -> TruePage:
    """A page with a line each 100 pixels."""
    return TruePage(
        name=name,
        picture=Path(f"folder/{name}.jpg"),
        image=np.full((HEIGHT, WIDTH), 255, np.uint8),
        lines=tuple(
            TrueLine(line=line(first + 100 * row), text=text) for row, text in enumerate(texts)
        ),
    )


def read(place: Line, text: str) -> ReadLine:
    return ReadLine(
        order=place.order,
        polygon=place.polygon,
        baseline=place.baseline,
        text=text,
        confidence=1.0,
        needs_review=False,
    )


def reads_all_as(text: str) -> Any:
    def work(crops: Sequence[NDArray[np.uint8]]) -> list[LineReading]:
        return [LineReading(text=text, confidence=1.0) for _ in crops]

    return work


def score(truth: TruePage, found: Sequence[ReadLine], crops: str = "") -> PageScore:
    return score_page(truth, found, reads_all_as(crops), ALPHABET)


def test_a_page_found_and_read_without_error() -> None:
    truth = page("one two", "l’été")
    found = [read(line(302), "one two"), read(line(398), "l'été")]
    figures = figures_of([score(truth, found)])
    assert figures.page.cer == figures.page.wer == figures.with_print.cer == 0
    assert figures.lines.recall == figures.lines.precision == 1
    assert figures.lines.baseline_recall == figures.lines.baseline_precision == 1


def test_what_true_crops_cost_is_told_apart() -> None:
    found = [read(line(300), "hend"), read(line(400), "hand")]
    figures = figures_of([score(page("hand", "hand"), found, crops="hend")])
    assert figures.page.cer == pytest.approx(1 / 9)
    assert figures.crops.cer == pytest.approx(2 / 9)
    assert figures.apart == pytest.approx(-1 / 9)


def test_lines_in_another_order_are_errors() -> None:
    truth = page("first", "other", "third")
    swapped = [read(line(400), "other"), read(line(300), "first"), read(line(500), "third")]
    found = score(truth, swapped)
    assert (found.lines.pairs, found.lines.swapped) == (3, 1)
    assert found.text.page.character_errors > 0
    assert found.text.in_order.character_errors == 0


def test_in_the_order_of_the_truth_a_line_on_none_stays_behind_its_forerunner() -> None:
    truth = page("first", "other")
    extra, other, first = line(700), line(400), line(300)
    found = [read(other, "other"), read(extra, "extra"), read(first, "first")]
    assert score(truth, found).text.in_order.character_errors == len(" extra")
    common = overlaps([line.line for line in truth.lines], [other, extra, first])
    assert as_true([0, 1, 2], common) == [2, 0, 1]


def test_a_line_that_nobody_could_read_counts_as_a_line_but_not_as_text() -> None:
    truth = page("hand", None, "more")
    found = score(truth, [read(line(300), "hand"), read(line(400), "xyz"), read(line(500), "more")])
    assert found.lines.matched == 3
    assert found.text.page.character_errors == 0


@pytest.mark.parametrize(("name", "errors"), [("copiste_imp_1", 0), ("letters_1", 8)])
def test_print_that_the_truth_leaves_out_counts_only_beside_it(name: str, errors: int) -> None:
    truth = page("hand", "hand", name=name)
    found = [read(line(20), "PRINTED"), read(line(300), "hand"), read(line(400), "hand")]
    scored = score(truth, found)
    assert scored.text.page.character_errors == errors
    assert scored.text.with_print.character_errors == 8
    assert scored.lines.found == (3 if errors else 2)


def test_one_line_over_two_is_no_match_and_two_halves_are_one() -> None:
    true = [line(300), line(340)]
    double = Line(order=0, polygon=((50, 300), (350, 300), (350, 381), (50, 381)), baseline=())
    assert matches(overlaps(true, [double]).union_share, 0.55) == []
    halves = [line(300, right=190), line(300, left=140)]
    assert matches(overlaps([line(300)], halves).union_share) == [(0, 1)]


def test_overlap_is_the_common_area_over_both() -> None:
    shares = overlaps([line(300)], [line(320), line(700)]).union_share
    assert shares[0, 0] == pytest.approx(20 / 60, abs=0.02)
    assert shares[0, 1] == 0


def test_a_baseline_found_in_two_parts_costs_precision_only() -> None:
    true = [line(300), line(400)]
    parts = [line(300, right=195), line(300, left=205), line(400)]
    scores = score_baselines(true, parts)
    assert scores.recall == pytest.approx(1, abs=0.01)
    assert scores.precision == pytest.approx(2 / 3, abs=0.01)


@pytest.mark.parametrize(("off", "credit"), [(20, 1.0), (50, 0.5), (80, 0.0)])
def test_baselines_count_less_the_further_they_miss(off: int, credit: float) -> None:
    """Lines are 100 apart: 25 pixels are tolerated, 75 are too many."""
    true = [line(200), line(300)]
    scores = score_baselines(true, [line(200), line(300 + off)])
    assert scores.recall == pytest.approx((1 + credit) / 2, abs=0.02)
    assert scores.precision == pytest.approx((1 + credit) / 2, abs=0.02)


def test_a_page_without_lines_is_found_rightly_by_finding_none() -> None:
    nothing = score_lines(page(), [])
    assert (nothing.baselines.recall, nothing.baselines.precision) == (1, 1)
    assert score_lines(page(), [line(300)]).baselines.precision == 0
    assert score_lines(page("hand"), []).baselines.recall == 0


def test_halves_are_taken_by_name() -> None:
    pages = ["a", "b", "c", "d", "e"]
    assert Half.TUNING.of(pages) == ["a", "c", "e"]
    assert Half.HELD_OUT.of(pages) == ["b", "d"]
    assert Half.ALL.of(pages) == pages


def test_collections_are_named_before_the_first_underline_or_by_their_folder() -> None:
    names = ("fr_1", "fr_2", "letter")
    found = grouped(score(page(name=name), []) for name in names)
    assert {name: len(scores) for name, scores in found.items()} == {"folder": 1, "fr": 2, "all": 3}


def write_page(folder: Path, stem: str, truth: dict[str, Any]) -> Path:
    cv2.imwrite(str(folder / f"{stem}.jpg"), np.full((300, 400), 255, np.uint8))
    path = folder / f"{stem}.json"
    path.write_text(json.dumps(truth), encoding="utf-8")
    return path


BOX = [[10, 10], [90, 10], [90, 40], [10, 40]]


def test_a_transcription_is_read_in_its_order(tmp_path: Path) -> None:
    lines = [{"order": n, "text": str(n), "polygon": BOX} for n in (2, 0, 1)]
    lines[0]["marked"] = True
    truth = read_true_page(write_page(tmp_path, "page", {"lines": lines}))
    assert [entry.text for entry in truth.lines] == ["0", "1", None]
    assert truth.lines[0].line.baseline == ((10, 40), (90, 40))
    assert truth.image.shape == (300, 400)


@pytest.mark.parametrize(
    "content", ["", "[]", '{"lines": [{"order": 0}]}', '{"lines": 3}', '{"lines": [3]}']
)
def test_what_is_no_transcription_is_named(tmp_path: Path, content: str) -> None:
    path = tmp_path / "page.json"
    path.write_text(content)
    with pytest.raises(TrainingDataError, match=r"page\.json"):
        read_true_page(path)


def test_a_page_that_cannot_be_read_costs_no_other(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    dirt = {"order": 0, "text": "x", "polygon": [[0, 0], [1, 0], [1, 1]]}
    write_page(tmp_path, "b", {"lines": [dirt, {"order": 1, "text": "good", "polygon": BOX}]})
    (tmp_path / "a.XML").write_text("<PcGts><Page>")
    (tmp_path / "c.json").write_text("{}")
    found = [*read_true_pages(transcriptions(tmp_path))]
    assert [(path.name, [e.text for e in page.lines]) for path, page in found] == [
        ("b.json", ["good"])
    ]
    for told in ("a.XML left out: it is no whole XML", "b.json, 0 left out", "c.json left out"):
        assert told in caplog.text
    assert "1 pages, 2 left out" in caplog.text


def test_a_missing_or_broken_picture_is_named(tmp_path: Path) -> None:
    path = write_page(tmp_path, "page", {"image": "../other.jpg", "lines": []})
    with pytest.raises(TrainingDataError, match=r"other\.jpg"):
        read_true_page(path)
    path = write_page(tmp_path, "page", {"lines": []})
    (tmp_path / "page.jpg").write_bytes(b"\xff\xd8\xff")
    with pytest.raises(TrainingDataError, match="picture"):
        read_true_page(path)


def test_a_picture_of_several_pages_is_named(tmp_path: Path) -> None:
    path = write_page(tmp_path, "fax", {"image": "fax.tif", "lines": []})
    sheets = [np.full((300, 400), 255, np.uint8)] * 2
    cv2.imwritemulti(str(tmp_path / "fax.tif"), sheets)
    with pytest.raises(TrainingDataError, match=r"fax\.tif has more than one page"):
        read_true_page(path)


PAGE_XML = """<PcGts><Page imageFilename="page.jpg" imageWidth="200" imageHeight="150">
<TextLine id="a"><Coords points="5,5 45,5 45,20 5,20"/><Baseline points="5,18 45,18"/>
<TextEquiv><Unicode>hand</Unicode></TextEquiv></TextLine>
<TextLine id="b"><Coords points="5,35 45,35 45,50 5,50"/></TextLine>
<TextLine id="c"/>
</Page></PcGts>"""


def test_page_xml_is_scaled_to_its_picture(tmp_path: Path) -> None:
    write_page(tmp_path, "page", {"lines": []})
    (tmp_path / "page.xml").write_text(PAGE_XML)
    (path,) = transcriptions(tmp_path)
    truth = read_true_page(path)
    assert [entry.text for entry in truth.lines] == ["hand", None]
    assert truth.lines[0].line.polygon == ((10, 10), (90, 10), (90, 40), (10, 40))
    assert truth.lines[0].line.baseline == ((10, 36), (90, 36))


def test_the_worst_pages_show_truth_and_finding_in_two_colours(tmp_path: Path) -> None:
    truth = page("hand")
    drawn = draw_page(truth.image, [line(300)], [line(700)], "page")
    colours = {tuple(colour) for colour in drawn.reshape(-1, 3).tolist()}
    assert {(60, 150, 30), (40, 40, 220)} <= colours
    write_worst(tmp_path / "worst.png", [drawn] * 4)
    sheet = cv2.imread(str(tmp_path / "worst.png"))
    assert sheet is not None
    assert sheet.shape[0] == 2 * drawn.shape[0]
