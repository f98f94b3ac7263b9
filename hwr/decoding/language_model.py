"""A character n-gram language model: what may follow what was read so far.

A back-off model (Katz 1987) held as a trie of n-grams. Nodes are numbered level by level: 0 is the
empty context, then all unigrams, all bigrams …; the children of a node are neighbours, sorted by
symbol. A file holds three bytes an n-gram: its symbol, its number of children and its probability
in steps of 1/16 nat. Suffix links and back-off weights follow from these and are computed on
loading, so that the probabilities after any context sum to one whatever was pruned or rounded.

Symbols: 0 is the edge of a line, 1 a character the model does not know, character i is i + 2.
"""

import ctypes
import hashlib
import json
from array import array
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from hwr.errors import ModelError
from hwr.model.files import write_tensors

#: The language model that comes with hwr.
SHIPPED = Path(__file__).parents[1] / "model" / "weights" / "hwr-language.safetensors"
#: The symbol on both sides of a line.
EDGE = 0
#: Every character that the model does not know.
UNKNOWN = 1
#: Symbols fit a byte.
MOST_CHARACTERS = 253
#: Probabilities are stored as negative logarithms in steps of this many nats.
STEP = 1 / 16
#: What a reader will hold in memory: about 30 bytes an n-gram.
MOST_NGRAMS = 8_000_000
#: Number of a node. With MOST_NGRAMS below 2**23 even one with a symbol's byte behind it fits.
_NODE = np.int32
#: Longer n-grams would not fit the 64-bit keys of training.
MOST_ORDER = 8
#: Share of a context's probability that is always left to shorter contexts.
_BACK_OFF = 1e-3
_TINY = 1e-9


@dataclass(frozen=True, kw_only=True, eq=False)
class NgramTable:
    """The trie as files hold it; n-grams of every order in one row, level by level."""

    #: Characters in symbol order, the first has symbol 2.
    characters: str
    #: (order,) int64: number of n-grams of each length.
    levels: NDArray[np.int64]
    #: (n,) uint8: last symbol of each n-gram.
    symbols: NDArray[np.uint8]
    #: (1 + n - levels[-1],) uint8: children of the root and of each n-gram below the highest order.
    children: NDArray[np.uint8]
    #: (n,) uint8: -log p in steps of STEP.
    costs: NDArray[np.uint8]


@dataclass(frozen=True, kw_only=True)
class Heed:
    """How far decoding heeds a language model; tuned with it and stored beside it."""

    #: Weight of its log-probabilities against the recogniser's.
    weight: float = 0.4
    #: Nats for each character: what a long text loses by it that a short one does not.
    bonus: float = 1.2
    #: Share of its probabilities that is spread evenly over all characters, so that a name or a
    #: code it never saw costs no more than chance.
    doubt: float = 0.1

    def __post_init__(self) -> None:
        if not (0 <= self.weight <= 10 and 0 <= self.bonus <= 100 and 0 <= self.doubt < 1):
            raise ValueError(f"{self} makes no sense")


class LanguageModel:
    """Gives the log-probability of a symbol in a state and the state after it; states are nodes."""

    def __init__(self, table: NgramTable) -> None:
        """Link the trie.

        Raises:
            ValueError: the table is no such trie.
        """
        trie = _Trie(table)
        trie.link()
        self.order = len(table.levels)
        self.characters = table.characters
        self._symbols = {character: i + 2 for i, character in enumerate(table.characters)}
        # Plain bytes and arrays: reading one number from them is faster than from numpy.
        self._names = trie.symbols.tobytes()
        self._first = _nodes(trie.first)
        self._shorter = _nodes(trie.context[trie.suffix])
        self._context = _nodes(trie.context)
        self._score = array("d", np.log(trie.probability).tobytes())
        self._back_off = array("d", np.log(trie.back_off).tobytes())
        self.start = self.advance(0, EDGE)[1]

    def symbol(self, character: str) -> int:
        """The symbol of a character."""
        return self._symbols.get(character, UNKNOWN)

    def advance(self, state: int, symbol: int) -> tuple[float, int]:
        """The natural logarithm of p(symbol | state), and the state after it."""
        score = 0.0
        node = self._names.find(symbol, self._first[state], self._first[state + 1])
        while node < 0:
            score += self._back_off[state]
            state = self._shorter[state]
            node = self._names.find(symbol, self._first[state], self._first[state + 1])
        return score + self._score[node], self._context[node]

    def score(self, text: str) -> float:
        """The natural logarithm of p(text), a whole line."""
        total, state = 0.0, self.start
        for symbol in (*map(self.symbol, text), EDGE):
            score, state = self.advance(state, symbol)
            total += score
        return total


