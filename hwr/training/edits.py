"""What it takes to turn a reading into the truth: Levenshtein distance and alignment."""

from collections.abc import Sequence

#: (character of the truth, character read); one of them is empty for a deletion or an insertion.
Edit = tuple[str, str]


def edit_distance(a: Sequence[object], b: Sequence[object]) -> int:
    """Fewest insertions, deletions and substitutions between `a` and `b`."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        previous, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            previous, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, previous + (x != y))
    return row[-1]


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
