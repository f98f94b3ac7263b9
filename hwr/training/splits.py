"""Which lines of labelled data sets are taken."""

from enum import StrEnum


class Split(StrEnum):
    """A choice of the lines that data sets hold."""

    TRAIN = "train"
    VAL = "val"
    #: Every line, also of splits with other names.
    ALL = "all"


def takes(split: str, named: str) -> bool:
    """Whether a line that its data set puts into the split `named` is one of `split`."""
    return split in (named, Split.ALL)
