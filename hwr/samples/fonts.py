"""Where the fonts come from."""

from enum import Enum
from functools import cache
from importlib.resources import files
from pathlib import Path

from PIL import ImageFont

from hwr.errors import MissingFont

REMEDY = "Install the fonts of the samples with: pip install 'hwr[demo]'"


class Face(Enum):
    """A handwriting font: its package and the path of its file inside it."""

    #: Thin, quick, upright letters with long descenders
    SHADOWS = ("handwriting_generator", "fonts/ShadowsIntoLight.ttf")
    #: Round felt-tip letters with old-style figures
    INTUITIVE = ("font_intuitive", "files/Intuitive.ttf")
    #: Narrow capitals, as on forms that ask for block letters
    AMATIC = ("font_amatic_sc", "files/AmaticSC-Bold.ttf")


def find_font(face: Face) -> Path:
    """The font's file. Raises MissingFont when its package is not installed."""
    package, inside = face.value
    try:
        path = Path(str(files(package).joinpath(inside)))
    except ModuleNotFoundError as error:
        raise MissingFont(f"The font package {package} is not installed. {REMEDY}") from error
    if not path.is_file():
        raise MissingFont(f"The font package {package} has no {inside}. {REMEDY}")
    return path


@cache
def hand_font(face: Face, size: int) -> ImageFont.FreeTypeFont:
    """The handwriting font at `size` pixels an em."""
    return ImageFont.truetype(str(find_font(face)), size, layout_engine=ImageFont.Layout.BASIC)


@cache
def print_font(size: int) -> ImageFont.FreeTypeFont:
    """Pillow's built-in font at `size` pixels an em. Raises MissingFont without FreeType."""
    font = ImageFont.load_default(size)
    if not isinstance(font, ImageFont.FreeTypeFont):
        raise MissingFont(
            "Pillow was built without FreeType. Install its wheel: pip install Pillow"
        )
    return font
