"""Line images in files: which are taken, in what order, and what the table says of them."""

from concurrent.futures import Future
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from hwr.decoding.reading import LineReading
from hwr.documents import Limits
from hwr.errors import BadLineImage, LineFailed
from hwr.line_picture import views_of
from workers import line_files
from workers.line_files import find_images, read_images, row


class PromptReader:
    """Reads the width of the image, at once."""

    def submit(self, image: np.ndarray[Any, Any]) -> "Future[LineReading]":
        future: Future[LineReading] = Future()
        future.set_result(LineReading(text=str(image.shape[1]), confidence=1.0))
        return future


def draw(path: Path, width: int = 128) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.effect_noise((width, 64), 80).save(path)
    return path


def test_a_folder_gives_its_images_in_order_and_nothing_else(tmp_path: Path) -> None:
    for name in ("b.PNG", "a.jpg", "c/d.tiff", "truth.txt", "c/notes"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    (tmp_path / "e.png").mkdir()
    (tmp_path / "loop").symlink_to(tmp_path)
    found = [str(path.relative_to(tmp_path)) for path in find_images([tmp_path])]
    assert found == ["a.jpg", "b.PNG", "c/d.tiff"]


def test_a_file_is_taken_whatever_its_name(tmp_path: Path) -> None:
    assert list(find_images([tmp_path / "line.scan"])) == [tmp_path / "line.scan"]


def test_readings_come_in_the_order_of_the_images(tmp_path: Path) -> None:
    paths = [draw(tmp_path / f"{width}.png", width) for width in (160, 128, 192)]
    readings = list(read_images(PromptReader(), paths))  # type: ignore[arg-type]
    assert [path for path, _ in readings] == paths
    assert [reading.text for _, reading in readings] == ["160", "128", "192"]  # type: ignore[union-attr]


def test_a_bad_image_fails_alone(tmp_path: Path) -> None:
    good, bad = draw(tmp_path / "good.png"), tmp_path / "bad.png"
    bad.write_bytes(b"no picture")
    pages = tmp_path / "pages.tif"
    Image.new("L", (99, 99)).save(pages, save_all=True, append_images=[Image.new("L", (9, 9))])
    readings = dict(read_images(PromptReader(), [bad, good, pages]))  # type: ignore[arg-type]
    assert isinstance(readings[good], LineReading)
    assert type(readings[bad]).__name__ == "UnsupportedFormat"
    assert isinstance(readings[pages], BadLineImage)


@pytest.mark.parametrize("size", [(400, 10), (9, 16), (4, 4), (10_007, 50)])
def test_line_images_have_limits_of_their_own(tmp_path: Path, size: tuple[int, int]) -> None:
    Image.effect_noise(size, 80).save(tmp_path / "line.png")
    [(_, reading)] = read_images(PromptReader(), [tmp_path / "line.png"])  # type: ignore[arg-type]
    assert isinstance(reading, LineReading)


@pytest.mark.parametrize(("size", "said"), [((90, 3), "less than 4"), ((401, 40), "more than 400")])
def test_a_line_image_beyond_limits_is_refused_as_such(
    tmp_path: Path, size: tuple[int, int], said: str
) -> None:
    Image.new("L", size).save(tmp_path / "line.png")
    [(_, refusal)] = read_images(
        PromptReader(),  # type: ignore[arg-type]
        [tmp_path / "line.png"],
        Limits(max_side=100),
    )
    assert isinstance(refusal, BadLineImage)
    assert "line's picture" in str(refusal)
    assert said in str(refusal)


def test_few_images_are_in_memory_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line_files, "_AHEAD", 3)
    paths = iter([draw(tmp_path / "line.png")] * 100)
    readings = read_images(PromptReader(), paths)  # type: ignore[arg-type]
    next(readings)
    assert len(list(paths)) == 97
    assert len(list(readings)) == 2


def test_rows_cannot_break_the_table() -> None:
    path = Path("a\tb\nc\r.png")
    reading = LineReading(text="x\ty\nz\u2028!", confidence=0.98765)
    assert row(path, reading) == "a b c .png\tx y z !\t0.9877\n"


def test_a_failed_image_has_a_row_without_text() -> None:
    assert row(Path("a.png"), LineFailed()) == "a.png\t\t0.0000\n"


class SurerOfWide:
    """Reads the width of the image, and is the surer the wider it is."""

    def submit(self, image: np.ndarray[Any, Any]) -> "Future[LineReading]":
        future: Future[LineReading] = Future()
        width = image.shape[1]
        future.set_result(LineReading(text=str(width), confidence=width / 10_000))
        return future


def test_of_a_picture_with_much_paper_the_surer_reading_is_taken(tmp_path: Path) -> None:
    picture = Image.new("L", (300, 160), 255)
    picture.paste(Image.effect_noise((200, 40), 80), (50, 60))
    picture.save(tmp_path / "line.png")
    whole, cut = views_of(np.asarray(picture))
    [(_, reading)] = read_images(SurerOfWide(), [tmp_path / "line.png"])  # type: ignore[arg-type]
    assert isinstance(reading, LineReading)
    assert reading.text == str(max(whole.shape[1], cut.shape[1]))
    assert cut.shape[1] > whole.shape[1]
