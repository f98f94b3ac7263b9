"""The command that shows what is found on pages: for people who write profiles."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hwr.errors import DocumentError, PageError
from workers.commands.options import ProfileName, profile_of
from workers.commands.show import ALL_READ, SOME_FAILED, complain
from workers.file_names import clean_name

if TYPE_CHECKING:
    from hwr.documents import Document
    from hwr.forms import PageLayout, Zone
    from hwr.layout.ink import Grey
    from hwr.profiles import Profile

_HEADING = ("zone", "found by", "holds", "lines", "left", "top", "right", "bottom")
_OUTSIDE = "(outside)"


def layout(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A document.")],
    profile: ProfileName = None,
    out: Annotated[Path, typer.Option(help="Folder for the pictures.")] = Path("layout"),
) -> None:
    """Draw the zones and lines that are found on each page, without reading them.

    A picture a page, with zones and their names, and lines with order and baseline; and a table of
    the zones. Nothing is read, so a profile can be tuned quickly.
    """
    from hwr.documents import open_document
    from workers.limits import limits_of
    from workers.settings import get_settings

    chosen = profile_of(profile)
    out.mkdir(parents=True, exist_ok=True)
    code = ALL_READ
    try:
        with open_document(file, limits_of(get_settings())) as document:
            for number in range(1, document.page_count + 1):
                if not _show_page(document, number, chosen, out / _stem(file)):
                    code = SOME_FAILED
    except DocumentError as error:
        code = SOME_FAILED
        complain(f"{clean_name(file.name)}: {error.code}: {error}")
    raise typer.Exit(code)


def _stem(file: Path) -> str:
    return Path(clean_name(file.name)).stem


def _show_page(document: "Document", number: int, profile: "Profile", stem: Path) -> bool:
    """Print and draw a page; False where it is refused."""
    from hwr.forms import lay_out, page_form

    try:
        image = document.page(number).image
        form = page_form(image, profile, number)
        found = lay_out(image, form)
    except PageError as error:
        complain(f"page {number}: {error.code}: {error}")
        return False
    if found.warning:
        complain(f"page {number}: {found.warning.code}: {found.warning}")
    picture = stem.with_name(f"{stem.name}-{number}.png")
    _draw(image, found, picture)
    height, width = image.shape
    typer.echo(f"page {number}: {form.name}, {width} × {height} pixels → {picture}")
    for row in _rows(found):
        typer.echo(f"  {row}")
    return True


def _draw(image: "Grey", found: "PageLayout", path: Path) -> None:
    from PIL import Image

    from hwr.forms import draw_layout
    from hwr.model.files import replacing

    lines = [one.line for one in found.lines]
    drawn = draw_layout(image, lines, [""] * len(lines), found.zones)
    with replacing(path) as temporary:
        Image.fromarray(drawn).save(temporary)


def _rows(found: "PageLayout") -> Iterator[str]:
    from workers.commands.tables import table

    counts = Counter(_called(one.zone) if one.zone else _OUTSIDE for one in found.lines)
    rows = [_row(zone, counts[_called(zone)]) for zone in found.zones]
    if counts[_OUTSIDE] or not rows:
        rows.append((_OUTSIDE, "", "text", str(counts[_OUTSIDE]), "", "", "", ""))
    yield from table(_HEADING, rows)


def _called(zone: "Zone") -> str:
    return f"{zone.name} (sheet {zone.sheet})" if zone.sheet else zone.name


def _row(zone: "Zone", lines: int) -> tuple[str, ...]:
    x, y = zip(*zone.polygon, strict=True)
    holds = (zone.decoder or "text") if zone.is_read else "nothing"
    places = map(str, (min(x), min(y), max(x), max(y)))
    return (_called(zone), zone.found.value, holds, str(lines), *places)
