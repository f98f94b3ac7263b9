"""Draw the pictures of docs/profiles.md: `python draw_zones.py docs`.

A synthetic exam page and a synthetic cheque with the zones and lines that hwr finds, as
`hwr layout` draws them, but smaller and of few colours.
"""

from argparse import ArgumentParser
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image, ImageOps

from hwr.documents import open_document
from hwr.forms import draw_layout, lay_out
from hwr.profiles import load_profile
from hwr.samples import write_batch

#: Sample, profile, longer side in pixels.
PICTURES = (("exam.pdf", "exam", 820), ("cheque_2.png", "cheque", 900))
#: Colours of a picture: enough for ink, paper and outlines.
COLOURS = 48


def main() -> None:
    """Draw both."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path, help="folder to write to")
    out = parser.parse_args().out
    with TemporaryDirectory() as folder:
        write_batch(Path(folder), pages=1)
        for name, profile, side in PICTURES:
            picture = ImageOps.autocontrast(drawn(Path(folder) / name, profile), cutoff=(0, 12))
            picture.thumbnail((side, side), Image.Resampling.LANCZOS)
            few = picture.quantize(COLOURS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
            few.save(out / f"profile-{profile}.png", optimize=True)


def drawn(path: Path, profile: str) -> Image.Image:
    """The first page with what is found on it."""
    with open_document(path) as document:
        image = document.page(1).image
    found = lay_out(image, load_profile(profile).page(1))
    lines = [one.line for one in found.lines]
    return Image.fromarray(draw_layout(image, lines, [""] * len(lines), found.zones))


if __name__ == "__main__":
    main()
