"""The limits that documents are opened with, from the settings."""

from hwr.documents import Limits
from workers.settings import Settings

#: Part of a page's deadline after which poppler is stopped. It must be the first to be told: the
#: deadline itself interrupts us, but leaves the poppler that we wait for running.
POPPLER_PART = 0.8


def limits_of(settings: Settings) -> Limits:
    """The settings' limits in the form that hwr.documents takes."""
    return Limits(
        max_bytes=settings.max_bytes,
        max_pages=settings.max_pages,
        max_side=settings.max_side,
        page_timeout_s=settings.page_deadline_s * POPPLER_PART,
        render_dpi=settings.render_dpi,
    )
