"""Which lines of labelled data sets are taken."""

import logging
from collections import Counter
from collections.abc import Iterable
from enum import StrEnum

log = logging.getLogger(__name__)

#: What to do where too few lines validate.
MORE_TO_VALIDATE = (
    "Say in a column `writer` who wrote each line, so that one in ten writers validates, or put"
    " lines into the split val by a column `split`."
)

#: What a data set may keep lines from training and validation with.
_SET_ASIDE = {"test", "unused"}


class Split(StrEnum):
    """A choice of the lines that data sets hold."""

    TRAIN = "train"
    VAL = "val"
    #: Every line, also of splits with other names.
    ALL = "all"


def takes(split: str, named: str) -> bool:
    """Whether a line that its data set puts into the split `named` is one of `split`."""
    return split in (named, Split.ALL)


def tell_shared(dataset: str, assigned: Iterable[tuple[str, str]]) -> None:
    """Warn of writers who train and validate, from the (writer, split) of each line."""
    writers: dict[str, set[str]] = {split: set() for split in Split}
    for writer, split in assigned:
        writers.setdefault(split, set()).add(writer)
    if shared := sorted(writers[Split.TRAIN] & writers[Split.VAL]):
        log.warning(
            "%s: %d writers have lines in train and in val, %a among them, so that figures flatter."
            " Put all lines of a writer into one split.",
            dataset,
            len(shared),
            shared[0],
        )


def tell_others(dataset: str, named: Iterable[str]) -> None:
    """Warn of lines in splits that neither trains nor validates, most likely by another name."""
    counts = Counter(name for name in named if name not in {*Split, *_SET_ASIDE})
    for name, count in counts.items():
        log.warning(
            "%s: %d lines are in the split %a, which nothing takes but `--split all`. Call it train"
            " or val, or test where that is meant.",
            dataset,
            count,
            name,
        )
