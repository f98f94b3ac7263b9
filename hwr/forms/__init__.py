"""A page under a profile: where its zones are, and which line stands in which."""

from hwr.forms.kind import page_form
from hwr.forms.overlay import draw_layout
from hwr.forms.page import PageLayout, lay_out
from hwr.forms.template import check_templates
from hwr.forms.zone import Found, Zone, ZonedLine

__all__ = [
    "Found",
    "PageLayout",
    "Zone",
    "ZonedLine",
    "check_templates",
    "draw_layout",
    "lay_out",
    "page_form",
]
