"""Where the lines of a page are: which way up, outlines, baselines, reading order, crops."""

from hwr.layout.crop import crop_line
from hwr.layout.find import find_lines
from hwr.layout.line import Line
from hwr.layout.overlay import draw_lines
from hwr.layout.upright import Upright, upright

__all__ = ["Line", "Upright", "crop_line", "draw_lines", "find_lines", "upright"]
