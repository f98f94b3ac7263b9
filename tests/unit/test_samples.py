"""The synthetic batch: the same from the same seed, true to its truth, in the promised formats."""

import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from pdf2image import convert_from_path, pdfinfo_from_path
from PIL import Image
from PIL.TiffImagePlugin import TiffImageFile

from hwr.errors import MissingFont
from hwr.profiles import load_profile
from hwr.samples import Kind, TruthLine, load_truth, write_batch
from hwr.samples import __main__ as command
from hwr.samples.cheque import choose_cheque
from hwr.samples.fonts import Face, find_font
from hwr.samples.hand import choose_writer, wrap, write
from hwr.samples.scanner import scan
from hwr.samples.sheet import new_sheet
from hwr.samples.text import courtesy_amount, legal_amount, number_in_words
from hwr.samples.truth import Truth


@pytest.fixture(scope="module")
def batch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("batch")
    write_batch(folder, pages=2, seed=5)
    return folder


def ink_share(picture: np.ndarray, line: TruthLine) -> float:
    """Share of pixels inside the line's box that are darker than paper."""
    xs, ys = zip(*line.polygon, strict=True)
    part = picture[min(ys) : max(ys), min(xs) : max(xs)]
    return float((part < 150).mean())


def test_the_batch_holds_what_it_promises(batch: Path) -> None:
    documents = sorted(path.name for path in batch.iterdir() if path.suffix != ".json")
    assert documents == [
        "cheque_1.png",
        "cheque_2.png",
        "cheque_3.png",
        "cheque_4.tif",
        "cheque_5.tif",
        "exam.pdf",
    ]


def test_pdf_pages_are_those_of_the_truth(batch: Path) -> None:
    truth = load_truth(batch / "exam.truth.json")
    assert pdfinfo_from_path(str(batch / "exam.pdf"))["Pages"] == len(truth.pages) == 2
    pictures = convert_from_path(batch / "exam.pdf", dpi=truth.dpi, grayscale=True)
    for picture, page in zip(pictures, truth.pages, strict=True):
        assert picture.size == (page.width, page.height)
        assert all(ink_share(np.asarray(picture), line) > 0.01 for line in page.lines)


def test_tiffs_are_bilevel_g4_at_200_dpi(batch: Path) -> None:
    for name, pages in (("cheque_4", 1), ("cheque_5", 2)):
        with Image.open(batch / f"{name}.tif") as tiff:
            assert isinstance(tiff, TiffImageFile)
            assert (tiff.mode, tiff.n_frames) == ("1", pages)
            assert tiff.info["compression"] == "group4"
            assert tiff.info["dpi"] == (200, 200)
        assert len(load_truth(batch / f"{name}.truth.json").pages) == pages


@pytest.mark.parametrize("name", ["cheque_1", "cheque_2", "cheque_3"])
def test_ink_of_a_cheque_lies_where_the_truth_says(batch: Path, name: str) -> None:
    (page,) = load_truth(batch / f"{name}.truth.json").pages
    grey = np.asarray(Image.open(batch / f"{name}.png").convert("L"))
    assert grey.shape == (page.height, page.width)
    assert all(ink_share(grey, line) > 0.01 for line in page.lines)


def test_a_cheque_says_the_same_amount_twice(batch: Path) -> None:
    (page,) = load_truth(batch / "cheque_1.truth.json").pages
    written = [line.text for line in page.lines if line.kind is Kind.HANDWRITING]
    figures = next(text for text in written if text.replace(",", "").replace(".", "").isdigit())
    cents = int(figures.replace(",", "").replace(".", ""))
    assert legal_amount(cents) in written


def test_orders_count_from_zero_and_kinds_are_mixed(batch: Path) -> None:
    for path in batch.glob("*.truth.json"):
        for page in load_truth(path).pages:
            assert [line.order for line in page.lines] == list(range(len(page.lines)))
            assert {line.kind for line in page.lines} == set(Kind)


