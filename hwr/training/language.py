"""`hwr train-language`: a character language model from open text, in one command.

It learns from what may be written on a line: running text cut into lines, the training
transcriptions of a data folder (never the validation ones), drawn dates, amounts and names, and by
frequency words of English and French and names of people. A share of everything is in capitals too.
"""

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from random import Random

import numpy as np
from wordfreq import get_frequency_dict

from hwr.decoding.language_model import NgramTable
from hwr.model.alphabet import Alphabet
from hwr.training import texts
from hwr.training.corpora import CORPORA, corpus_texts
from hwr.training.datasets import read_folder
from hwr.training.names import countries
from hwr.training.ngrams import WeighedTexts, train

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class LanguageRecipe:
    """How a language model is made; weights say how often one character of a source counts."""

    #: Symbols of the longest n-grams.
    order: int = 7
    #: N-grams kept, about; three bytes each.
    most: int = 2_200_000
    seed: int = 1
    #: Lines drawn as forms and cheques hold them.
    drawn_lines: int = 60_000
    drawn: float = 0.5
    transcriptions: float = 5.0
    #: Words of each language's list; most of a list is rare words.
    most_words: int = 100_000
    #: Times all characters of each language's word list, which then count so often together.
    words: float = 3e6
    #: The same for words that fill a line alone.
    single_words: float = 1e6
    #: The same for the given and for the family names of each country.
    names: float = 1e6
    #: Names of each list; French family names are more than twice as many.
    most_names: int = 100_000
    #: Every so many lines, one is taken in capitals as well.
    capitals_every: int = 5


#: Languages of the word lists.
_LANGUAGES = ("en", "fr")
_Forms = Sequence[tuple[Callable[[str], str], float]]
#: A word of a list is seen once for so many counts, like a word of running text.
_WORD_UNIT = 0.5
#: How a word stands among others, and how often.
_AMONG_OTHERS: _Forms = ((str.lower, 0.75), (str.capitalize, 0.15), (str.upper, 0.1))
#: How a word stands alone in a field of a form.
_ALONE: _Forms = ((str.lower, 0.1), (str.capitalize, 0.4), (str.upper, 0.5))
#: How a name stands in a field of a form.
_NAMES: _Forms = ((str, 0.4), (str.upper, 0.6))
#: Lines of running text are cut to about so many characters, as hands fill a line.
_SHORTEST_LINE, _LONGEST_LINE = 20, 70
_CHEQUE = (
    *(texts.amount_in_words,) * 4,
    texts.amount,
    texts.date,
    texts.name,
    texts.formula,
)


def train_language(
    data: Path | None, corpora: Path, alphabet: Alphabet, recipe: LanguageRecipe
) -> NgramTable:
    """A model of the train lines of `data` and of the corpora that folder `corpora` keeps.

    Raises:
        TrainingDataError: a corpus cannot be had, or `data` holds no data set.
    """
    sources = [*_sources(data, corpora, alphabet, recipe)]
    for source in sources:
        count = sum(map(len, source.texts))
        log.info("%s: %d texts, %d characters", source.name, len(source.texts), count)
    return train(sources, alphabet.characters, order=recipe.order, most=recipe.most)


def _sources(
    data: Path | None, corpora: Path, alphabet: Alphabet, recipe: LanguageRecipe
) -> Iterator[WeighedTexts]:
    rng = Random(recipe.seed)  # noqa: S311
    for corpus in CORPORA:
        cut = [line for text in corpus_texts(corpora, corpus) for line in _cut(text, rng)]
        yield from _lines(corpus.name, cut, corpus.weight, alphabet, recipe)
    drawn = [rng.choice(_CHEQUE)(rng) for _ in range(recipe.drawn_lines)]
    yield from _lines("drawn", drawn, recipe.drawn, alphabet, recipe)
    for name, lines in _transcriptions(data) if data else ():
        yield from _lines(name, lines, recipe.transcriptions, alphabet, recipe)
    for language in _LANGUAGES:
        words = _frequencies(language, recipe.most_words)
        yield _words(f"words, {language}", words, _AMONG_OTHERS, recipe.words, alphabet)
        yield _words(f"words, {language}, alone", words, _ALONE, recipe.single_words, alphabet)
    for country in countries():
        for kind, names in (("given", country.given), ("family", country.family)):
            name = f"{country.name} names, {kind}"
            often = islice(names.shares(), recipe.most_names)
            yield _words(name, often, _NAMES, recipe.names, alphabet)


def _cut(text: str, rng: Random) -> Iterator[str]:
    """Running text as lines of whole words."""
    line, room = "", rng.randint(_SHORTEST_LINE, _LONGEST_LINE)
    for word in text.split():
        line = f"{line} {word}".lstrip()
        if len(line) >= room:
            yield line
            line, room = "", rng.randint(_SHORTEST_LINE, _LONGEST_LINE)
    if line:
        yield line


def _transcriptions(data: Path) -> Iterable[tuple[str, Sequence[str]]]:
    """The texts of each data set's train lines."""
    found: dict[str, list[str]] = defaultdict(list)
    for sample in read_folder(data, "train"):
        found[sample.dataset].append(sample.text)
    return found.items()


def _lines(
    name: str, lines: Sequence[str], weight: float, alphabet: Alphabet, recipe: LanguageRecipe
) -> Iterator[WeighedTexts]:
    capitals = [line.upper() for line in lines[:: recipe.capitals_every]]
    for part, label in ((lines, name), (capitals, f"{name}, in capitals")):
        folded = [alphabet.fold(line) for line in part]
        weights = np.full(len(folded), weight)
        yield WeighedTexts(name=label, texts=folded, weights=weights, unit=weight)


def _frequencies(language: str, most: int) -> list[tuple[str, float]]:
    listed = list(get_frequency_dict(language).items())[:most]
    return [(word, f) for word, f in listed if not any(map(str.isdigit, word))]


def _words(
    name: str,
    words: Iterable[tuple[str, float]],
    forms: _Forms,
    mass: float,
    alphabet: Alphabet,
) -> WeighedTexts:
    """Words by frequency, in their forms; all their characters count as much as `mass`."""
    counts: dict[str, float] = defaultdict(float)
    for word, frequency in words:
        for form, share in forms:
            counts[alphabet.fold(form(word))] += frequency * share
    weights = np.fromiter(counts.values(), float)
    lengths = np.array([len(word) + 1 for word in counts])
    return WeighedTexts(
        name=name,
        texts=list(counts),
        weights=weights * mass / (weights @ lengths),
        unit=_WORD_UNIT,
        words=forms is _AMONG_OTHERS,
    )
