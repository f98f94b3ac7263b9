"""The limits that documents are opened with, from the settings."""

from hwr.documents import Limits
from workers.settings import Settings


def limits_of(settings: Settings) -> Limits:
    """The settings' limits in the form that hwr.documents takes."""
    return Limits(
        max_bytes=settings.max_bytes,
        max_pages=settings.max_pages,
        max_side=settings.max_side,
        page_timeout_s=settings.page_deadline_s,
        render_dpi=settings.render_dpi,
    )
