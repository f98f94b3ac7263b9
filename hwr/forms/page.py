"""A page laid out by its profile."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from hwr.errors import FormNotFound
from hwr.forms.lines import zoned_lines
from hwr.forms.place import Finder
from hwr.forms.sheet import find_sheet, flat_sheet
from hwr.forms.zone import Found, Zone, ZonedLine
from hwr.layout import Line, find_lines
from hwr.layout.ink import Grey
from hwr.profiles import PageForm

#: Finds the lines of a grey page (H, W), in reading order.
LineFinder = Callable[[Grey], Sequence[Line]]


@dataclass(frozen=True, kw_only=True)
class PageLayout:
    """What is where on a page."""

    #: The page to cut lines from, uint8 (H, W): as it came, or without the printed form.
    image: Grey
    #: The lines to read, in reading order.
    lines: tuple[ZonedLine, ...]
    #: Every zone of the page, also those that are empty or not read.
    zones: tuple[Zone, ...] = ()
    #: Why the zones may be wrong.
    warning: FormNotFound | None = None


def lay_out(image: Grey, form: PageForm, line_finder: LineFinder = find_lines) -> PageLayout:
    """The zones of a grey page (H, W), and its lines with the zones they stand in.

    Raises:
        TooManyLines: from the line finder.
    """
    if not form.zones and form.template is None:
        lines = line_finder(image) if form.outside else ()
        return PageLayout(image=image, lines=tuple(ZonedLine(line=line) for line in lines))
    zones = Finder(flat_sheet(image, find_sheet(image)), Found.SHEET).zones(form)
    found = line_finder(image)
    return PageLayout(
        image=image,
        lines=zoned_lines(image, found, zones, outside=form.outside),
        zones=zones,
    )
