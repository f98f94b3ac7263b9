"""Lines drawn with fonts, and how the fonts are fetched; npm is a script of the test's own."""

import tarfile
from importlib.resources import files
from pathlib import Path
from random import Random

import numpy as np
import pytest

from hwr.errors import TrainingDataError
from hwr.training import fonts
from hwr.training.drawn import font_sample
from hwr.training.wording import Wording

FONT = Path(str(files("handwriting_generator"))) / "fonts" / "ShadowsIntoLight.ttf"


def test_a_font_draws_the_same_line_for_the_same_seed() -> None:
    one, other = font_sample(FONT, Wording(), 5), font_sample(FONT, Wording(), 5)
    assert one.text == other.text
    assert np.array_equal(one.load(), other.load())
    assert one.load().min() < 60


def test_words_without_ascenders_keep_the_room_of_a_line() -> None:
    low = fonts.draw_text(FONT, "suns", Random(1))
    tall = fonts.draw_text(FONT, "bldg", Random(1))
    assert low.shape[0] > 0.55 * tall.shape[0]


@pytest.mark.parametrize(("text", "can"), [("Hello you", True), ("Здра", False)])
def test_a_font_says_what_it_can_draw(text: str, can: bool) -> None:
    assert fonts.can_draw(FONT, text) is can


def test_fonts_are_fetched_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = _package(tmp_path, "caveat")
    _npm(tmp_path, monkeypatch, f'echo "$5" >> {tmp_path}/asked; cp {package} "$4"; echo font.tgz')
    monkeypatch.setattr(fonts, "FONTS", ["caveat"])
    kept = tmp_path / "kept"
    assert fonts.fetch_fonts(kept) == [kept / "caveat.woff2"] == fonts.fetch_fonts(kept)
    assert (tmp_path / "asked").read_text() == "@fontsource/caveat\n"
    assert [path.name for path in kept.iterdir()] == ["caveat.woff2"]


def test_a_registry_that_has_no_font_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _npm(tmp_path, monkeypatch, "exit 1")
    with pytest.raises(TrainingDataError, match="npm view"):
        fonts.fetch_fonts(tmp_path / "kept")


def test_a_damaged_package_is_named_and_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = _package(tmp_path, "caveat")
    package.write_bytes(package.read_bytes()[:2000])
    _npm(tmp_path, monkeypatch, f'cp {package} "$4"; echo font.tgz')
    monkeypatch.setattr(fonts, "FONTS", ["caveat"])
    with pytest.raises(TrainingDataError, match="font caveat came damaged"):
        fonts.fetch_fonts(tmp_path / "kept")
    assert not list((tmp_path / "kept").iterdir())


def test_an_npm_that_hangs_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _npm(tmp_path, monkeypatch, "exec sleep 60")
    monkeypatch.setattr("hwr.training.npm._TIMEOUT_S", 0.05)
    with pytest.raises(TrainingDataError, match=f"did not fetch @fontsource/{fonts.FONTS[0]}"):
        fonts.fetch_fonts(tmp_path / "kept")


def test_a_missing_npm_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(TrainingDataError, match="npm is needed"):
        fonts.fetch_fonts(tmp_path / "kept")


def _package(folder: Path, name: str) -> Path:
    path = folder / "font.tgz"
    with tarfile.open(path, "w:gz") as tar:
        tar.add(FONT, f"package/files/{name}-latin-400-normal.woff2")
    return path


def _npm(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    npm = folder / "npm"
    npm.write_text(f"#!/bin/sh\n{script}\n")
    npm.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/bin:/usr/bin")
