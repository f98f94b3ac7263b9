"""Keeps hands on disk: some thirty bytes a letter, read ten times as fast as JSON.

The file is NumPy's .npz: the strokes' points, one after the other, as steps of a thousandth of an
x-height from the point before; the points of each stroke; and as JSON text what letters are made of
them. Nothing in it is executed when it is read.
"""

import json
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwr.training.letters import Hand, Letter
from hwr.training.pen import Stroke

#: Steps of a coordinate in an x-height.
_STEPS = 1_000


def save_hands(path: Path, hands: Sequence[Hand]) -> None:
    """Write `hands` to the file `path`, coordinates rounded to a thousandth of an x-height."""
    forms = chain.from_iterable(chain.from_iterable(hand.letters.values()) for hand in hands)
    strokes = [_steps(stroke) for form in forms for stroke in form.strokes]
    with path.open("wb") as file:
        np.savez_compressed(
            file,
            steps=np.concatenate([np.zeros((0, 2), np.int32), *strokes]),
            points=np.array([len(stroke) for stroke in strokes], np.int32),
            hands=np.frombuffer(json.dumps([_outline(hand) for hand in hands]).encode(), np.uint8),
        )


def load_hands(path: Path) -> list[Hand]:
    """The hands that `save_hands` wrote to `path`."""
    # Opened here, for numpy leaves a damaged file open.
    with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
        strokes = iter(_strokes(file["steps"], file["points"]))
        outlines = json.loads(file["hands"].tobytes())
    return [
        Hand(
            writer=writer,
            letters={c: tuple(_letter(form, strokes) for form in forms) for c, forms in own},
        )
        for writer, own in outlines
    ]


def _outline(hand: Hand) -> list[Any]:
    return [
        hand.writer,
        [
            [c, [[len(form.strokes), form.width, form.entry, form.exit] for form in forms]]
            for c, forms in hand.letters.items()
        ],
    ]


def _letter(form: Sequence[Any], strokes: Iterator[Stroke]) -> Letter:
    count, width, entry, leave = form
    return Letter(
        strokes=tuple(islice(strokes, count)),
        width=width,
        entry=entry and tuple(entry),
        exit=leave and tuple(leave),
    )


def _steps(stroke: Stroke) -> NDArray[np.int32]:
    places = np.rint(stroke * _STEPS).astype(np.int32)
    steps: NDArray[np.int32] = places - np.concatenate([np.zeros((1, 2), np.int32), places[:-1]])
    return steps


def _strokes(steps: NDArray[np.int32], points: NDArray[np.int32]) -> list[Stroke]:
    ends = points.cumsum()
    places = steps.cumsum(axis=0, dtype=np.int64)
    before = np.concatenate([np.zeros((1, 2), np.int64), places[ends[:-1] - 1]])[: len(points)]
    places -= before.repeat(points, axis=0)
    return np.split((places / _STEPS).astype(np.float32), ends[:-1])
