"""Why the zones on a page may be those of another form, or not all that was sent."""

from collections.abc import Callable, Iterator, Sequence

import cv2
import numpy as np

from hwr.errors import FormNotFound, TooManyLines, WritingOutside
from hwr.forms.zone import Found, Zone
from hwr.layout import Line, upright
from hwr.layout.homography import Quad, sides
from hwr.layout.ink import Grey
from hwr.profiles import Find, PageForm

#: Finds the lines of a grey page (H, W), in reading order.
LineFinder = Callable[[Grey], Sequence[Line]]

#: A form that asks for print for fewer zones than this cannot be known by it.
LEAST_WANTED = 3
#: A page of the form has more than this share of the zones that are found on print.
LEAST_PRINT = 0.4
#: A sheet is the form whose rules and boxes lie so far where the form has them, as a share. Drawn
#: cheques have 0.68 to 0.85 with a strong pattern under their rules, their backs 0.35 at most.
LEAST_FITTING = 0.5
#: A sheet is wider or narrower for its height than the form by this factor at most. Paper sizes
#: that stand in for each other differ by less, two sheets in one picture by more.
MOST_STRETCHED = 1.25
#: Another sheet has room where the picture goes on beyond the sheet for this share of its shorter
#: side.
LEAST_ROOM = 1 / 3
#: The sheet's shadow, and writing that overruns it, reach beyond it by this share of that side.
OVERRUN = 0.03
#: Lines that are another sheet are so many at least, and together so long, as a share of the
#: sheet's longer side: scanners print a number beside a sheet, clerks write a note.
FEWEST_LINES, LEAST_WRITING = 4, 1.25


def without_print(zones: Sequence[Zone], form: PageForm) -> FormNotFound | None:
    """Why the zones are doubtful where most of what the form has printed was not found."""
    wanted, found = on_print(form), printed(zones, form)
    if wanted < LEAST_WANTED or found > wanted * LEAST_PRINT:
        return None
    return FormNotFound(
        f"Only {found} of the {wanted} zones on print were found, so that this may be another form,"
        f" or several sheets in one picture. {_remedy(form)}"
    )


def misplaced(fitting: float, form: PageForm) -> FormNotFound | None:
    """Why the zones are doubtful of a form told by its print, of which so much lies as it says."""
    if not form.wherever_found or fitting >= LEAST_FITTING:
        return None
    return FormNotFound(
        f"Only {fitting:.0%} of the form's rules and boxes lie where it has them, so that this may"
        f" be its back, or another form. {_remedy(form)}"
    )


def on_print(form: PageForm) -> int:
    """How many of the form's zones are looked for on print."""
    return sum(part.find not in (Find.AREA, Find.COMB) for part in form.zones)


def printed(zones: Sequence[Zone], form: PageForm) -> int:
    """How many of the form's zones are on print of their own; one that is several counts once."""
    names = [zone.name for zone in zones if zone.found is not Found.SHEET]
    return sum(any(map(part.gives, names)) for part in form.zones)


def misshapen(sheet: Quad, form: PageForm) -> FormNotFound | None:
    """Why the zones on a sheet are doubtful that has not the shape of the form's."""
    if form.size_mm is None:
        return None
    (wide, high), (width, height) = sides(sheet), form.size_mm
    stretched = (wide / high) / (width / height)
    if 1 / MOST_STRETCHED <= stretched <= MOST_STRETCHED:
        return None
    return FormNotFound(
        f"The sheet is {wide / high:.2f} times as wide as high, the form {width / height:.2f}"
        " times, so that this may be another form, or several sheets in one picture."
        f" {_remedy(form)}"
    )


def on_its_head() -> FormNotFound:
    """Why the zones are doubtful of a sheet whose writing hangs from its rules."""
    return FormNotFound(
        "What is written looks as if the sheet was scanned on its head, but its print and its"
        " boxes do not say so. If it was, turn it and scan it again."
    )


def writing_outside(
    image: Grey, sheet: Quad, form: PageForm, line_finder: LineFinder
) -> WritingOutside | None:
    """Why a grey page (H, W) is doubtful that shows more writing than that on a sheet of it."""
    wide, high = sides(sheet)
    for part in _around(image, sheet, min(wide, high)):
        if _is_sheet(part, max(wide, high), line_finder):
            return WritingOutside(
                "Lines lie outside of the sheet that was read, as on a second sheet, and were not"
                f" read. {_remedy(form)}"
            )
    return None


def writing_beside(
    image: Grey, sheets: Sequence[Quad], line_finder: LineFinder
) -> WritingOutside | None:
    """Why a grey page (H, W) is doubtful that shows more writing than that on its sheets."""
    warning = WritingOutside(
        f"Lines lie outside of the form's sheets that were read ({len(sheets)}), as on one that is"
        " another form or is not whole, and were not read. Scan that one alone, cut to its edges."
    )
    # All of the page: a lid of one grey has lines of noise where nothing else is to be seen.
    view = upright(image)
    try:
        lines = [view.on_page(line) for line in line_finder(view.image)]
    except TooManyLines:
        return warning
    beside = [line for line in lines if not any(_is_on(sheet, line) for sheet in sheets)]
    least = min(max(sides(sheet)) for sheet in sheets)
    return warning if _fill_sheet(beside, least) else None


def _is_on(sheet: Quad, line: Line) -> bool:
    """Whether the middle of a line lies on a sheet, or hardly beside it."""
    middle = np.array(line.baseline, np.float64).mean(axis=0)
    away = cv2.pointPolygonTest(sheet.astype(np.float32), middle.tolist(), True)
    return away >= -OVERRUN * min(sides(sheet))


def _is_sheet(part: Grey, side: float, line_finder: LineFinder) -> bool:
    """Whether there is so much writing as on a sheet whose longer side is this, in pixels."""
    try:
        lines = line_finder(upright(part).image)
    except TooManyLines:
        return True
    return _fill_sheet(lines, side)


def _fill_sheet(lines: Sequence[Line], side: float) -> bool:
    """Whether lines are so many and so long as on a sheet of that longer side, in pixels."""
    return len(lines) >= FEWEST_LINES and _length(lines) >= LEAST_WRITING * side


def _remedy(form: PageForm) -> str:
    if form.several_sheets or not form.may_be_several:
        return "Scan one sheet a page, cut to its edges."
    return "Scan one sheet a page, cut to its edges, or set several_sheets in the profile."


def _around(image: Grey, sheet: Quad, side: float) -> Iterator[Grey]:
    """The parts of a page above, below and beside a sheet in which another may lie."""
    left, top = np.maximum(sheet.min(axis=0) - OVERRUN * side, 0).astype(int)
    right, bottom = (sheet.max(axis=0) + OVERRUN * side).astype(int)
    for part in (image[:top], image[bottom:], image[:, :left], image[:, right:]):
        if min(part.shape) >= LEAST_ROOM * side:
            yield np.ascontiguousarray(part)


def _length(lines: Sequence[Line]) -> float:
    """Of all lines together, in pixels."""
    return sum(float(np.ptp(np.array(line.baseline)[:, 0])) for line in lines)