@dataclass(frozen=True, kw_only=True)
class StoredLanguageModel:
    """A language model with what names it in an audit."""

    model: LanguageModel
    heed: Heed
    #: First 16 hexadecimal digits of the file's SHA-256.
    hash: str


def save_language_model(path: Path, table: NgramTable, heed: Heed) -> None:
    """Write the table to `path`, replacing what is there in one step."""
    tensors: dict[str, NDArray[Any]] = {
        "levels": table.levels,
        "symbols": table.symbols,
        "children": table.children,
        "costs": table.costs,
    }
    metadata = {"characters": table.characters, "heed": json.dumps(asdict(heed))}
    write_tensors(path, tensors, metadata)


def load_language_model(path: Path | None = None) -> StoredLanguageModel:
    """The language model in the file `path`, by default the shipped one.

    Raises:
        ModelError: the file is missing, damaged or of another kind.
    """
    path = path or SHIPPED
    try:
        return _load(path, path.stat().st_mtime_ns)
    except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
        raise ModelError(
            f"{path} is not a usable language model ({error})."
            " Name another with HWR_LANGUAGE_MODEL, or install hwr again."
        ) from error


@lru_cache(maxsize=1)
def _load(path: Path, _changed_ns: int) -> StoredLanguageModel:
    """Linking takes a while: readers in one process share what never changes."""
    stored = _link(path)
    _give_back()
    return stored


def _give_back() -> None:
    """Return to the system what linking took and glibc keeps: a third of a reading process."""
    with suppress(AttributeError):  # only glibc has this
        ctypes.CDLL(None).malloc_trim(0)


def _link(path: Path) -> StoredLanguageModel:
    data = path.read_bytes()
    with safe_open(path, "np") as file:
        metadata = file.metadata() or {}
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    table = NgramTable(characters=metadata["characters"], **tensors)
    return StoredLanguageModel(
        model=LanguageModel(table),
        heed=Heed(**json.loads(metadata["heed"])),
        hash=hashlib.sha256(data).hexdigest()[:16],
    )


def _nodes(nodes: NDArray[np.int32]) -> "array[int]":
    """Numbers of nodes in four bytes each."""
    return array("i", nodes.tobytes())


