"""Which kind of its profile's pages a page is: by its number, or by what is printed on it."""

from dataclasses import replace

import numpy as np

from hwr.forms.page import Placed, cleaned, placed_form, placed_sheets, zoned
from hwr.layout.ink import Grey
from hwr.profiles import PageForm, Profile


def page_form(image: Grey, profile: Profile, number: int) -> PageForm:
    """What the grey page (H, W) with that number is: not every stack is in the profile's order.

    Raises:
        ProfileError: a form's template cannot be used.
    """
    forms = profile.wherever_found(number)
    page = cleaned(image) if forms else image
    return next((form for form in forms if _is_on(page, form)), profile.page(number))


def _is_on(image: Grey, form: PageForm) -> bool:
    """Whether a page shows the form, once or several times."""
    found = placed_form(image, form)
    if found.warning is None:
        return form.template is not None or not _shows_through(found, form)
    sheets = placed_sheets(image, form) if form.several_sheets else []
    return any(not _shows_through(one, form) for one in sheets)


def _shows_through(placed: Placed, form: PageForm) -> bool:
    """Whether a sheet is rather the back of the form, seen through the paper."""
    image, fitting = placed.view.image, placed.finder.fitting(form)
    ways = (np.ascontiguousarray(way) for way in (image[:, ::-1], image[::-1]))
    mirrored = (zoned(replace(placed.view, image=way), form) for way in ways)
    return any(one.finder.fitting(form) > fitting for one in mirrored)
