"""A page laid out by its profile."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from hwr.errors import FormNotFound
from hwr.forms.comb import comb_picture
from hwr.forms.lines import zoned_lines
from hwr.forms.place import Finder
from hwr.forms.rows import beside
from hwr.forms.sheet import find_sheet, flat_sheet
from hwr.forms.template import open_template, register
from hwr.forms.zone import Found, Zone, ZonedLine
from hwr.layout import Line, Upright, crop_line, find_lines, upright
from hwr.layout.ink import Grey
from hwr.layout.markers import without_markers
from hwr.layout.pattern import without_pattern
from hwr.layout.polarity import dark_on_light
from hwr.layout.streaks import without_streaks
from hwr.profiles import Find, PageForm

#: Finds the lines of a grey page (H, W), in reading order.
LineFinder = Callable[[Grey], Sequence[Line]]

#: A form that asks for print for fewer zones than this cannot be known by it.
LEAST_WANTED = 3
#: A page of the form has more than this share of the zones that are found on print.
LEAST_PRINT = 0.4


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

    def crop(self, found: ZonedLine) -> Grey:
        """The grey picture (h, w) of one of its lines, upright; its rows beside each other."""
        rows = [self.view.in_view(row) for row in found.rows or (found.line,)]
        if found.zone and found.zone.is_comb:
            return comb_picture(self.view.image, np.array(rows[0].polygon, np.float64))
        crops = [crop_line(self.view.image, row) for row in rows]
        return beside(crops) if found.rows else crops[0]


def lay_out(image: Grey, form: PageForm, line_finder: LineFinder = find_lines) -> PageLayout:
    """The zones of a grey page (H, W), and its lines with the zones they stand in.

    Raises:
        TooManyLines: from the line finder.
        ProfileError: the form's template cannot be used.
    """
    image = without_markers(without_streaks(dark_on_light(image)))
    view = upright(image)
    if not form.zones and form.template is None:
        found = line_finder(view.image) if form.outside else ()
        lines = tuple(ZonedLine(line=view.on_page(x)) for x in found)
        return PageLayout(view=_to_read(view, form), lines=lines)
    view, zones, warning = _registered(image, view, form)
    inside = zoned_lines(view.image, line_finder(view.image), zones, outside=form.outside)
    # Only now: print that shows where zones and lines are goes with the pattern.
    view = _to_read(view, form)
    placed = {z.name: replace(z, polygon=view.points_on_page(z.polygon)) for z in zones}
    return PageLayout(
        view=view,
        lines=tuple(
            ZonedLine(
                line=view.on_page(x.line),
                zone=placed[x.zone.name] if x.zone else None,
                rows=tuple(map(view.on_page, x.rows)),
            )
            for x in inside
        ),
        zones=tuple(placed.values()),
        warning=warning,
    )


def _to_read(view: Upright, form: PageForm) -> Upright:
    return replace(view, image=without_pattern(view.image)) if form.patterned else view


def _registered(
    image: Grey, view: Upright, form: PageForm
) -> tuple[Upright, tuple[Zone, ...], FormNotFound | None]:
    """The view to find lines in, the zones on it, and why these are not those of the template."""
    if form.template is None:
        view, zones = _placed(image, view, form)
        return view, zones, _without_print(zones, form)
    try:
        found = register(image, open_template(form.template))
    except FormNotFound as warning:
        return *_placed(image, view, form), warning
    return found.view, Finder(found.sheet, Found.TEMPLATE).zones(form), None


def _placed(image: Grey, view: Upright, form: PageForm) -> tuple[Upright, tuple[Zone, ...]]:
    """The view in which the page is this form, and the zones on it.

    A form says better than its writing which way up it is: it is turned only where more of its
    zones are found on print that way.
    """
    zones = _zones(view.image, form)
    if not _is_turned(view):
        return view, zones
    came = Upright(image=image, page_shape=view.page_shape)
    as_it_came = _zones(image, form)
    return (
        (view, zones) if _printed(zones, form) > _printed(as_it_came, form) else (came, as_it_came)
    )


def _without_print(zones: Sequence[Zone], form: PageForm) -> FormNotFound | None:
    """Why the zones are doubtful where most of what the form has printed was not found."""
    wanted = sum(part.find not in (Find.AREA, Find.COMB) for part in form.zones)
    found = _printed(zones, form)
    if wanted < LEAST_WANTED or found > wanted * LEAST_PRINT:
        return None
    return FormNotFound(
        f"Only {found} of the {wanted} zones on print were found, so that this may be another form,"
        " or several sheets in one picture. Scan one sheet a page, cut to its edges."
    )


def _zones(image: Grey, form: PageForm) -> tuple[Zone, ...]:
    return Finder(flat_sheet(image, find_sheet(image)), Found.SHEET).zones(form)


def _printed(zones: Sequence[Zone], form: PageForm) -> int:
    """How many of the form's zones are on print of their own; one that is several counts once."""
    names = [zone.name for zone in zones if zone.found is not Found.SHEET]
    return sum(any(map(part.gives, names)) for part in form.zones)


def _is_turned(view: Upright) -> bool:
    """Whether what runs to the right in the view does not do so on the page."""
    (x, y), (other_x, other_y) = view.points_on_page([(0, 0), (view.image.shape[1] - 1, 0)])
    return other_x - x <= abs(other_y - y)
