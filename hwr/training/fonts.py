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
from hwr.model.files import replacing
from hwr.training.npm import fetch_package
from hwr.training.samples import Grey

#: Package names in the npm scope @fontsource.
FONTS = (
    "allura annie-use-your-telescope architects-daughter bad-script beth-ellen bilbo "
    "bonheur-royale calligraffitti caramel caveat caveat-brush cedarville-cursive clicker-script "
    "coming-soon covered-by- crafty-girls damion dancing-script dawning-of-a-new-day dekko "
    "delicious-handrawn delius edu-au-vic-wa-nt-hand edu-nsw-act-foundation edu-qld-beginner "
    "edu-sa-beginner edu-tas-beginner edu-vic-wa-nt-beginner estonia fuggles fuzzy-bubbles gaegu "
    "gamja-flower give-you-glory gloria-hallelujah gochi-hand grape-nuts gwendolyn handlee "
    "herr-von-muellerhoff hi-melody homemade-apple indie-flower inspiration julee just- "
    "just-another-hand kalam kings klee-one kristi la-belle-aurore licorice liu-jian-mao-cao "
    "long-cang loved-by-the-king lovers-quarrel mali mansalva marck-script me-again-down-here "
    "meddon merienda moderna monsieur-la-doulaise moo mr-dafoe mr-de-haviland mrs-saint-delafield "
    "ms-madi my-soul mynerve nanum-brush-script nanum-pen-script neucha nothing-you-could-do "
    "oooh-baby over- pangolin patrick-hand permanent-marker playpen-sans playwrite-at "
    "playwrite-au-vic playwrite-be-wal playwrite-br playwrite-ca playwrite-cz playwrite-de-grund "
    "playwrite-dk-loopet playwrite-es playwrite-fr-moderne playwrite-fr-trad playwrite-gb-s "
    "playwrite-hr playwrite-hu playwrite-ie playwrite-in playwrite-it- playwrite-it-trad "
    "playwrite-mx playwrite-nl playwrite-no playwrite-nz playwrite-pl playwrite-pt playwrite-ro "
    "playwrite-us-modern playwrite-us-trad playwrite-za poor-story qwigley rancho reenie-beanie "
    "rock-salt rouge-script ruge-boogie ruthie sacramento schoolbell sedgwick-ave "
    "shadows-into-light shantell-sans short-stack square-peg sriracha stalemate "
    "sue-ellen-francisco sunshiney swanky-and-moo- the-girl-next-door the-rainbow vibur "
    "vujahday-script waiting-for-the-sunrise walter-turncoat whisper yomogi your-grace zeyada "
    "zhi-mang-xing"
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
    with replacing(target) as temporary:
        temporary.write_bytes(data)
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
