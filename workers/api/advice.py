"""How long a client should wait before it looks at a job again."""

import math
from datetime import UTC, datetime
from statistics import fmean

from fastapi import Response

from workers.database import FINAL_STATES
from workers.jobs import DocumentView, JobView

#: Least and most seconds until the next look.
LEAST_S, MOST_S = 1, 30

#: Share of the time that is left, as it is judged from the pages so far: a job is seen to have
#: ended that much too late at most.
_SHARE = 0.1

#: What an answer about a job that has not ended advises, for /docs.
ADVICE = {
    "Retry-After": f"Seconds until asking again, {LEAST_S} to {MOST_S} by what is left to read; "
    "only while the job runs"
}


def advise(response: Response, view: JobView) -> None:
    """Tell the client of a job that has not ended when to ask again."""
    if view.state not in FINAL_STATES:
        age = (datetime.now(UTC) - view.created).total_seconds()
        response.headers["Retry-After"] = str(seconds_until_next_look(view, age))


def seconds_until_next_look(view: JobView, age: float) -> int:
    """A share of the time that is left, and never more than the job's age.

    Args:
        age: Seconds since the job came in.
    """
    left = sum(_pages_left(document, _usual_pages(view)) for document in view.documents)
    rest = age * left / max(_finished(view), 1)
    return math.floor(min(max(min(rest * _SHARE, age), LEAST_S), MOST_S))


def _usual_pages(view: JobView) -> float:
    """Pages that a document has, judged from those that were opened."""
    known = [document.page_count for document in view.documents if document.page_count]
    return fmean(known) if known else 1.0


def _pages_left(document: DocumentView, usual_pages: float) -> float:
    if document.state in FINAL_STATES:
        return 0.0
    return (document.page_count or usual_pages) - document.pages_done - document.pages_failed


def _finished(view: JobView) -> int:
    """Pages that are finished; a document that was refused unopened counts as one."""
    refused = (d.state in FINAL_STATES and d.page_count is None for d in view.documents)
    return view.pages_done + sum(refused)
