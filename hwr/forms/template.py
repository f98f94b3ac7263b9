"""A page laid on the blank form that it was filled in on, and the form's print taken away.

Features of the page (ORB) are matched to those of the form; a homography that enough of them agree
on (RANSAC) says where the form lies on the page, whichever way up and however it was photographed.
"""

import logging
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice, zip_longest
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from hwr.documents import open_document
from hwr.errors import DocumentError, FormNotFound, PageError, ProfileError
from hwr.forms.form_print import spread, without_form_print
from hwr.forms.sheet import FLAT_SIDE, FlatSheet
from hwr.layout import Upright
from hwr.layout.homography import Homography, corners, mapped, rectified
from hwr.layout.ink import Grey, Ink, evenly_lit
from hwr.layout.pattern import darkest_of
from hwr.profiles import Profile

log = logging.getLogger(__name__)

#: Features are looked for on pictures whose longer side is at most this, in pixels.
SEARCH_SIDE = 1200
#: Smaller pictures have no features.
LEAST_SIDE = 32
#: Most features of a picture: matching compares each of the page with each of the form.
MOST_FEATURES = 3000
#: They are chosen of so many, evenly from squares of this side in pixels of the search picture: a
#: bold heading has the strongest, and what is known by it alone is far off at the foot.
CANDIDATES, CELL = 60_000, 100
#: A match is believed whose second best is further away by this factor.
DISTINCT = 0.8
#: Features that agree lie within so many pixels of the search picture.
AGREEMENT = 3.0
#: Fewest features that agree.
FEWEST = 20
#: Share of the picture that the form covers at least, and how far its sides may differ from those
#: of a rectangle seen at an angle.
LEAST_COVER, MOST_UNEQUAL = 0.1, 1.6
#: Grey levels by which the form's print is darker than its paper at least.
PRINT_LEVEL = 30
#: Of the form's print that is darker than this share of its darkest, so much is on the page at
#: least: forms of one house share their heads. Copiers lose what is fainter.
DARKEST_PRINT, LEAST_SHOWN = 0.5, 0.5


@dataclass(frozen=True, kw_only=True, eq=False)
class Template:
    """A blank form, known by its features."""

    #: Whether its paper has a pattern, which is not taken for print.
    patterned: bool = False
    #: How much darker than its paper, uint8 (h, w); the longer side at most FLAT_SIDE.
    dark: Grey
    #: Grey levels by which its print is darker than its paper and the paper's pattern.
    level: float
    #: Places of its features in pixels of `dark`, float32 (n, 2).
    places: NDArray[np.float32]
    #: What they look like, uint8 (n, 32).
    features: NDArray[np.uint8]


@dataclass(frozen=True, kw_only=True, eq=False)
class Registered:
    """A page as if it were the form, filled in."""

    #: The page in the form's frame, without the form's print.
    view: Upright
    #: The form's own print in that frame.
    sheet: FlatSheet


def open_template(path: Path, *, patterned: bool = False) -> Template:
    """The blank form in a picture or the first page of a document, `patterned` as its profile says.

    Raises:
        ProfileError: it cannot be read, or has too little print to be known by; names no folder.
    """
    try:
        return _opened(path, patterned, path.stat().st_mtime_ns)
    except (DocumentError, PageError, OSError) as error:
        log.warning("template %s: %s", path, error)
        reason = error.strerror if isinstance(error, OSError) else error
        raise ProfileError(
            f"The template {path.name} cannot be read ({reason}). Put it beside its profile again."
        ) from error


def check_templates(profile: Profile) -> None:
    """Open each blank form that the profile names, before a page is laid on it.

    Raises:
        ProfileError: as `open_template`.
    """
    for page in profile.content.pages:
        if page.template is not None:
            open_template(page.template, patterned=page.patterned)


def register(image: Grey, template: Template) -> Registered:
    """Lay a grey page (H, W) on its form.

    Raises:
        FormNotFound: too little of the form is to be seen on the page.
    """
    places, features = _features(image)
    pairs = _matches(template.features, features)
    to_page = _agreed(template.places[pairs[:, 0]], places[pairs[:, 1]], template, image)
    height, width = template.dark.shape
    outline = mapped(corners(width, height), to_page)
    area = float(cv2.contourArea(outline.astype(np.float32)))
    scale = float(np.clip(np.sqrt(area / template.dark.size), 0.25, 4.0))
    size = max(round(width * scale), 1), max(round(height * scale), 1)
    # From pixels of the view to those of the form.
    grown = np.diag([width / size[0], height / size[1], 1.0])
    place = to_page @ grown
    view = rectified(image, place, size)
    form, ink = _sized(template.dark, view), _ink(view, template.patterned)
    if _shown(ink, form) < LEAST_SHOWN:
        raise FormNotFound
    clean = without_form_print(view, ink, (form > template.level).astype(np.uint8))
    shape = (image.shape[0], image.shape[1])
    return Registered(
        view=Upright(image=clean, page_shape=shape, to_page=place),
        sheet=FlatSheet(dark=template.dark, to_page=np.linalg.inv(grown)),
    )


