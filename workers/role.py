"""The two kinds of workers."""

from enum import StrEnum


class Role(StrEnum):
    """What a worker does."""

    SPLIT = "split"  # opens documents
    READ = "read"  # reads pages and publishes results
