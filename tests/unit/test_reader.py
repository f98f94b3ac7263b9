"""The reader of whole documents: one bad page costs no other."""

import gc
import math
import os
import weakref
from pathlib import Path

import numpy as np
import pytest
from glass import on_glass
from numpy.typing import NDArray
from PIL import Image
from pipeline import draw_lines, small_model, tiff

from hwr.batching import Batcher
from hwr.decoding.decoders import BestPathDecoder
from hwr.engines import LineBatch, Logits
from hwr.errors import HwrError, LineFailed, TooManyLines
from hwr.failure import Failure
from hwr.layout import Line, find_lines
from hwr.line_work import Decodings, reading_work
from hwr.model.alphabet import Alphabet
from hwr.model.confidence import ConfidenceScale, LineScale, add_scale, scales_path
from hwr.model.line_image import WIDTH_STEP, normalise_line
from hwr.model.weights import load_model
from hwr.profiles import load_profile, open_profile
from hwr.reader import Reader
from hwr.samples.cheque import choose_cheque, front_sheet
from hwr.samples.fonts import Face
from hwr.samples.scanner import scan as scanned

ODD = 901


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_model(tmp_path_factory.mktemp("model") / "small.safetensors")


@pytest.fixture
def document(tmp_path: Path) -> Path:
    path = tmp_path / "three.tif"
    path.write_bytes(tiff([draw_lines(1), draw_lines(1, width=ODD), draw_lines(2)]))
    return path


@pytest.mark.parametrize(
    ("error", "code"), [(ZeroDivisionError(), "PageFailed"), (TooManyLines(), "TooManyLines")]
)
def test_a_page_fails_alone(model: Path, document: Path, error: Exception, code: str) -> None:
    def find(image: NDArray[np.uint8]) -> tuple[Line, ...]:
        if image.shape[1] == ODD:
            raise error
        return find_lines(image)

    with Reader(model=model, line_finder=find) as reader:
        reading = reader.read(document)
    assert reading.state == "done_with_errors"
    assert [page.error and page.error.code for page in reading.pages] == [None, code, None]
    assert [len(page.lines) for page in reading.pages] == [1, 0, 2]


def test_a_document_whose_pages_all_failed_says_why(model: Path, document: Path) -> None:
    def find(_: NDArray[np.uint8]) -> tuple[Line, ...]:
        raise TooManyLines

    with Reader(model=model, line_finder=find) as reader:
        reading = reader.read(document)
    message = f"All 3 pages failed, the first because: {TooManyLines()}"
    assert reading.error == Failure(code="TooManyLines", message=message)
    assert reading.state == "failed"


def test_what_is_not_the_pages_fault_is_not_blamed_on_it(model: Path, document: Path) -> None:
    def find(_: NDArray[np.uint8]) -> tuple[Line, ...]:
        raise HwrError("poppler was not found")

    with Reader(model=model, line_finder=find) as reader, pytest.raises(HwrError, match="poppler"):
        reader.read(document)


def test_what_is_read_with_too_little_confidence_needs_review(model: Path, document: Path) -> None:
    told = []
    for threshold in (0.0, 1.0):
        with Reader(model=model, review_below=threshold) as reader:
            reading = reader.read(document)
            assert reading.reader["review_below"] == f"{threshold:g}"
            assert reading.reader["calibration"] == "none"
        told += [{line.needs_review for page in reading.pages for line in page.lines}]
    assert told == [{False}, {True}]


