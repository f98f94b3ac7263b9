"""Lines cut from pages by PAGE and ALTO XML. Pages and XML are drawn here."""

import logging
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwr.errors import TrainingDataError
from hwr.training.datasets import alto, page_xml, read_folder
from hwr.training.datasets.marked_pages import outlined, read_page
from hwr.training.datasets.markup import MarkedLine, parse
from hwr.training.datasets.records import LeftOut
from hwr.training.samples import Grey, LineSample

PAPER, INK = 200, 20
#: Width and height of the drawn page.
SIZE = (600, 300)
#: The line of writing, and beside it black ink inside its box but outside its outline.
OUTLINE = ((100, 50), (400, 80), (400, 130), (100, 100))
POINTS = " ".join(f"{x},{y}" for x, y in OUTLINE)
BASE = "100,90 400,120"

PAGE = """<?xml version="1.0" encoding="UTF-8"?>
<PcGts xmlns="http://schema.primaresearch.org/PAGE/gts/pagecontent/{year}-07-15">
 <Page imageFilename="{image}" imageWidth="600" imageHeight="300">
  <TextRegion id="r"><Coords points="0,0 600,0 600,300 0,300"/>{lines}
   <TextEquiv><Unicode>the region's text is no line's</Unicode></TextEquiv>
  </TextRegion></Page></PcGts>"""
TEXT = "<TextEquiv><Unicode>{}</Unicode></TextEquiv>"

ALTO = """<?xml version="1.0" encoding="UTF-8"?>
<alto xmlns="http://www.loc.gov/standards/alto/ns-v{version}#">
 <Description><MeasurementUnit>{unit}</MeasurementUnit>
  <sourceImageInformation><fileName>{image}</fileName></sourceImageInformation></Description>
 <Layout><Page ID="p" PHYSICAL_IMG_NR="1" WIDTH="{width}" HEIGHT="{height}"><PrintSpace>
  <ComposedBlock><TextBlock ID="b">{lines}</TextBlock></ComposedBlock>
 </PrintSpace></Page></Layout></alto>"""


def page_line(text: str = TEXT.format("said"), points: str = POINTS, name: str = "l1") -> str:
    return (
        f'<TextLine id="{name}"><Coords points="{points}"/><Baseline points="{BASE}"/>{text}'
        "</TextLine>"
    )


def page(*lines: str, image: str = "p.png", year: int = 2019) -> str:
    return PAGE.format(year=year, image=image, lines="".join(lines))


def alto_page(
    *lines: str, unit: str = "pixel", image: str = "p.png", size: Sequence[object] = SIZE
) -> str:
    return ALTO.format(
        version=4, unit=unit, image=image, width=size[0], height=size[1], lines="".join(lines)
    )


def draw(place: Path, shape: tuple[int, int] = SIZE) -> None:
    image = np.full(shape[::-1], PAPER, np.uint8)
    scale = shape[0] / SIZE[0]
    start, end = (tuple(int(c * scale) for c in point) for point in ((110, 75), (390, 105)))
    cv2.line(image, start, end, INK, 6)
    cv2.circle(image, (int(380 * scale), int(60 * scale)), int(8 * scale), 0, -1)
    place.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(place), image)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    draw(tmp_path / "p.png")
    return tmp_path


def only(data: Path) -> LineSample:
    (sample,) = read_folder(data, "train")
    return sample


def assert_is_the_line(image: Grey) -> None:
    """The level stroke is there; the disc above the outline is paper; heights are kept."""
    assert image.shape[1] == pytest.approx(300 * image.shape[0] / 52, rel=0.1)
    dark = np.nonzero(image < 100)
    assert np.ptp(dark[1]) > 0.8 * image.shape[1]
    assert np.ptp(dark[0]) < 0.3 * image.shape[0]
    assert abs(int(np.median(image)) - PAPER) < 4
    assert image[:5].min() > PAPER - 40


@pytest.mark.parametrize("year", [2013, 2017, 2019])
def test_page_xml_gives_a_line_cut_by_its_outline(data: Path, year: int) -> None:
    (data / "p.xml").write_text(page(page_line(), year=year))
    sample = only(data)
    assert (sample.text, sample.name, sample.writer) == ("said", "p.xml, l1", "p")
    assert_is_the_line(sample.load())


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("P.XML", str.encode),
        ("p.xml", lambda text: text.replace("UTF-8", "UTF-16").encode("utf-16")),
        (
            "p.xml",
            lambda text: (
                re.sub("(</?)(?=[A-Z])", r"\1pc-2:", text).replace("xmlns", "xmlns:pc-2").encode()
            ),
        ),
    ],
)
def test_page_xml_is_found_however_it_is_written(
    data: Path, name: str, change: Callable[[str], bytes]
) -> None:
    (data / name).write_bytes(change(page(page_line())))
    assert only(data).text == "said"


