"""Lines drawn with handwriting fonts, which come from the npm registry at training time.

Every font is under the SIL Open Font License 1.1 or the Apache License 2.0; none is in this
repository. The model card lists them.
"""

import io
import tarfile
import zlib
from functools import cache
from pathlib import Path
from random import Random

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from hwr.errors import TrainingDataError
from hwr.training.npm import fetch_package
from hwr.training.samples import Grey

#: Package names in the npm scope @fontsource.
FONTS = (
    "annie-use-your-telescope bad-script caveat cedarville-cursive coming-soon covered-by-"
    " your-grace crafty-girls dancing-script dawning-of-a-new-day delius gaegu give-you-glory"
    " gloria-hallelujah gochi-hand handlee homemade-apple indie-flower just-another-hand just-"
    " me-again-down-here kalam kristi la-belle-aurore loved-by-the-king marck-script mali"
    " merienda mr-dafoe mrs-saint-delafield nanum-pen-script neucha nothing-you-could-do over-"
    " the-rainbow pangolin patrick-hand permanent-marker reenie-beanie rock-salt sacramento"
    " sedgwick-ave shadows-into-light short-stack sriracha sue-ellen-francisco swanky-and-moo-"
    " moo the-girl-next-door waiting-for-the-sunrise walter-turncoat zeyada playwrite-us-trad"
    " playwrite-us-modern playwrite-gb-s playwrite-fr-moderne playwrite-de-grund playwrite-it-"
    " moderna qwigley herr-von-muellerhoff mr-de-haviland monsieur-la-doulaise meddon allura"
).split()

_DRAW_SIZE = 56


def fetch_fonts(folder: Path) -> list[Path]:
    """Font files under `folder`, fetched with npm where they are not there yet.

    Raises:
        TrainingDataError: npm is missing, no font could be had, or one came damaged.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = [path for name in FONTS if (path := _fetch(folder, name)) is not None]
    if not paths:
        raise TrainingDataError(
            "No font could be fetched. Check that `npm view @fontsource/caveat` works."
        )
    return paths


def draw_text(path: Path, text: str, rng: Random) -> Grey:
    """`text` in black on white (h, w), each word shifted a little off the line."""
    font = _font(str(path))
    words, x = text.split(" "), 20.0
    width = int(font.getlength(text) * 1.3) + 80
    image = Image.new("L", (width, 3 * _DRAW_SIZE), 255)
    draw = ImageDraw.Draw(image)
    space = font.getlength(" ") * rng.uniform(0.8, 1.8) + 2
    for word in words:
        draw.text((x, 2 * _DRAW_SIZE + rng.gauss(0, 1.5)), word, fill=0, font=font, anchor="ls")
        x += font.getlength(word) + space * rng.uniform(0.7, 1.3)
    return _crop(np.asarray(image, np.uint8), rng)


def can_draw(path: Path, text: str) -> bool:
    """Whether the font has its own glyph for each character of `text`."""
    missing = _glyph(str(path), "\uffff")
    return all(c == " " or _glyph(str(path), c) != missing for c in set(text))


def _crop(image: Grey, rng: Random) -> Grey:
    rows = np.flatnonzero((image < 128).any(axis=1))
    columns = np.flatnonzero((image < 128).any(axis=0))
    if not len(rows):
        return image
    # A word without ascenders would fill the height: keep the room that a page's line has.
    core_top, core_bottom = 2 * _DRAW_SIZE - 34, 2 * _DRAW_SIZE + 10
    top = min(rows[0], core_top + rng.randint(-6, 10)) - rng.randint(1, 7)
    bottom = max(rows[-1], core_bottom + rng.randint(-8, 6)) + rng.randint(1, 7)
    return image[max(top, 0) : bottom, max(columns[0] - 8, 0) : columns[-1] + 9]


def _fetch(folder: Path, name: str) -> Path | None:
    target = folder / f"{name}.woff2"
    if target.exists():
        return target
    archive = fetch_package(folder, f"@fontsource/{name}")
    return _unpack(archive, target) if archive else None


def _unpack(archive: Path, target: Path) -> Path | None:
    wanted = f"package/files/{target.stem}-latin-400-normal.woff2"
    try:
        data = _member(archive, wanted)
    except (tarfile.TarError, zlib.error, OSError, EOFError) as error:
        raise TrainingDataError(
            f"The package of font {target.stem} came damaged ({error!r})."
            " Start again; it will be fetched again."
        ) from error
    finally:
        archive.unlink()
    if data is None:
        return None
    target.write_bytes(data)
    return target


def _member(archive: Path, name: str) -> bytes | None:
    with tarfile.open(archive) as tar:
        member = tar.extractfile(name) if name in tar.getnames() else None
        return member.read() if member else None


@cache
def _font(path: str) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(io.BytesIO(Path(path).read_bytes()), _DRAW_SIZE)


@cache
def _glyph(path: str, character: str) -> bytes:
    return bytes(_font(path).getmask(character))