def test_confidence_follows_the_scales_beside_the_model(
    model: Path, document: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "copy.safetensors"
    copy.write_bytes(model.read_bytes())
    scale = ConfidenceScale(line=LineScale(network=0.0, offset=math.log(3)))
    add_scale(scales_path(copy), load_model(copy).hash, "best-path", scale)
    with Reader(model=copy, decoder="best-path") as reader:
        reading = reader.read(document)
    assert reading.reader["calibration"] != "none"
    told = [line.confidence for page in reading.pages for line in page.lines]
    assert told == [pytest.approx(0.75)] * len(told)
    assert told


def test_cheques_on_one_glass_are_read_each_by_itself(model: Path, tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    fronts = [front_sheet(choose_cheque(rng, face), rng, pattern=False) for face in list(Face)[:2]]
    scan, _ = on_glass(fronts, rng)
    alone = scanned(front_sheet(choose_cheque(rng, Face.SHADOWS), rng, pattern=False), 1).picture
    path = tmp_path / "scans.tif"
    path.write_bytes(tiff([Image.fromarray(alone), Image.fromarray(scan)]))
    with Reader(model=model, profile=load_profile("cheque")) as reader:
        one, two = reader.read(path).to_json()["pages"]
    assert [zone["sheet"] for zone in two["zones"]] == [1] * 7 + [2] * 7
    for sheet in (1, 2):
        names = {line["zone"] for line in two["lines"] if line["sheet"] == sheet}
        assert names >= {"date", "payee", "courtesy amount", "legal amount"}
    assert [line["order"] for line in two["lines"]] == list(range(len(two["lines"])))
    assert len(one["zones"]) == 7
    assert not any("sheet" in part for part in (*one["lines"], *one["zones"]))


PROFILE = """
review_below = 0.25
[[pages]]
numbers = "1"
zones = [
    { name = "total", box = [0, 0, 1, 1], holds = "digits" },
]
[[pages]]
numbers = "2"
zones = [{ name = "seal", box = [0, 0, 1, 1], holds = "nothing" }]
[[pages]]
numbers = "3"
zones = [{ name = "subject", box = [0, 0, 1, 1], holds = "lexicon:words.txt" }]
"""


def test_lines_are_decoded_as_their_zones_say(model: Path, document: Path, tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_text("zebra\nalgebra\n")
    (tmp_path / "form.toml").write_text(PROFILE)
    profile = open_profile(str(tmp_path / "form.toml"))
    with Reader(model=model, profile=profile) as reader:
        reading = reader.read(document)
    first, second, third = reading.pages
    assert reading.reader["profile"] == f"form {profile.hash}"
    assert reading.reader["review_below"] == "0.25"
    (total,) = first.lines
    assert (total.zone, set(total.text) - set("0123456789 ")) == ("total", set())
    assert [zone.name for zone in first.zones] == ["total"]
    assert ([zone.name for zone in second.zones], second.lines) == (["seal"], ())
    assert {line.zone for line in third.lines} == {"subject"}
    words = {word.lower() for line in third.lines for word in line.text.split()}
    assert words <= {"zebra", "algebra"}
    told = [line.needs_review for page in reading.pages for line in page.lines]
    sure = [line.confidence >= 0.25 for page in reading.pages for line in page.lines]
    assert told == [not one for one in sure]


def test_a_zone_that_cannot_be_decoded_costs_its_own_lines(
    model: Path, document: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "words.txt").write_text("zebra\n")
    (tmp_path / "form.toml").write_text(PROFILE)
    profile = open_profile(str(tmp_path / "form.toml"))
    (tmp_path / "words.txt").unlink()
    with Reader(model=model, profile=profile) as reader:
        reading = reader.read(document)
    assert reading.state == "done_with_errors"
    refused = {
        (line.error.code, line.error.message) for line in reading.pages[2].lines if line.error
    }
    assert len(refused) == 1
    code, message = refused.pop()
    assert code == "LineFailed"
    assert "lexicon:words.txt" in message
    assert str(tmp_path) not in message, "tenants see it"
    assert str(tmp_path) in caplog.text
    assert [line.error for line in reading.pages[0].lines] == [None]


def test_a_list_that_was_changed_takes_the_place_of_the_old_one(
    model: Path, tmp_path: Path
) -> None:
    words = tmp_path / "words.txt"
    words.write_text("zebra\n")
    decodings = Decodings(load_model(model), "best-path", None)
    first = decodings.named(f"lexicon:{words}")
    assert decodings.named(f"lexicon:{words}") is first
    old = weakref.ref(first.decoder)
    words.write_text("algebra\n")
    os.utime(words, ns=(0, 0))
    assert decodings.named(f"lexicon:{words}").decoder.identity != first.decoder.identity
    del first
    gc.collect()
    assert old() is None, "a reader that runs for months would keep every list it ever had"


def test_free_text_is_what_a_reader_without_a_profile_reads(model: Path, document: Path) -> None:
    with Reader(model=model) as one, Reader(model=model, profile=load_profile("page")) as other:
        assert one.read(document) == other.read(document)


class NoNumbers:
    """Answers a line that begins black with what is no number, and any other with blanks."""

    identity = "no numbers"
    columns = 16_384

    def logits(self, batch: LineBatch) -> Logits:
        lengths = batch.widths // WIDTH_STEP
        values = np.zeros((len(lengths), int(lengths.max()), 3), np.float32)
        values[batch.images[:, 0, 0] == 0] = np.nan
        return Logits(values=values, lengths=lengths)

    def warm_up(self) -> None:
        """Nothing."""


def test_a_line_that_was_normalised_is_not_normalised_again(model: Path) -> None:
    # Of every grey as much; the paper added on its right moves what counts as ink.
    grey = np.linspace(0, 255, 64 * 9).astype(np.uint8).reshape(64, 9)
    once = normalise_line(grey)
    assert not np.array_equal(once, normalise_line(once))
    with Reader(model=model) as reader:
        assert reader.read_normalised([once]) == reader.read_lines([grey])
        assert reader.read_lines([once]) != reader.read_lines([grey])


def test_a_line_that_the_engine_answers_without_numbers_fails_alone() -> None:
    batcher = Batcher(reading_work(NoNumbers(), BestPathDecoder(Alphabet("ab"))))
    promises = [batcher.submit(np.full((64, 64), grey, np.uint8)) for grey in (255, 0, 255)]
    errors = [promise.exception(10) for promise in promises]
    batcher.close()
    assert [type(error) for error in errors] == [type(None), LineFailed, type(None)]
