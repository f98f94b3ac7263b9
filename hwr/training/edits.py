"""What it takes to turn a reading into the truth: Levenshtein distance and alignment."""

from collections.abc import Hashable, Sequence

import numpy as np

#: (character of the truth, character read); one of them is empty for a deletion or an insertion.
Edit = tuple[str, str]


def edit_distance(a: Sequence[Hashable], b: Sequence[Hashable]) -> int:
    """Fewest insertions, deletions and substitutions between `a` and `b`.

    A row of the table at a time (Wagner and Fischer, 1974), so that whole pages can be compared.
    """
    numbers = {x: number for number, x in enumerate({*a, *b})}
    wanted = np.array([numbers[x] for x in b], np.intp)
    place = np.arange(len(b) + 1)
    row = place
    for i, x in enumerate(a, 1):
        changed = np.minimum(row[:-1] + (wanted != numbers[x]), row[1:] + 1)
        # An insertion costs 1 a place: with the places taken off, it is a running minimum.
        row = np.minimum.accumulate(np.concatenate([[i], changed]) - place) + place
    return int(row[-1])


def align(truth: str, reading: str) -> list[Edit]:
    """The two texts side by side with the fewest edits, equal characters included.

    Of several such alignments the one that substitutes rather than inserts and deletes.
    """
    table = _distances(truth, reading)
    edits: list[Edit] = []
    i, j = len(truth), len(reading)
    while i or j:
        if i and j and table[i][j] == table[i - 1][j - 1] + (truth[i - 1] != reading[j - 1]):
            i, j = i - 1, j - 1
            edits.append((truth[i], reading[j]))
        elif i and table[i][j] == table[i - 1][j] + 1:
            i -= 1
            edits.append((truth[i], ""))
        else:
            j -= 1
            edits.append(("", reading[j]))
    return edits[::-1]


def right_characters(truth: str, reading: str) -> list[bool]:
    """For each character of the reading whether it stands in the truth at its place."""
    return [wanted == read for wanted, read in align(truth, reading) if read]


def _distances(a: str, b: str) -> list[list[int]]:
    """Edit distances of all beginnings of `a` and `b`."""
    table = [list(range(len(b) + 1))]
    for i, x in enumerate(a, 1):
        above, row = table[-1], [i]
        for j, y in enumerate(b, 1):
            row.append(min(above[j] + 1, row[-1] + 1, above[j - 1] + (x != y)))
        table.append(row)
    return table
