"""The batch: one exam as PDF, three cheques as PNG, two as bilevel G4 TIFF."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from hwr.samples.cheque import bilevel, cheque_back, cheque_front, choose_cheque
from hwr.samples.exam import exam_pages
from hwr.samples.fonts import Face
from hwr.samples.pdf import write_pdf
from hwr.samples.scanner import Scan
from hwr.samples.truth import Truth, TruthPage

#: Resolution of every sample
DPI = 200
#: The fonts of the colour cheques and of the black and white ones
COLOUR_FACES = (Face.SHADOWS, Face.INTUITIVE, Face.AMATIC)
BILEVEL_FACES = (Face.SHADOWS, Face.INTUITIVE)


@dataclass(frozen=True, kw_only=True)
class Sample:
    """A document and the JSON file with its truth."""

    path: Path
    truth_path: Path
    #: Name of the profile that says what stands where on it
    profile: str


def write_batch(folder: Path, *, pages: int = 4, seed: int = 2) -> tuple[Sample, ...]:
    """Draw the batch into the folder; an exam of `pages` pages. The same seed, the same bytes.

    Raises MissingFont when a font package is not installed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    exam = _write_exam(folder, pages, seed)
    pngs = [_write_png(folder, place, face, seed) for place, face in enumerate(COLOUR_FACES, 1)]
    tiffs = [_write_tiff(folder, place, face, seed) for place, face in enumerate(BILEVEL_FACES, 4)]
    return (exam, *pngs, *tiffs)


def _write_exam(folder: Path, pages: int, seed: int) -> Sample:
    path = folder / "exam.pdf"
    truths: list[TruthPage] = []
    scans = exam_pages(pages, np.random.default_rng([seed, 0]))
    write_pdf(path, _pictures(scans, truths), DPI)
    return _save_truth(path, truths, seed, "exam")


def _pictures(scans: Iterator[Scan], truths: list[TruthPage]) -> Iterator[NDArray[np.uint8]]:
    for scan in scans:
        truths.append(scan.truth)
        yield scan.picture


def _write_png(folder: Path, place: int, face: Face, seed: int) -> Sample:
    path = folder / f"cheque_{place}.png"
    rng = np.random.default_rng([seed, place])
    front = cheque_front(choose_cheque(rng, face), rng, pattern=True)
    Image.fromarray(front.picture).save(path, dpi=(DPI, DPI))
    return _save_truth(path, [front.truth], seed, "cheque")


def _write_tiff(folder: Path, place: int, face: Face, seed: int) -> Sample:
    """The last of the black and white cheques has its back as a second page."""
    path = folder / f"cheque_{place}.tif"
    rng = np.random.default_rng([seed, place])
    cheque = choose_cheque(rng, face)
    sides = [cheque_front(cheque, rng, pattern=False)]
    if face is BILEVEL_FACES[-1]:
        sides.append(cheque_back(cheque, rng))
    first, *others = [Image.fromarray(bilevel(side.picture)) for side in sides]
    first.save(path, save_all=True, append_images=others, compression="group4", dpi=(DPI, DPI))
    return _save_truth(path, [side.truth for side in sides], seed, "cheque")


def _save_truth(path: Path, pages: Sequence[TruthPage], seed: int, profile: str) -> Sample:
    truth_path = path.with_suffix(".truth.json")
    Truth(file=path.name, dpi=DPI, seed=seed, pages=tuple(pages)).save(truth_path)
    return Sample(path=path, truth_path=truth_path, profile=profile)
