"""A page laid out by its profile."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from hwr.errors import FormNotFound
from hwr.forms.lines import zoned_lines
from hwr.forms.place import Finder
from hwr.forms.sheet import find_sheet, flat_sheet
from hwr.forms.zone import Found, Zone, ZonedLine
from hwr.layout import Line, Upright, crop_line, find_lines, upright
from hwr.layout.ink import Grey
from hwr.profiles import PageForm

#: Finds the lines of a grey page (H, W), in reading order.
LineFinder = Callable[[Grey], Sequence[Line]]


@dataclass(frozen=True, kw_only=True)
class PageLayout:
    """What is where on a page, in pixels of the page as it came."""

    #: The page to cut lines from: upright, and perhaps without the printed form.
    view: Upright
    #: The lines to read, in reading order.
    lines: tuple[ZonedLine, ...]
    #: Every zone of the page, also those that are empty or not read.
    zones: tuple[Zone, ...] = ()
    #: Why the zones may be wrong.
    warning: FormNotFound | None = None

    def crop(self, line: Line) -> Grey:
        """The grey picture (h, w) of one of its lines, upright."""
        return crop_line(self.view.image, self.view.in_view(line))


def lay_out(image: Grey, form: PageForm, line_finder: LineFinder = find_lines) -> PageLayout:
    """The zones of a grey page (H, W), and its lines with the zones they stand in.

    Raises:
        TooManyLines: from the line finder.
    """
    view = upright(image)
    if not form.zones and form.template is None:
        found = line_finder(view.image) if form.outside else ()
        return PageLayout(view=view, lines=tuple(ZonedLine(line=view.on_page(x)) for x in found))
    zones = Finder(flat_sheet(view.image, find_sheet(view.image)), Found.SHEET).zones(form)
    lines = zoned_lines(view.image, line_finder(view.image), zones, outside=form.outside)
    placed = {z.name: replace(z, polygon=view.points_on_page(z.polygon)) for z in zones}
    return PageLayout(
        view=view,
        lines=tuple(
            ZonedLine(line=view.on_page(x.line), zone=placed[x.zone.name] if x.zone else None)
            for x in lines
        ),
        zones=tuple(placed.values()),
    )