def test_the_command_prints_paths_and_repeats_a_seed_byte_for_byte(
    batch: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main([str(tmp_path), "--pages", "2", "--seed", "5"]) == 0
    assert len(capsys.readouterr().out.split()) == 6
    for path in batch.iterdir():
        assert path.read_bytes() == (tmp_path / path.name).read_bytes(), path.name


def test_another_seed_gives_another_cheque() -> None:
    one, two = (choose_cheque(np.random.default_rng([seed, 1]), Face.AMATIC) for seed in (5, 6))
    assert one != two


def test_zones_of_the_truth_hold_the_lines_that_name_them(batch: Path) -> None:
    for path in batch.glob("*.truth.json"):
        for page in load_truth(path).pages:
            zones = {zone.name: np.array(zone.polygon, np.int32) for zone in page.zones}
            held = {line.zone for line in page.lines} - {None}
            assert held <= zones.keys()
            assert held, path
            for line in page.lines:
                if line.zone is not None:
                    (left, top), _, (_, bottom), _ = line.polygon
                    start = (left + 8.0, (top + bottom) / 2)
                    assert cv2.pointPolygonTest(zones[line.zone], start, False) >= 0, line.text


def test_zones_are_those_of_the_shipped_profiles(batch: Path) -> None:
    for path in batch.glob("*.truth.json"):
        profile = load_profile("exam" if "exam" in path.name else "cheque")
        for page in load_truth(path).pages:
            known = {zone.name for zone in profile.page(page.number).zones}
            assert {zone.name.rstrip("0123456789").rstrip() for zone in page.zones} == known


def test_truth_survives_the_file(batch: Path, tmp_path: Path) -> None:
    truth = load_truth(batch / "exam.truth.json")
    truth.save(tmp_path / "copy.json")
    assert load_truth(tmp_path / "copy.json") == truth
    assert isinstance(truth, Truth)
    assert truth.synthetic


@pytest.mark.parametrize("face", Face)
def test_no_letter_is_written_twice_the_same(face: Face) -> None:
    rng = np.random.default_rng(0)
    writer = choose_writer(rng, face)
    one, two = write("minimum", writer, rng), write("minimum", writer, rng)
    assert one.coverage.shape != two.coverage.shape or not np.allclose(one.coverage, two.coverage)


@pytest.mark.parametrize("face", Face)
def test_ink_is_a_share_and_stands_on_its_baseline(face: Face) -> None:
    rng = np.random.default_rng(1)
    stroke = write("hand", choose_writer(rng, face), rng)
    assert stroke.coverage.min() >= 0
    assert stroke.coverage.max() <= 1
    # "hand" has no descenders: the baseline is the foot of the ink, up to the drift of the hand.
    assert abs(stroke.baseline - stroke.coverage.shape[0]) < 10


def test_wrapped_lines_fit_and_keep_every_word() -> None:
    rng = np.random.default_rng(2)
    writer = choose_writer(rng, Face.SHADOWS)
    text = "Some seeds have wings or hairs and fly with the wind far away from home. " * 3
    lines = wrap(text, writer, 800)
    assert " ".join(lines).split() == text.split()
    assert all(write(line, writer, rng).coverage.shape[1] < 880 for line in lines)


def test_skew_moves_the_truth_with_the_ink() -> None:
    sheet = new_sheet(900, 300, (250, 250, 250), np.random.default_rng(4))
    sheet.print("far left", 40, 150, 30)
    sheet.print("far right", 720, 150, 30)
    scanned = scan(sheet, 1, speckles=0)
    grey = scanned.picture.mean(axis=2)
    assert scanned.truth.lines[0].polygon[0][1] != scanned.truth.lines[1].polygon[0][1]
    for line in scanned.truth.lines:
        xs, ys = zip(*line.polygon, strict=True)
        dark = np.argwhere(grey[:, min(xs) - 20 : max(xs) + 20] < 120)[:, 0]
        assert dark.size
        assert min(ys) <= dark.min() <= dark.max() <= max(ys)


def test_ink_outside_the_sheet_is_lost_without_harm() -> None:
    sheet = new_sheet(60, 40, (250, 250, 250), np.random.default_rng(0))
    before = sheet.picture.copy()
    block = np.ones((10, 10), np.float32)
    for x, y in ((-30, 5), (5, -30), (80, 5), (5, 80)):
        sheet.stamp(block, x, y, (0, 0, 0))
    assert np.array_equal(sheet.picture, before)
    sheet.stamp(block, -5, -5, (0, 0, 0))
    assert np.count_nonzero(sheet.picture == 0) == 5 * 5 * 3


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0, "zero"),
        (13, "thirteen"),
        (40, "forty"),
        (99, "ninety-nine"),
        (100, "one hundred"),
        (318, "three hundred eighteen"),
        (1250, "one thousand two hundred fifty"),
        (20_001, "twenty thousand one"),
    ],
)
def test_numbers_in_words(number: int, words: str) -> None:
    assert number_in_words(number) == words


def test_amounts_as_cheques_have_them() -> None:
    assert legal_amount(125_075) == "One thousand two hundred fifty and 75/100"
    assert legal_amount(4_205) == "Forty-two and 05/100"
    assert courtesy_amount(125_075) == "1,250.75"


def test_a_missing_font_package_is_named_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "font_intuitive", None)
    with pytest.raises(MissingFont, match=r"font_intuitive.*pip install 'hwr\[demo\]'"):
        find_font(Face.INTUITIVE)


def test_the_command_refuses_zero_pages(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        command.main([str(tmp_path), "--pages", "0"])
    assert "1 or more" in capsys.readouterr().err
