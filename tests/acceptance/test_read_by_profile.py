"""Profiles as a user has them: chosen by name or file, tuned by looking, read by the service."""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image
from running import hwr, run_up, wait_for

from hwr.model.weights import SHIPPED

ALL_READ, SOME_FAILED = 0, 1

FORM = """
[[pages]]
size_mm = [200, 80]
zones = [
    { name = "total", box = [110, 8, 190, 24], find = "box", holds = "digits" },
    { name = "payee", box = [10, 32, 190, 50], find = "rule" },
    { name = "seal", box = [10, 60, 60, 78], holds = "nothing" },
]
"""

SLIP = """
review_below = 0.9
[[pages]]
zones = [
    { name = "figures", holds = "amount", box = [0.6, 0, 1, 0.5] },
    { name = "words", holds = "amount-in-words", same_as = "figures", box = [0, 0.5, 1, 1] },
]
"""


@pytest.fixture(scope="module")
def profiles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a profile of one's own."""
    folder = tmp_path_factory.mktemp("profiles")
    (folder / "order.toml").write_text(FORM)
    return folder


@pytest.fixture(scope="module")
def order(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A form that is filled in: a box with a number, a rule with a name, a seal, and a label."""
    image = np.full((640, 1600), 250, np.uint8)
    cv2.rectangle(image, (900, 70), (1500, 190), 60, 2)
    cv2.line(image, (100, 380), (1500, 380), 60, 2)
    cv2.line(image, (60, 560), (560, 560), 60, 2)
    font = cv2.FONT_HERSHEY_SCRIPT_SIMPLEX
    for text, place in (
        ("Total", (680, 150)),
        ("4711", (960, 150)),
        ("Miller and sons", (160, 365)),
        ("Seal here", (120, 550)),
    ):
        cv2.putText(image, text, place, font, 2, 30, 4, cv2.LINE_AA)
    path = tmp_path_factory.mktemp("forms") / "order.png"
    assert cv2.imwrite(str(path), image)
    return path


def zones_of(result: dict[str, Any]) -> list[str | None]:
    (page,) = result["pages"]
    return [line["zone"] for line in page["lines"]]


def test_layout_draws_the_zones_and_tells_where_they_are(
    order: Path, profiles: Path, tmp_path: Path
) -> None:
    done = hwr("layout", order, "--profile", profiles / "order.toml", "--out", tmp_path)
    assert done.returncode == ALL_READ, done.stderr
    head, columns, *rows = (row.split() for row in done.stdout.splitlines())
    assert head[:2] == ["page", "1:"]
    assert columns[0] == "zone"
    assert [row[:4] for row in rows] == [
        ["total", "box", "digits", "1"],
        ["payee", "rule", "text", "1"],
        ["seal", "sheet", "nothing", "0"],
    ]
    with Image.open(tmp_path / "order-1.png") as picture:
        assert picture.size == (1600, 640)
        assert np.ptp(np.asarray(picture).astype(int), axis=2).max() > 60


def test_layout_without_a_profile_shows_the_lines(order: Path, tmp_path: Path) -> None:
    done = hwr("layout", order, cwd=tmp_path)
    assert done.returncode == ALL_READ, done.stderr
    assert "(outside)" in done.stdout
    assert (tmp_path / "layout" / "order-1.png").exists()


def test_layout_names_what_it_cannot_open(tmp_path: Path) -> None:
    bad = tmp_path / "notes.pdf"
    bad.write_text("just some text")
    done = hwr("layout", bad, cwd=tmp_path)
    assert done.returncode == SOME_FAILED
    assert done.stderr.startswith("notes.pdf: UnsupportedFormat: ")


def test_read_gives_each_line_its_zone(order: Path, profiles: Path, model: Path) -> None:
    options = ("--profile", "order", "--format", "json")
    done = hwr("read", order, *options, model=model, HWR_PROFILES=str(profiles))
    assert done.returncode == ALL_READ, done.stderr
    result = json.loads(done.stdout)
    assert zones_of(result) == ["total", "payee"]
    assert result["reader"]["profile"].startswith("order ")
    (page,) = result["pages"]
    assert [zone["name"] for zone in page["zones"]] == ["total", "payee", "seal"]
    assert set(page["lines"][0]["text"]) <= set("0123456789 ")
    text = hwr("read", order, "--profile", profiles / "order.toml", model=model)
    assert [row.split(":")[0] for row in text.stdout.splitlines()] == ["total", "payee"]


def test_an_unknown_profile_is_told_the_known_ones(order: Path, profiles: Path) -> None:
    for command in ("read", "layout"):
        done = hwr(command, order, "--profile", "check", HWR_PROFILES=str(profiles))
        assert done.returncode == SOME_FAILED
        assert done.stderr.startswith("UnknownProfile: There is no profile 'check'")
        assert "cheque, exam, order, page" in done.stderr


def test_a_broken_profile_is_named_with_its_key(order: Path, tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(FORM.replace("digits", "money"))
    done = hwr("read", order, "--profile", path)
    assert done.returncode == SOME_FAILED
    assert done.stderr.startswith("ProfileError: mine.toml: pages[1].zones[1].holds: ")


def slip(path: Path, figures: str, *words: str) -> Path:
    image = np.full((200 * (1 + len(words)), 1600), 250, np.uint8)
    rows = [(text, (100, 120 * row + len(image) // 2 + 120)) for row, text in enumerate(words)]
    for text, place in ((figures, (1100, 120)), *rows):
        cv2.putText(image, text, place, cv2.FONT_HERSHEY_SCRIPT_SIMPLEX, 2, 30, 4, cv2.LINE_AA)
    assert cv2.imwrite(str(path), image)
    return path


def test_two_amounts_are_compared(tmp_path: Path) -> None:
    (tmp_path / "slip.toml").write_text(SLIP)
    slips = (
        slip(tmp_path / "same.png", "42.50", "Forty-two and 50/100"),
        slip(tmp_path / "rows.png", "42.50", "Forty-two", "and 50/100"),
        slip(tmp_path / "other.png", "93.50", "Forty-two and 50/100"),
    )
    settings = {"HWR_PROFILES": str(tmp_path)}
    done = hwr("read", *slips, "--profile", "slip", "--format", "json", **settings)
    assert done.returncode == SOME_FAILED
    assert "other.png, page 1: AmountsDiffer: " in done.stderr
    same, rows, other = pages = [json.loads(row)["pages"][0] for row in done.stdout.splitlines()]
    said = [[line["text"] for line in page["lines"]] for page in pages]
    words = "Forty-two and 50/100"
    assert said == [["42.50", words], ["42.50", words], ["93.50", words]]
    assert not same["warning"]
    assert not rows["warning"]
    assert not any(line["needs_review"] for page in (same, rows) for line in page["lines"])
    assert other["warning"]["code"] == "AmountsDiffer"
    assert all(line["needs_review"] for line in other["lines"])
    with run_up(tmp_path, SHIPPED, **settings) as up:
        job = hwr("submit", *slips, "--profile", "slip", "--url", up.url).stdout.strip()
        wait_for(lambda: f"{job}  done" in hwr("status", job, "--url", up.url).stdout, up.logs)
        served = hwr("results", job, "--format", "json", "--url", up.url)
    assert served.returncode == SOME_FAILED
    by_service = [json.loads(row)["pages"][0] for row in served.stdout.splitlines()]
    keys = "text", "needs_review", "confidence"
    assert [page["warning"] for page in by_service] == [page["warning"] for page in pages]
    assert [[[line[key] for key in keys] for line in page["lines"]] for page in by_service] == [
        [[line[key] for key in keys] for line in page["lines"]] for page in pages
    ]


def test_the_service_reads_by_the_profile_that_a_job_names(
    order: Path, profiles: Path, model: Path, tmp_path: Path
) -> None:
    with run_up(tmp_path, model, HWR_PROFILES=str(profiles)) as up:
        done = hwr("submit", order, "--profile", "order", "--wait", "--url", up.url)
        assert done.returncode == ALL_READ, done.stderr + up.logs()
        local = hwr("read", order, "--profile", "order", model=model, HWR_PROFILES=str(profiles))
        assert done.stdout == local.stdout
        assert [row.split(":")[0] for row in done.stdout.splitlines()] == ["total", "payee"]
        refused = hwr("submit", order, "--profile", "check", "--url", up.url)
        assert refused.returncode == SOME_FAILED
        assert refused.stderr.startswith("UnknownProfile: There is no profile 'check'")
        assert "cheque, exam, order, page" in refused.stderr
