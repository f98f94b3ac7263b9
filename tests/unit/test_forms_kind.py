"""Fronts and backs of a stack are told by what is printed on them, whatever their numbers."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from document_files import tiff
from glass import on_glass
from numpy.typing import NDArray
from PIL import Image

from hwr.documents import open_document
from hwr.errors import FormNotFound
from hwr.forms import lay_out, page_form
from hwr.profiles import PageForm, Profile, ZoneForm, load_profile
from hwr.profiles.profile import ProfileFile
from hwr.samples.cheque import cheque_back, choose_cheque, front_sheet
from hwr.samples.fonts import Face
from hwr.samples.scanner import scan
from workers.stages.pages import split_page

Grey = NDArray[np.uint8]
CHEQUE = load_profile("cheque")


def grey(picture: NDArray[np.uint8]) -> Grey:
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.uint8)


@pytest.fixture(scope="module")
def front() -> Grey:
    rng = np.random.default_rng(5)
    sheet = front_sheet(choose_cheque(rng, Face.SHADOWS), rng, pattern=True)
    return grey(scan(sheet, 1, speckles=30).picture)


@pytest.fixture(scope="module")
def back() -> Grey:
    rng = np.random.default_rng(5)
    return grey(cheque_back(choose_cheque(rng, Face.SHADOWS), rng).picture)


def kind(image: Grey, number: int, profile: Profile = CHEQUE) -> str:
    return page_form(image, profile, number).name


@pytest.mark.parametrize("number", [1, 2])
def test_a_front_is_one_on_every_page(front: Grey, number: int) -> None:
    assert kind(front, number) == "front"
    assert kind(np.ascontiguousarray(np.rot90(front, 2)), number) == "front"


@pytest.mark.parametrize("through", [0.0, 0.3, 0.5])
def test_a_back_is_none_also_where_its_front_shows_through(
    front: Grey, back: Grey, through: float
) -> None:
    high, wide = (min(one, other) for one, other in zip(front.shape, back.shape, strict=True))
    mirrored = cv2.GaussianBlur(np.ascontiguousarray(front[:high, :wide][:, ::-1]), (0, 0), 1.5)
    shining = through * np.maximum(np.percentile(mirrored, 90) - mirrored, 0)
    image = np.clip(back[:high, :wide] - shining, 0, 255).astype(np.uint8)
    assert kind(image, 2) == "back"
    assert kind(np.ascontiguousarray(image[::-1, ::-1]), 2) == "back"


def test_a_back_that_its_number_says_is_a_front_is_told(front: Grey, back: Grey) -> None:
    warned = lay_out(back, page_form(back, CHEQUE, 1), lambda _: ()).warning
    assert isinstance(warned, FormNotFound)
    assert "its back" in str(warned)
    assert lay_out(front, page_form(front, CHEQUE, 1), lambda _: ()).warning is None


def test_fronts_beside_each_other_are_fronts_on_every_page() -> None:
    rng = np.random.default_rng(11)
    sheets = [
        front_sheet(choose_cheque(rng, Face.SHADOWS), rng, pattern=bool(at % 2)) for at in range(3)
    ]
    image, _ = on_glass(sheets, rng)
    assert kind(image, 2) == "front"
    assert kind(np.full_like(image, 250), 2) == "back"


def test_a_stack_of_fronts_is_split_as_fronts(front: Grey, back: Grey, tmp_path: Path) -> None:
    path = tmp_path / "stack.tif"
    path.write_bytes(tiff([Image.fromarray(page) for page in (front, front, back, back)]))
    with open_document(path) as document:
        pages = [split_page(document, number, CHEQUE, 60) for number in (2, 4)]
    assert [page.zones and page.zones[0]["name"] for page in pages] == ["date", "endorsement"]


def test_a_template_is_looked_for_on_every_page(tmp_path: Path) -> None:
    blank = np.full((900, 1200), 250, np.uint8)
    for at, text in enumerate(("Application for leave", "Surname, given names", "Days", "Sign")):
        cv2.putText(blank, text, (80, 120 + 200 * at), cv2.FONT_HERSHEY_TRIPLEX, 1.3, 40, 2)
        cv2.line(blank, (80, 180 + 200 * at), (1120, 180 + 200 * at), 60, 2)
    path = tmp_path / "blank.png"
    assert cv2.imwrite(str(path), blank)
    zone = ZoneForm(name="total", box=(0.1, 0.1, 0.4, 0.2))
    first = PageForm(name="first", numbers="1", template=path, wherever_found=True, zones=(zone,))
    pages = (first, PageForm(name="other", zones=(zone,)))
    profile = Profile(name="leave", hash="", content=ProfileFile(pages=pages))
    assert kind(blank, 4, profile) == "first"
    assert kind(np.full_like(blank, 250), 4, profile) == "other"


def test_a_form_is_not_looked_for_where_pages_are_of_one_kind(
    front: Grey, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unwanted(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr("hwr.forms.kind.placed_form", unwanted)
    assert kind(front, 1) == "front"
    assert kind(front, 2, load_profile("exam")) == "others"
