"""A page laid out by its profile."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from hwr.errors import FormNotFound, WritingOutside
from hwr.forms.comb import comb_picture
from hwr.forms.doubt import (
    LEAST_FITTING,
    LEAST_WANTED,
    LineFinder,
    misplaced,
    misshapen,
    on_its_head,
    on_print,
    printed,
    without_print,
    writing_beside,
    writing_outside,
)
from hwr.forms.lines import placed_lines, zoned_lines
from hwr.forms.place import Finder
from hwr.forms.rows import beside
from hwr.forms.sheet import FlatSheet, find_sheet, flat_sheet
from hwr.forms.sheets import find_sheets
from hwr.forms.template import open_template, register
from hwr.forms.unread import unread
from hwr.forms.zone import Found, Zone, ZonedLine
from hwr.layout import Upright, crop_line, find_lines, upright
from hwr.layout.homography import Quad, corners, homography, mapped, rectified, sides
from hwr.layout.ink import Grey
from hwr.layout.margins import with_margins
from hwr.layout.markers import without_markers
from hwr.layout.orientation import quarter_turns
from hwr.layout.pattern import without_pattern
from hwr.layout.polarity import dark_on_light
from hwr.layout.streaks import without_streaks
from hwr.layout.upright import turned_back
from hwr.layout.view import refuse_many
from hwr.profiles import Find, PageForm

#: A form with ruled lines is turned on its head where what hangs from these (0 to 1), and so much
#: each that its writing looks turned and that more of its boxes are filled that way, are enough.
TELLS, ENOUGH = 0.3, 0.6
#: What hangs tells so much at most, not enough alone: some write through the rules.
MOST_HANGING = 0.5
#: Quarter turns that set a page on its head.
HALF_TURN = 2


@dataclass(frozen=True, kw_only=True)
class PageLayout:
    """What is where on a page, in pixels of the page as it came."""

    #: The page to cut lines from: upright, and perhaps without the printed form.
    view: Upright
    #: The lines to read, in reading order.
    lines: tuple[ZonedLine, ...]
    #: Every zone of the page, also those that are empty or not read.
    zones: tuple[Zone, ...] = ()
    #: Why the zones may be wrong, or not all.
    warning: FormNotFound | WritingOutside | None = None
    #: Of a page of several sheets what is where on each; their lines and zones are the page's.
    sheets: tuple["PageLayout", ...] = ()

    def crop(self, found: ZonedLine) -> Grey:
        """The grey picture (h, w) of one of its lines, upright; its rows beside each other."""
        if found.sheet is not None:
            return self.sheets[found.sheet - 1].crop(replace(found, sheet=None))
        rows = [self.view.in_view(row) for row in found.rows or (found.line,)]
        if found.zone and found.zone.is_comb:
            return comb_picture(self.view.image, np.array(rows[0].polygon, np.float64))
        crops = [crop_line(self.view.image, row) for row in rows]
        return beside(crops) if found.rows else crops[0]


@dataclass(frozen=True, kw_only=True, eq=False)
class Placed:
    """A form on a page."""

    #: The view to find lines in.
    view: Upright
    #: Corners of its sheet, in pixels of the view.
    sheet: Quad
    #: All of its zones, in pixels of the view.
    zones: tuple[Zone, ...]
    #: What found these, and can say more of the same sheet.
    finder: Finder
    #: Whether they were found on the blank form.
    on_template: bool = False
    #: Why the zones may be wrong.
    warning: FormNotFound | None = None

    @property
    def on_page(self) -> Quad:
        """Corners of the sheet, in pixels of the page as it came."""
        taken = self.view.to_page
        return self.sheet if taken is None else mapped(self.sheet, taken)

    @property
    def all_of_view(self) -> Quad:
        """Corners of the view, in pixels of the page as it came."""
        height, width = self.view.image.shape
        flat, taken = corners(width, height), self.view.to_page
        return flat if taken is None else mapped(flat, taken)


def cleaned(image: Grey) -> Grey:
    """A grey page (H, W), dark on light, without marks of scanner and marker."""
    return without_markers(without_streaks(dark_on_light(image)))


def lay_out(image: Grey, form: PageForm, line_finder: LineFinder = find_lines) -> PageLayout:
    """The zones of a grey page (H, W), and its lines with the zones they stand in.

    Raises:
        TooManyLines: from the line finder, or the lines of all sheets and zones together.
        ProfileError: the form's template cannot be used.
    """
    image = cleaned(image)
    if not form.zones and form.template is None:
        return _without_zones(upright(image), form, line_finder)
    found = placed_form(image, form)
    warning = _doubt(image, form, found, line_finder)
    if warning and form.several_sheets:
        sheets = placed_sheets(image, form)
        # Beside writing one sheet is the one that was found.
        if len(sheets) >= (2 if isinstance(warning, WritingOutside) else 1):
            return _beside_each_other(image, sheets, form, line_finder)
    layout = _laid_out(found, form, line_finder)
    return replace(layout, warning=warning or layout.warning)


def _laid_out(found: Placed, form: PageForm, line_finder: LineFinder) -> PageLayout:
    """The lines and zones of a sheet."""
    lines = line_finder(found.view.image)
    placed = placed_lines(found.view.image, lines, found.zones)
    inside = zoned_lines(found.view.image, placed, found.zones, outside=form.outside)
    refuse_many(len(inside))  # cut at zones they are more than the finder's own limit
    # Only now: print that shows where zones and lines are goes with the pattern.
    view = _to_read(found.view, form)
    lost = unread(view.image, _written(found, view), found.zones, placed, inside)
    zones = {z.name: replace(z, polygon=view.points_on_page(z.polygon)) for z in found.zones}
    return PageLayout(
        view=view,
        lines=tuple(
            ZonedLine(
                line=view.on_page(x.line),
                zone=zones[x.zone.name] if x.zone else None,
                rows=tuple(map(view.on_page, x.rows)),
            )
            for x in inside
        ),
        zones=tuple(zones.values()),
        warning=found.warning or lost,
    )


def _written(found: Placed, read: Upright) -> FlatSheet:
    """The sheet as it is read: zones are found with its pattern, those of a template on its blank
    form."""
    is_same = read.image is found.view.image and not found.on_template
    return found.finder.sheet if is_same else flat_sheet(read.image, found.sheet)


def placed_sheets(image: Grey, form: PageForm) -> list[Placed]:
    """The form on each of its sheets that lie on a grey page (H, W), all of a view.

    Some rules of a table or of what is written have the distances of the form's, but not its ends
    and boxes.
    """
    placed = (zoned(_straight(image, sheet), form) for sheet in find_sheets(image, form))
    return [one for one in placed if one.finder.fitting(form) >= LEAST_FITTING]


def _beside_each_other(
    image: Grey, sheets: Sequence[Placed], form: PageForm, line_finder: LineFinder
) -> PageLayout:
    """The layout of a page with these sheets, each of which is read from a view of its own."""
    layouts = [_laid_out(one, form, line_finder) for one in sheets]
    refuse_many(sum(len(layout.lines) for layout in layouts))
    beside_them = writing_beside(image, [one.all_of_view for one in sheets], line_finder)
    warning = beside_them or next((one.warning for one in layouts if one.warning), None)
    if len(layouts) == 1:
        return replace(layouts[0], warning=warning)
    numbered = tuple(_numbered(layout, at) for at, layout in enumerate(layouts, 1))
    lines = [line for layout in numbered for line in layout.lines]
    return PageLayout(
        view=Upright(image=image, page_shape=(image.shape[0], image.shape[1])),
        lines=tuple(replace(one, line=replace(one.line, order=at)) for at, one in enumerate(lines)),
        zones=tuple(zone for layout in numbered for zone in layout.zones),
        warning=warning,
        sheets=numbered,
    )


def _straight(image: Grey, sheet: Quad) -> Upright:
    """A sheet on a grey page (H, W) as if it was all of it."""
    width, height = map(round, sides(sheet))
    to_page = homography(corners(width, height), sheet)
    view = rectified(image, to_page, (width, height))
    return Upright(image=view, page_shape=(image.shape[0], image.shape[1]), to_page=to_page)


def _numbered(layout: PageLayout, sheet: int) -> PageLayout:
    """The same as sheet of that number."""
    return replace(
        layout,
        lines=tuple(
            replace(one, sheet=sheet, zone=replace(one.zone, sheet=sheet) if one.zone else None)
            for one in layout.lines
        ),
        zones=tuple(replace(zone, sheet=sheet) for zone in layout.zones),
    )


def _doubt(
    image: Grey, form: PageForm, found: Placed, line_finder: LineFinder
) -> FormNotFound | WritingOutside | None:
    """Why the zones may be wrong, or lines left out beside the sheet that was read."""
    all_is_read = form.outside and form.template is None
    if found.warning or all_is_read:
        return found.warning
    return writing_outside(image, found.on_page, form, line_finder)


def _without_zones(view: Upright, form: PageForm, line_finder: LineFinder) -> PageLayout:
    found = with_margins(view.image, line_finder(view.image)) if form.outside else ()
    lines = tuple(ZonedLine(line=view.on_page(x)) for x in found)
    return PageLayout(view=_to_read(view, form), lines=lines)


def _to_read(view: Upright, form: PageForm) -> Upright:
    return replace(view, image=without_pattern(view.image)) if form.patterned else view


def placed_form(image: Grey, form: PageForm) -> Placed:
    """The form on a grey page (H, W), on its template or else on the sheet that is found."""
    if form.template is None:
        found = _on_sheet(image, form)
        return replace(found, warning=misshapen(found.sheet, form) or found.warning)
    try:
        laid = register(image, open_template(form.template, patterned=form.patterned))
    except FormNotFound as warning:
        return replace(_on_sheet(image, form), warning=warning)
    finder = Finder(laid.sheet, Found.TEMPLATE)
    height, width = laid.view.image.shape
    zones = finder.zones(form)
    whole = corners(width, height)
    return Placed(view=laid.view, sheet=whole, zones=zones, finder=finder, on_template=True)


def _on_sheet(image: Grey, form: PageForm) -> Placed:
    """The form on its sheet, the way up in which most of it is found.

    A form says better than its writing which way up it is: it is turned by its writing, or on its
    head, only where more of its zones are found on print that way.
    """
    view = upright(image)
    best = zoned(view, form)
    if _is_turned(view):
        came = Upright(image=image, page_shape=view.page_shape)
        best = max(zoned(came, form), best, key=lambda one: _seen(one, form))
    # Rules of the other way up are in some zones by chance, so that not even most would do.
    if LEAST_WANTED <= on_print(form) > printed(best.zones, form):
        other = zoned(_on_its_head(best.view), form)
        best = max(best, other, key=lambda one: _seen(one, form))
    has_rules = any(part.find is Find.RULED for part in form.zones)
    return _as_it_is_written(best, form) if has_rules else best


def _seen(placed: Placed, form: PageForm) -> tuple[int, float]:
    """How many of the form's zones are on print, and how well that fits: some is so by chance."""
    return printed(placed.zones, form), placed.finder.fitting(form)