def test_alto_gives_a_line_cut_by_its_outline(data: Path) -> None:
    # eScriptorium writes points without commas.
    flat = POINTS.replace(",", " ")
    (data / "p.xml").write_text(
        alto_page(
            f'<TextLine ID="l1" BASELINE="{BASE.replace(",", " ")}" HPOS="1" VPOS="1" WIDTH="2"'
            f' HEIGHT="2"><Shape><Polygon POINTS="{flat}"/></Shape><String CONTENT="said"/>'
            "</TextLine>"
        )
    )
    sample = only(data)
    assert (sample.text, sample.name) == ("said", "p.xml, l1")
    assert_is_the_line(sample.load())


@pytest.mark.parametrize(("unit", "factor"), [("pixel", 1), ("mm10", 0.4), ("inch1200", 6)])
def test_alto_boxes_in_any_unit_are_found(data: Path, unit: str, factor: float) -> None:
    left, top, width, height = (factor * side for side in (90, 60, 320, 60))
    box = f'HPOS="{left}" VPOS="{top}" WIDTH="{width}" HEIGHT="{height}"'
    size = tuple(factor * side for side in SIZE)
    line = f'<TextLine {box} BASELINE="{factor * 110}"><String CONTENT="said"/></TextLine>'
    (data / "p.xml").write_text(alto_page(line, unit=unit, size=size))
    image = only(data).load()
    assert image.shape[1] / image.shape[0] == pytest.approx(320 / 60, rel=0.1)
    assert image.min() < 60


def test_alto_without_its_page_size_must_be_in_pixels(
    data: Path, caplog: pytest.LogCaptureFixture
) -> None:
    line = '<TextLine HPOS="1" VPOS="1" WIDTH="90" HEIGHT="30"><String CONTENT="x"/></TextLine>'
    (data / "p.xml").write_text(alto_page(line, unit="mm10", size=("", "")))
    assert read_folder(data, "train") == []
    assert "p.xml left out: it measures in mm10" in caplog.text
    (data / "p.xml").write_text(alto_page(line, size=("", "")))
    assert only(data).text == "x"


@pytest.mark.parametrize(
    ("inner", "said"),
    [
        ('<String CONTENT="one"/><SP/><String CONTENT="two"/><String CONTENT=","/>', "one two,"),
        ('<String CONTENT="one"/><String CONTENT="two"/>', "one two"),
        ('<String CONTENT="one"/><String CONTENT="hy"/><HYP CONTENT="-"/>', "one hy-"),
        ('<String CONTENT="a &amp; b"/>', "a & b"),
        ("<Shape/>", ""),
    ],
)
def test_alto_text(inner: str, said: str) -> None:
    assert alto.marked_line("l", parse(f"<TextLine>{inner}</TextLine>".encode())).text == said


def reading(text: str, **attributes: object) -> str:
    given = "".join(f' {name}="{value}"' for name, value in attributes.items())
    return f"<TextEquiv{given}><Unicode>{text}</Unicode></TextEquiv>"


@pytest.mark.parametrize(
    ("inner", "said"),
    [
        (reading("b", index=1) + reading("a", index=0), "a"),
        (reading("b", index=1, conf=1) + reading("a", index=0, conf=0.1), "a"),
        (reading("b", conf=0.2) + reading("a", conf=0.9), "a"),
        (reading("a") + reading("b"), "a"),
        (reading("a", index="odd") + reading("b", conf="odd"), "a"),
        (f"<Word>{reading('one')}</Word><Word>{reading('two')}</Word>", "one two"),
        (f"<Word>{reading('no')}</Word>{reading('yes')}", "yes"),
        ("<TextEquiv/>", ""),
    ],
)
def test_page_text(inner: str, said: str) -> None:
    assert page_xml.marked_line("l", parse(f"<TextLine>{inner}</TextLine>".encode())).text == said


# Pictures


@pytest.mark.parametrize(
    ("picture", "xml", "named"),
    [
        ("p.png", "p.xml", "https://files.example.org/scans/p.png"),
        ("p.png", "p.xml", "C:\\scans\\p.png"),
        ("p.png", "p.xml", ""),
        ("p.png", "p.xml", "p.tif"),
        ("scans/other.png", "p.xml", "scans/other.png"),
        # Transkribus puts the XML into a folder of its own.
        ("doc/p.png", "doc/page/p.xml", "p.png"),
    ],
)
def test_the_picture_is_found(tmp_path: Path, picture: str, xml: str, named: str) -> None:
    draw(tmp_path / picture)
    (tmp_path / xml).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / xml).write_text(page(page_line(), image=named))
    assert_is_the_line(only(tmp_path).load())


def test_a_folder_may_be_named_from_where_one_is(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (data / "p.xml").write_text(page(page_line()))
    monkeypatch.chdir(data.parent)
    assert_is_the_line(only(Path(data.name)).load())


def test_a_picture_at_another_resolution_is_cut_alike(tmp_path: Path) -> None:
    draw(tmp_path / "p.png", (1200, 600))
    (tmp_path / "p.xml").write_text(page(page_line()))
    assert_is_the_line(only(tmp_path).load())


@pytest.mark.parametrize("named", ["../p.png", "/etc/passwd", "a\tb", "x" * 5000])
def test_pictures_outside_are_not_read(
    tmp_path: Path, named: str, caplog: pytest.LogCaptureFixture
) -> None:
    draw(tmp_path / "p.png")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "q.xml").write_text(page(page_line(), image=named))
    assert read_folder(tmp_path / "data", "train") == []
    assert "q.xml left out: its picture" in caplog.text