class _Trie:
    """The table with what follows from it; one entry a node."""

    def __init__(self, table: NgramTable) -> None:
        _check_types(table)
        n = len(table.symbols)
        children = np.concatenate((table.children, np.zeros(table.levels[-1], np.uint8)))
        if len(children) != n + 1 or children.sum(dtype=np.int64) != n:
            raise ValueError("its numbers of children are not those of a trie")
        #: Node of each level's first n-gram, and one past the last.
        self.bounds = 1 + np.concatenate((np.zeros(1, np.int64), np.cumsum(table.levels)))
        #: First child; one entry more, so that first[i + 1] ends the children of node i.
        self.first = 1 + np.concatenate((np.zeros(1, _NODE), np.cumsum(children, dtype=_NODE)))
        #: Last symbol; the root's is never looked at.
        self.symbols = np.concatenate((np.zeros(1, np.uint8), table.symbols))
        nodes = np.arange(n + 1, dtype=_NODE)
        self.parent = np.concatenate((np.zeros(1, _NODE), np.repeat(nodes, children)))
        #: Sorted: finds the child of a node by its symbol. Entry i is node i + 1.
        self.keys = (self.parent[1:] << 8) + table.symbols
        #: Different symbols.
        self.kinds = len(table.characters) + 2
        self._check_levels(self.kinds)
        #: The n-gram without its first symbol.
        self.suffix = np.zeros(n + 1, _NODE)
        #: The node itself where it has children, else its longest suffix that has.
        self.context = np.where(children > 0, nodes, _NODE(0))
        costs = np.concatenate((np.zeros(1), table.costs.astype(np.float64)))
        self.probability: NDArray[np.float64] = np.exp(-STEP * costs)
        self.back_off = np.ones(n + 1)

    def link(self) -> None:
        """Fill what follows from the table, the shortest n-grams first."""
        for level, (start, end) in enumerate(pairwise(self.bounds)):
            nodes = slice(int(start), int(end))
            if level:
                self.suffix[nodes] = self._find_suffixes(nodes)
            shorter = self.context[self.suffix[nodes]]
            self.context[nodes] = np.where(self.context[nodes], self.context[nodes], shorter)
            self._weigh(nodes)

    def _find_suffixes(self, nodes: slice) -> NDArray[np.intp]:
        wanted = (self.suffix[self.parent[nodes]] << 8) + self.symbols[nodes]
        places = np.minimum(np.searchsorted(self.keys, wanted), len(self.keys) - 1)
        if not np.array_equal(self.keys[places], wanted):
            raise ValueError("an n-gram is there without its suffix")
        return places + 1

    def _weigh(self, nodes: slice) -> None:
        """Scale a context's probabilities to what it may give away; weigh backing off from it."""
        parents = self.parent[nodes]
        contexts, which, kinds = np.unique(parents, return_inverse=True, return_counts=True)
        totals = np.bincount(which, self.probability[nodes])
        # A context that every symbol follows, as all do the empty one, backs off to nothing.
        whole = kinds == self.kinds
        # Rounding to steps may have raised the total.
        kept = np.where(whole, 1.0, np.minimum(totals, 1.0 - _BACK_OFF))
        self.probability[nodes] *= (kept / np.maximum(totals, _TINY))[which]
        shorter = np.bincount(which, self.probability[self.suffix[nodes]])
        rest = np.maximum(1.0 - shorter, _TINY)
        self.back_off[contexts] = np.where(whole, 1.0, (1.0 - kept) / rest)

    def _check_levels(self, symbols: int) -> None:
        if self.bounds[-1] != len(self.symbols) or np.any(np.diff(self.bounds) < 1):
            raise ValueError("its levels do not add up")
        if np.any(self.first[self.bounds[:-1]] != self.bounds[1:]):
            raise ValueError("its numbers of children do not fit its levels")
        if np.any(np.diff(self.keys) <= 0):
            raise ValueError("its n-grams are not sorted")
        if not np.array_equal(self.symbols[1 : self.bounds[1]], np.arange(symbols)):
            raise ValueError("its unigrams are not its characters")


def _check_types(table: NgramTable) -> None:
    rows = (table.symbols, table.children, table.costs)
    if any(row.dtype != np.uint8 or row.ndim != 1 for row in rows):
        raise ValueError("its n-grams are not bytes")
    if table.levels.dtype != np.int64 or not 1 <= table.levels.size <= MOST_ORDER:
        raise ValueError(f"it has not 1 to {MOST_ORDER} levels")
    if table.levels.ndim != 1 or not 0 < table.levels.min() <= table.levels.sum() <= MOST_NGRAMS:
        raise ValueError(f"it has not 1 to {MOST_NGRAMS} n-grams")
    if not len(table.symbols) == len(table.costs) == table.levels.sum():
        raise ValueError("its rows differ in length")
    if not 0 < len(set(table.characters)) == len(table.characters) <= MOST_CHARACTERS:
        raise ValueError(f"it has not 1 to {MOST_CHARACTERS} different characters")
