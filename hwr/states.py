"""Where a job, a document or a page stands, as results, the database and the API say it."""

from enum import StrEnum


class State(StrEnum):
    """Where a job, a document or a page stands."""

    QUEUED = "queued"  # nobody has begun
    RUNNING = "running"  # somebody has begun
    DONE = "done"  # all of it was read
    DONE_WITH_ERRORS = "done_with_errors"  # read, but some pages or documents failed
    FAILED = "failed"  # nothing could be read; the error says why
    CANCELLED = "cancelled"  # a client called it off


#: States that nothing leaves.
FINAL_STATES = frozenset({State.DONE, State.DONE_WITH_ERRORS, State.FAILED, State.CANCELLED})