# Broken records


def test_broken_lines_are_named_and_cost_no_neighbour(
    data: Path, caplog: pytest.LogCaptureFixture
) -> None:
    broken = {
        "without text": page_line("", name="n1"),
        "no outline": page_line(points="", name="n2"),
        "two points": page_line(points="1,1 50,50", name="n3"),
        "words": page_line(points="a,b 3,4 5,6", name="n4"),
        "half a point": page_line(points="1,2 3,4 5,6 7", name="n5"),
        "outside": page_line(points="900,900 1200,900 1200,950", name="n6"),
        "thin": page_line(points="10,10 400,10 400,12 10,12", name="n7"),
        "not a number": page_line(points="nan,1 4,1 4,8", name="n8"),
        "endless": page_line(points="1e999,1 4,1 4,8", name="n9"),
    }
    (data / "p.xml").write_text(page(page_line(), *broken.values()))
    assert only(data).text == "said"
    for number in range(1, 10):
        assert f"p.xml, n{number} left out: " in caplog.text
    assert "1 lines of train, 9 left out" in caplog.text


BOMB = (
    '<?xml version="1.0"?><!DOCTYPE PcGts [<!ENTITY a "lol">'
    + "".join(f'<!ENTITY {name} "{10 * f"&{before};"}">' for before, name in pairwise("abcdefghi"))
    + "]><PcGts><Page>&i;</Page></PcGts>"
)
OUTSIDE = (
    '<?xml version="1.0"?><!DOCTYPE PcGts [<!ENTITY x SYSTEM "file:///etc/hostname">]>'
    "<PcGts><Page>&x;</Page></PcGts>"
)


@pytest.mark.parametrize(
    ("xml", "why"),
    [
        (BOMB, "doctype"),
        (OUTSIDE, "doctype"),
        ('<!DOCTYPE PcGts SYSTEM "http://example.org/x.dtd"><PcGts><Page/></PcGts>', "doctype"),
        ("<PcGts><Page>&x;</Page></PcGts>", "no whole XML"),
        (page(page_line())[:-40], "no whole XML"),
        ("<PcGts></PcGts>", "0 pages"),
        ("<PcGts><Page/><Page/></PcGts>", "2 pages"),
        ("<?xml version='1.0' encoding='no-such'?><PcGts><Page/></PcGts>", "no whole XML"),
    ],
)
def test_hostile_and_damaged_files_are_named(
    data: Path, xml: str, why: str, caplog: pytest.LogCaptureFixture
) -> None:
    (data / "bad.xml").write_text(xml)
    (data / "p.xml").write_text(page(page_line()))
    assert only(data).text == "said"
    assert "bad.xml left out: it " in caplog.text
    assert why in caplog.text


def test_a_broken_picture_costs_only_its_page(data: Path, caplog: pytest.LogCaptureFixture) -> None:
    (data / "p.xml").write_text(page(page_line()))
    (data / "q.xml").write_text(page(page_line(), image="q.png"))
    (data / "q.png").write_bytes((data / "p.png").read_bytes()[:300])
    caplog.set_level(logging.INFO)
    assert {s.writer for split in ("train", "val") for s in read_folder(data, split)} == {"p"}
    assert "q.xml, l1 left out: " in caplog.text


def test_a_picture_of_other_proportions_is_refused(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    draw(tmp_path / "p.png", (300, 600))
    (tmp_path / "p.xml").write_text(page(page_line()))
    assert read_folder(tmp_path, "train") == []
    assert "another picture, or turned" in caplog.text


def test_a_line_that_runs_down_the_page_is_refused() -> None:
    line = MarkedLine(
        name="l",
        text="x",
        polygon=[(10, 10), (50, 10), (50, 250), (10, 250)],
        baseline=[(40, 10), (42, 250)],
    )
    with pytest.raises(TrainingDataError, match="up or down"):
        outlined(line, SIZE[::-1], np.ones(2))


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.tuples(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6)), max_size=8),
    st.lists(st.tuples(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6)), max_size=5),
)
def test_any_outline_ends_inside_the_page_or_is_refused(
    polygon: list[tuple[float, float]], baseline: list[tuple[float, float]]
) -> None:
    line = MarkedLine(name="l", text="x", polygon=polygon, baseline=baseline)
    try:
        found = outlined(line, SIZE[::-1], np.ones(2))
    except TrainingDataError:
        return
    for x, y in (*found.polygon, *found.baseline):
        assert 0 <= x < SIZE[0]
        assert 0 <= y < SIZE[1]


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_any_bytes_are_a_page_or_refused(data: bytes) -> None:
    for start in (b"", b"<PcGts><Page/>", b"<alto><Page>"):
        with suppress(TrainingDataError):
            read_page(start + data, LeftOut("set"), "x.xml")
