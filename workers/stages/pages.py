"""A page on its way from a document to the engines: rendered, laid out, cut into lines."""

from dataclasses import asdict, dataclass
from typing import Any

from hwr import layout
from hwr.documents import Document
from hwr.errors import LineError, PageError, PageFailed, PageTimeout, TooManyLines
from hwr.failure import Failure
from hwr.forms import PageLayout, Zone, ZonedLine, lay_out, page_form
from hwr.model.line_image import normalise_line
from hwr.profiles import Profile
from workers.deadline import deadline
from workers.line_pack import PackedLine

#: Columns that the line images of a page may have together, 64 MB at a height of 64: a full page
#: of handwriting has a tenth, and a read worker holds several pages at once.
MOST_COLUMNS = 1_000_000


@dataclass(frozen=True, kw_only=True)
class SplitPage:
    """A page as splitting leaves it."""

    #: Its place in the document, from 1.
    number: int
    #: Pixels; 0 when it could not be rendered.
    width: int = 0
    #: Pixels; 0 when it could not be rendered.
    height: int = 0
    #: Its lines in reading order.
    lines: tuple[PackedLine, ...] = ()
    #: Zones that were found, as results tell them.
    zones: list[dict[str, Any]] | None = None
    #: Why these may be wrong: code and message.
    warning: dict[str, str] | None = None
    #: What its profile adds to the record of what read it.
    profile: dict[str, str] | None = None
    #: Why it was refused.
    error: PageError | None = None


def split_page(document: Document, number: int, profile: Profile, deadline_s: float) -> SplitPage:
    """Render one page, find its zones and lines and bring these into the form that engines eat."""
    late = PageTimeout(
        f"Page {number} took more than {deadline_s:g} s. "
        "Export it as a plain scan, without vector drawings."
    )
    try:
        with deadline(deadline_s, late):
            return _split(document, number, profile)
    except PageError as error:
        return SplitPage(number=number, error=error)


def given_up(number: int, attempts: int) -> SplitPage:
    """A page that was begun so many times and never came to its end."""
    message = (
        f"Page {number} ended its process or failed {attempts} times. "
        "Scan it again, as a plain picture at a lower resolution."
    )
    return SplitPage(number=number, error=PageFailed(message))


def _split(document: Document, number: int, profile: Profile) -> SplitPage:
    image = document.page(number).image
    found = lay_out(image, page_form(image, profile, number), layout.find_lines)
    height, width = image.shape
    return SplitPage(
        number=number,
        width=width,
        height=height,
        lines=_pack_lines(found),
        zones=[_zone(zone) for zone in found.zones] or None,
        warning=asdict(Failure.of(found.warning)) if found.warning else None,
        profile=profile.audit,
    )


def _zone(zone: Zone) -> dict[str, Any]:
    told = {"name": zone.name, "polygon": zone.polygon, "found": zone.found.value}
    return told if zone.sheet is None else told | {"sheet": zone.sheet}


def _pack_lines(page: PageLayout) -> tuple[PackedLine, ...]:
    lines: list[PackedLine] = []
    columns = 0
    for found in page.lines:
        line = _pack_line(page, found)
        columns += 0 if line.image is None else line.image.shape[1]
        if columns > MOST_COLUMNS:
            raise TooManyLines(
                f"The lines of the page are longer than {MOST_COLUMNS:,} pixels together. "
                "Split it into several pages."
            )
        lines.append(line)
    return tuple(lines)


def _pack_line(page: PageLayout, found: ZonedLine) -> PackedLine:
    line, zone = found.line, found.zone
    picture, error = None, None
    try:
        picture = normalise_line(page.crop(found))
    except LineError as refused:
        error = Failure.of(refused)
    return PackedLine(
        order=line.order,
        polygon=line.polygon,
        baseline=line.baseline,
        image=picture,
        zone=zone.name if zone else None,
        decoder=zone.decoder if zone else None,
        same_as=zone.same_as if zone else None,
        error=error,
        sheet=found.sheet,
    )