def _shown(ink: Ink, form: Grey) -> float:
    """Share of the form's print that is on a page in its frame; all if it is too pale to tell."""
    least = DARKEST_PRINT * int(form.max())
    return float(spread(ink)[form > least].mean()) if least >= PRINT_LEVEL else 1.0


def _sized(dark: Grey, view: Grey) -> Grey:
    size = view.shape[1], view.shape[0]
    return np.asarray(cv2.resize(dark, size, interpolation=cv2.INTER_AREA), np.uint8)


def _ink(view: Grey, patterned: bool) -> Ink:
    flat = evenly_lit(view)
    return (cv2.bitwise_not(flat) > _level(flat, patterned)).astype(np.uint8)


@lru_cache(maxsize=8)
def _opened(path: Path, patterned: bool, _: int) -> Template:
    """`_` is when the file was changed last."""
    with open_document(path) as document:
        image = document.page(1).image
    factor = min(FLAT_SIDE / max(image.shape), 1.0)
    size = max(round(image.shape[1] * factor), 1), max(round(image.shape[0] * factor), 1)
    small = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
    places, features = _features(small)
    if len(places) < FEWEST:
        raise ProfileError(f"The template {path.name} has too little print. Leave it out.")
    flat = evenly_lit(small)
    dark = np.asarray(cv2.bitwise_not(flat), np.uint8)
    level = _level(flat, patterned)
    return Template(patterned=patterned, dark=dark, level=level, places=places, features=features)


def _level(flat: Grey, patterned: bool) -> float:
    """Grey levels by which print and ink are darker than paper, evenly lit, and its pattern."""
    return max(PRINT_LEVEL, darkest_of(flat)) if patterned else PRINT_LEVEL


def _features(image: Grey) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Places (n, 2) of features in pixels of the image, and what they look like (n, 32)."""
    height, width = image.shape
    if min(height, width) < LEAST_SIDE:
        return np.empty((0, 2), np.float32), np.empty((0, 32), np.uint8)
    scale = min(SEARCH_SIDE / max(height, width), 1.0)
    size = max(round(width * scale), 1), max(round(height * scale), 1)
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    orb = cv2.ORB.create(CANDIDATES)
    found, features = orb.compute(small, _evenly(orb.detect(small, None)))
    if features is None:
        return np.empty((0, 2), np.float32), np.empty((0, 32), np.uint8)
    places = np.array([one.pt for one in found], np.float32)
    return places / np.float32(scale), np.asarray(features, np.uint8)


def _evenly(found: Sequence[cv2.KeyPoint]) -> list[cv2.KeyPoint]:
    """The strongest of each square, from all squares as many as they have."""
    cells: dict[tuple[int, int], list[cv2.KeyPoint]] = defaultdict(list)
    for one in sorted(found, key=lambda one: -one.response):
        cells[int(one.pt[0] / CELL), int(one.pt[1] / CELL)].append(one)
    # First the strongest of every square, then the next of every one, and so on.
    in_turn = (one for ones in zip_longest(*cells.values()) for one in ones if one is not None)
    return list(islice(in_turn, MOST_FEATURES))


def _matches(form: NDArray[np.uint8], page: NDArray[np.uint8]) -> NDArray[np.int_]:
    """Pairs (n, 2) of features of the form and of the page that look alike and like no other."""
    if len(page) < 2:
        return np.empty((0, 2), int)
    two = cv2.BFMatcher(cv2.NORM_HAMMING).knnMatch(form, page, k=2)
    pairs = [(a.queryIdx, a.trainIdx) for a, b in two if a.distance < DISTINCT * b.distance]
    return np.array(pairs, int).reshape(-1, 2)


def _agreed(
    form: NDArray[np.float32], page: NDArray[np.float32], template: Template, image: Grey
) -> Homography:
    """What takes the form to the page, by most of the pairs; FormNotFound where that is too few."""
    if len(form) < FEWEST:
        raise FormNotFound
    reach = AGREEMENT * max(image.shape[0] / SEARCH_SIDE, image.shape[1] / SEARCH_SIDE, 1.0)
    found, agreeing = cv2.findHomography(form, page, cv2.RANSAC, reach, maxIters=2000)
    if found is None or int(agreeing.sum()) < FEWEST:
        raise FormNotFound
    height, width = template.dark.shape
    outline = mapped(corners(width, height), np.asarray(found, np.float64))
    if not _is_sheet(outline, image):
        raise FormNotFound
    return np.asarray(found, np.float64)


def _is_sheet(outline: NDArray[np.float64], image: Grey) -> bool:
    """Whether a flat sheet may look like that: convex, not mirrored, not too small or askew."""
    points = outline.astype(np.float32)
    if not (np.isfinite(points).all() and cv2.isContourConvex(points)):
        return False
    if cv2.contourArea(points, oriented=True) < LEAST_COVER * image.size:
        return False
    sides = np.linalg.norm(np.roll(outline, -1, axis=0) - outline, axis=1)
    unequal = max(sides[:2] / sides[2:]), max(sides[2:] / sides[:2])
    return bool(max(unequal) < MOST_UNEQUAL)
