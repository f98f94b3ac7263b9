"""How far decoding should heed a language model: tried out on validation lines.

Half of the writers of each set choose; the other half, which had no say, shows what it brought. A
set by one writer is halved by its lines.
"""

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from hwr.decoding.decoders import BeamDecoder, BestPathDecoder, Decoder
from hwr.decoding.guides import LanguageGuide
from hwr.decoding.language_model import Heed, LanguageModel
from hwr.engines import Engine, LineBatch
from hwr.model.alphabet import Alphabet
from hwr.model.line_views import view
from hwr.training.evaluation import pictured
from hwr.training.metrics import ErrorRates, error_rates
from hwr.training.samples import LineSample

log = logging.getLogger(__name__)

_WEIGHTS = (0.4, 0.5, 0.6)
#: Bonus for a character, in times the weight.
_BONUSES = (2.0, 2.5, 3.0)
_DOUBTS = (0.1, 0.2)
#: Lines of a set that choose: more of the same writers would only take time.
_MOST_LINES = 200


@dataclass(frozen=True, kw_only=True)
class SeenLine:
    """A validation line as the recogniser saw it."""

    dataset: str
    writer: str
    #: The truth, folded to the alphabet.
    text: str
    #: (T, C) float32.
    logits: NDArray[np.float32]


def see_lines(
    samples: Sequence[LineSample], engine: Engine, alphabet: Alphabet
) -> Iterator[SeenLine]:
    """What the engine makes of the lines; a broken picture is logged by name and left out."""
    for group, images in pictured(samples):
        batch = LineBatch.stack([view(image, 0) for image in images])
        for sample, logits in zip(group, engine.logits(batch).rows(batch), strict=True):
            yield SeenLine(
                dataset=sample.dataset,
                writer=sample.writer,
                text=alphabet.fold(sample.text),
                logits=logits,
            )


def halve(lines: Iterable[SeenLine]) -> tuple[list[SeenLine], list[SeenLine]]:
    """The lines that choose, and the others."""
    choosing: list[SeenLine] = []
    others: list[SeenLine] = []
    for own in _by(lines, lambda line: line.dataset):
        parts = _by(own, lambda line: line.writer)
        for index, part in enumerate(parts if len(parts) > 1 else [[line] for line in own]):
            (others if index % 2 else choosing).extend(part)
    return choosing, others


def choose_heed(lines: Iterable[SeenLine], model: LanguageModel, alphabet: Alphabet) -> Heed:
    """The setting that leaves the smallest share of the best path's errors."""
    few = _few(lines)
    plain = rates(few, BestPathDecoder(alphabet))
    shares: dict[Heed, float] = {}
    for weight, times, doubt in product(_WEIGHTS, _BONUSES, _DOUBTS):
        heed = Heed(weight=weight, bonus=round(weight * times, 3), doubt=doubt)
        shares[heed] = _share_left(rates(few, beam(model, alphabet, heed)), plain)
        log.info("%s leaves %.3f of the errors", heed, shares[heed])
    return min(shares, key=shares.__getitem__)


def beam(model: LanguageModel, alphabet: Alphabet, heed: Heed) -> Decoder:
    """Beam search with a language model that has no file yet."""
    return BeamDecoder(alphabet, LanguageGuide(model, alphabet, heed), "beam")


def rates(lines: Iterable[SeenLine], decoder: Decoder) -> dict[str, ErrorRates]:
    """Error rates of each data set."""
    pairs: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for line in lines:
        pairs[line.dataset].append((line.text, decoder.read(line.logits).text))
    return {name: error_rates(found) for name, found in sorted(pairs.items())}


def _few(lines: Iterable[SeenLine]) -> list[SeenLine]:
    sets = _by(lines, lambda line: line.dataset)
    return [line for rows in sets for line in rows[:: -(-len(rows) // _MOST_LINES)]]


def _by(lines: Iterable[SeenLine], key: Callable[[SeenLine], str]) -> list[list[SeenLine]]:
    groups: dict[str, list[SeenLine]] = defaultdict(list)
    for line in lines:
        groups[key(line)].append(line)
    return list(groups.values())


def _share_left(found: dict[str, ErrorRates], plain: dict[str, ErrorRates]) -> float:
    """Mean remaining share of errors, of characters and of words, of the sets.

    A set counts by the root of its lines: small ones have their say, but their chance has less.
    """
    shares, roots = [], []
    for name, before in plain.items():
        after = found[name]
        shares.append((after.cer + after.wer) / max(before.cer + before.wer, 1e-9))
        roots.append(before.lines**0.5)
    return float(np.average(shares, weights=roots))