def _as_it_is_written(placed: Placed, form: PageForm) -> Placed:
    """The form, on its head where its print is found so too and what is written on it says so.

    Rules look the same both ways, and the shape of letters alone turned upright pages.
    """
    turned = quarter_turns(placed.view.image) == HALF_TURN
    told = min(placed.finder.hanging(form), MOST_HANGING) + TELLS * turned
    if told + TELLS < ENOUGH:
        return placed
    other = zoned(_on_its_head(placed.view), form)
    told += TELLS * float(np.sign(other.finder.filled(form) - placed.finder.filled(form)))
    if printed(other.zones, form) < printed(placed.zones, form) or told < TELLS:
        return placed
    return other if told >= ENOUGH else replace(placed, warning=placed.warning or on_its_head())


def zoned(view: Upright, form: PageForm) -> Placed:
    """The form on the sheet of an upright view."""
    sheet = find_sheet(view.image)
    finder = Finder(flat_sheet(view.image, sheet), Found.SHEET)
    zones = finder.zones(form)
    return Placed(
        view=view,
        sheet=sheet,
        zones=zones,
        finder=finder,
        warning=without_print(zones, form) or misplaced(finder.fitting(form), form),
    )


def _on_its_head(view: Upright) -> Upright:
    to_page = np.eye(3) if view.to_page is None else view.to_page
    turned = np.ascontiguousarray(np.rot90(view.image, 2))
    return replace(view, image=turned, to_page=to_page @ turned_back(view.image, 2))


def _is_turned(view: Upright) -> bool:
    """Whether what runs to the right in the view does not do so on the page."""
    (x, y), (other_x, other_y) = view.points_on_page([(0, 0), (view.image.shape[1] - 1, 0)])
    return other_x - x <= abs(other_y - y)
