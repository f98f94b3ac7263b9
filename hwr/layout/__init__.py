"""Where the lines of a page are: outlines, baselines, reading order, crops."""

from hwr.layout.crop import crop_line
from hwr.layout.find import find_lines
from hwr.layout.line import Line
from hwr.layout.overlay import draw_lines

__all__ = ["Line", "crop_line", "draw_lines", "find_lines"]
