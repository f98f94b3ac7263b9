"""The demo's own part: what it prints, draws and measures of a result."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from rich.console import Console

from hwr.samples import Kind, Truth, TruthLine, TruthPage
from workers.demo_run import Input, main, overlays, rates_of, show
from workers.demo_service import line_watcher

BOX = ((20, 40), (180, 40), (180, 70), (20, 70))


def line(order: int, text: str) -> dict[str, Any]:
    return {
        "order": order,
        "text": text,
        "confidence": 0.875,
        "polygon": [list(corner) for corner in BOX],
        "baseline": [[20, 65], [180, 65]],
        "zone": None,
        "error": None,
    }


def page(number: int, *texts: str, error: dict[str, str] | None = None) -> dict[str, Any]:
    lines = [line(order, text) for order, text in enumerate(texts)]
    return {
        "number": number,
        "width": 200,
        "height": 100,
        "error": error,
        "lines": lines,
        "zones": [],
    }


def result(*pages: dict[str, Any], error: dict[str, str] | None = None) -> dict[str, Any]:
    state = "failed" if error else "done"
    return {"name": "a.png", "state": state, "error": error, "reader": {}, "pages": list(pages)}


@pytest.fixture
def truth(tmp_path: Path) -> Path:
    lines = tuple(
        TruthLine(order=order, text=text, polygon=BOX, kind=Kind.HANDWRITING)
        for order, text in enumerate(("Date", "1 May"))
    )
    second = TruthPage(number=2, width=200, height=100, lines=lines[:1])
    first = TruthPage(number=1, width=200, height=100, lines=lines)
    path = tmp_path / "a.truth.json"
    Truth(file="a.png", dpi=200, seed=1, pages=(first, second)).save(path)
    return path


def printed(given: Input, read: dict[str, Any]) -> str:
    console = Console(width=120, highlight=False)
    with console.capture() as capture:
        show(given, read, console)
    return capture.get()


def test_a_perfect_reading_has_no_errors_however_its_rows_are_cut(truth: Path) -> None:
    assert rates_of(truth, result(page(1, "Date 1 May"), page(2, "Date"))).cer == 0
    assert rates_of(truth, result(page(1, "Date", "1 May"), page(2, "Date"))).cer == 0


def test_a_wrong_letter_and_a_missing_page_count_as_errors(truth: Path) -> None:
    # "Date 1 May" and "Date": 14 characters; one is wrong, and 4 were not read.
    assert rates_of(truth, result(page(1, "Dale 1 May"))).cer == pytest.approx(5 / 14)


def test_samples_are_called_synthetic_and_files_of_the_user_are_not(truth: Path) -> None:
    read = result(page(1, "Date 1 May"), page(2, "Date"))
    said = printed(Input(path=Path("a.png"), truth_path=truth), read)
    assert "synthetic, character error rate against its truth 0.0%" in said
    assert "synthetic" not in printed(Input(path=Path("a.png")), read)


def test_lines_stand_with_page_order_and_confidence() -> None:
    said = printed(Input(path=Path("a.png")), result(page(3, "one", "[red]two")))
    rows = [row.split() for row in said.splitlines()]
    assert ["3", "1", "0.88", "one"] in rows
    assert ["3", "2", "0.88", "[red]two"] in rows


def test_zones_are_told_by_name_and_measured_alone(tmp_path: Path) -> None:
    lines = tuple(
        TruthLine(order=order, text=text, polygon=BOX, kind=Kind.HANDWRITING, zone=zone)
        for order, (text, zone) in enumerate(
            (("Date", None), ("1 May", "date"), ("A. Hand", "signature"))
        )
    )
    path = tmp_path / "a.truth.json"
    truth_page = TruthPage(number=1, width=200, height=100, lines=lines)
    Truth(file="a.png", dpi=200, seed=1, pages=(truth_page,)).save(path)
    read = page(1, "1 Mai")
    read["lines"][0]["zone"] = "date"
    read["zones"] = [{"name": "date", "polygon": [list(xy) for xy in BOX], "found": "rule"}]
    # One of the five characters in the zone is wrong; the label and the signature do not count.
    assert rates_of(path, result(read)).cer == pytest.approx(1 / 5)
    said = printed(Input(path=Path("a.png"), truth_path=path), result(read))
    assert "against its truth in its zones 20.0%" in said
    assert ["1", "1", "date", "0.88", "1", "Mai"] in [row.split() for row in said.splitlines()]


def test_what_was_not_read_is_told() -> None:
    damaged = {"code": "DamagedPage", "message": "Scan this page again."}
    said = printed(Input(path=Path("a.png")), result(page(1, "one"), page(2, error=damaged)))
    assert "a.png, page 2: DamagedPage: Scan this page again." in said


def test_overlays_show_the_page_with_its_lines(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Image.new("L", (200, 100), 255).save(path)
    ((number, picture),) = overlays(path, result(page(1, "one")))
    assert (number, picture.size) == (1, (200, 100))
    # The outline is coloured, the blank page was not.
    pixels = np.asarray(picture).astype(int)
    assert (pixels.max(axis=2) - pixels.min(axis=2)).max() > 50


def test_pages_that_were_refused_have_no_overlay(tmp_path: Path) -> None:
    refused = {"code": "DamagedPage", "message": "Scan this page again."}
    path = tmp_path / "a.png"
    path.write_bytes(b"no picture at all")
    assert list(overlays(path, result(page(1, error=refused)))) == []
    assert list(overlays(path, result(error=refused))) == []


def test_a_pipe_gets_one_line_a_document() -> None:
    console = Console(width=120)
    document = {"id": "7", "name": "a.png", "state": "running", "pages_done": 0, "page_count": 2}
    with console.capture() as capture:
        watch = line_watcher(console)
        watch({"documents": [document]})
        for _ in range(2):
            watch({"documents": [document | {"state": "done", "pages_done": 2}]})
    assert capture.get() == "a.png: done, 2 of 2 pages\n"


def test_a_file_that_is_not_there_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["nowhere/scan.pdf"])
    assert "there is no file nowhere/scan.pdf" in capsys.readouterr().err
