"""Prefix beam search against all CTC paths, and the decoders that settings name."""

from collections import defaultdict
from dataclasses import replace
from functools import cache
from itertools import groupby, product
from math import exp, inf, log
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from hwr.decoding.amounts import worth
from hwr.decoding.beam import BeamOptions, Guide, _candidates, search
from hwr.decoding.confidence import scaled, weigh
from hwr.decoding.decoders import Decoder, open_decoder
from hwr.decoding.language_model import load_language_model
from hwr.decoding.reading import LineReading
from hwr.errors import DecoderError
from hwr.model.alphabet import BLANK, DEFAULT_CHARACTERS, Alphabet
from hwr.model.confidence import FIELD_SCALE

ALPHABET = Alphabet(DEFAULT_CHARACTERS)
EVERYTHING = BeamOptions(width=10_000, least=0.0, gap=inf)


class Likes:
    """Adds a bonus for each label and at the end, and refuses a label after itself."""

    start = 0

    def __init__(self, bonuses: tuple[float, ...], *, doubles: bool = True) -> None:
        self._bonuses, self._doubles = bonuses, doubles

    def advance(self, state: int, label: int) -> tuple[float, int] | None:
        refused = label == state and not self._doubles
        return None if refused else (self._bonuses[label], label)

    def end(self, state: int) -> float | None:
        return self._bonuses[state]


def normalised(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(logits - np.log(np.exp(logits).sum(axis=1, keepdims=True)), np.float32)


def by_every_path(
    log_probabilities: NDArray[np.float32], guide: Likes
) -> dict[tuple[int, ...], float]:
    """Score of every text: the sum over all paths that collapse to it, and the guide's say."""
    sums: dict[tuple[int, ...], float] = defaultdict(float)
    steps, classes = log_probabilities.shape
    for path in product(range(classes), repeat=steps):
        labels = tuple(label for label, _ in groupby(path) if label != BLANK)
        sums[labels] += exp(sum(float(log_probabilities[t, c]) for t, c in enumerate(path)))
    scores: dict[tuple[int, ...], float] = {}
    for labels, total in sums.items():
        state, bonus = guide.start, 0.0
        for label in labels:
            step = guide.advance(state, label)
            if step is None:
                break
            bonus, state = bonus + step[0], step[1]
        else:
            scores[labels] = log(total) + bonus + (guide.end(state) or 0.0)
    return scores


@cache
def decoder_called(name: str) -> Decoder:
    return open_decoder(name, ALPHABET)


tiny_logits = st.tuples(st.integers(1, 5), st.integers(2, 4)).flatmap(
    lambda shape: arrays(np.float32, shape, elements=st.floats(-6, 6, width=32))
)


@given(tiny_logits, st.booleans())
@settings(max_examples=40, deadline=None)
def test_a_full_beam_is_exact(logits: NDArray[np.float32], doubles: bool) -> None:
    guide = Likes((0.3, -0.7, 0.4, -1.1), doubles=doubles)
    wanted = by_every_path(normalised(logits), guide)
    found = {h.labels: h.score for h in search(normalised(logits), guide, EVERYTHING)}
    assert found.keys() == wanted.keys()
    assert all(found[labels] == pytest.approx(wanted[labels], abs=1e-4) for labels in wanted)


@given(tiny_logits)
@settings(max_examples=40, deadline=None)
def test_a_narrow_beam_promises_no_more_than_there_is(logits: NDArray[np.float32]) -> None:
    guide = Likes((0.0, 0.2, -0.2, 0.1))
    wanted = by_every_path(normalised(logits), guide)
    narrow = search(normalised(logits), guide, BeamOptions(width=2, least=0.05, gap=4.0))
    assert len(narrow) <= 2
    assert all(h.score <= wanted[h.labels] + 1e-4 for h in narrow)


def test_sure_blanks_part_equal_labels() -> None:
    sure = np.full((5, 2), -inf, np.float32)
    sure[[0, 4], 1] = sure[1:4, BLANK] = 0.0
    assert search(sure, Likes((0.0, 0.0)), BeamOptions())[0].labels == (1, 1)


def test_a_run_of_sure_blanks_is_one_step() -> None:
    calls = 0

    class Counting(Likes):
        def advance(self, state: int, label: int) -> tuple[float, int] | None:
            nonlocal calls
            calls += 1
            return super().advance(state, label)

    sure = np.log(np.array([[0.9998, 0.0002]] * 50, np.float32))
    assert search(sure, Counting((0.0, 0.0)), BeamOptions())[0].labels == ()
    assert calls == 0


def test_nothing_is_found_where_all_is_refused() -> None:
    class Refuses(Likes):
        def end(self, state: int) -> float | None:
            return None

    guide: Guide = Refuses((0.0, 0.0))
    assert search(np.log(np.full((3, 2), 0.5, np.float32)), guide, BeamOptions()) == []


def logits_for(
    path: str, *, rivals: dict[int, tuple[str, float]] | None = None
) -> NDArray[np.float32]:
    """Logits whose best path is `path` (`_` is the blank); at some steps a rival comes near."""
    rows = np.full((len(path), ALPHABET.classes), -8.0, np.float32)
    for row, character in zip(rows, path, strict=True):
        row[BLANK if character == "_" else DEFAULT_CHARACTERS.index(character) + 1] = 5.0
    for step, (rival, logit) in (rivals or {}).items():
        rows[step, ALPHABET.encode(rival)[0]] = logit
    return rows


@pytest.mark.parametrize("name", ["auto", "best-path", "beam"])
def test_decoders_agree_on_what_is_sure(name: str) -> None:
    reading = decoder_called(name).read(logits_for("t_h_e_ _c_a_t__"))
    assert reading.text == "the cat"
    assert 0.9 < reading.confidence <= 1.0


def test_the_language_model_settles_what_looks_alike() -> None:
    unsure = logits_for("q_n_e_s_t_i_o_n__", rivals={2: ("u", 4.8)})
    assert decoder_called("best-path").read(unsure).text == "qnestion"
    assert decoder_called("beam").read(unsure).text == "question"


def test_the_language_model_gives_way_to_what_is_seen() -> None:
    assert decoder_called("beam").read(logits_for("X_q_7_Z_k_k__")).text == "Xq7Zkk"


def test_a_field_reads_what_it_may_hold() -> None:
    unsure = logits_for("l_O_5__", rivals={0: ("1", 2.0), 2: ("0", 1.0)})
    whole = decoder_called("best-path").read(unsure)
    digits = decoder_called("digits").read(unsure)
    assert (whole.text, digits.text) == ("lO5", "105")
    # The recogniser saw letters: a forced reading must not look sure.
    assert confidence_of(unsure, digits) < 0.8
    (alternative,) = digits.alternatives
    assert alternative.probability < 0.01 < whole.confidence


def confidence_of(logits: NDArray[np.float32], reading: LineReading) -> float:
    (weighed,) = weigh([logits], [reading], ALPHABET)
    return scaled(weighed, FIELD_SCALE).confidence


def test_what_a_field_means_counts_however_it_is_spelt() -> None:
    """Of 1 234 with a space or without, and 7 234 without, the first two are one number."""
    rows = logits_for("1_ _2_3_4__", rivals={0: ("7", 5.0)})
    rows[2, BLANK] = 5.0
    reading = decoder_called("digits").read(rows)
    texts = [text for text, _ in reading.alternatives]
    assert {"1 234", "1234", "7234"} <= set(texts)
    assert reading.text in {"1 234", "1234"}
    assert reading.spellings == pytest.approx(2.0, abs=0.1)
    assert confidence_of(rows, reading) > confidence_of(rows, replace(reading, spellings=1.0))


def test_an_amount_of_nothing_has_many_spellings_too() -> None:
    rows = logits_for("0_._0_0__", rivals={2: (",", 5.0)})
    reading = decoder_called("amount").read(rows)
    same = [p for text, p in reading.alternatives if worth(text) == 0]
    own = dict(reading.alternatives)[reading.text]
    assert reading.spellings == pytest.approx(sum(same) / own)
    assert reading.spellings > 1.9


def test_a_sure_field_is_sure() -> None:
    reading = decoder_called("amount").read(logits_for("$_1_,_2_5_0_._0_0_"))
    assert reading.text == "$1,250.00"
    assert reading.confidence > 0.9


def test_an_unfinished_field_is_empty_and_unsure() -> None:
    reading = decoder_called("date").read(logits_for("1_2_/_"))
    assert (reading.text, reading.confidence) == ("", 0.0)


def test_a_field_that_goes_on_where_it_must_end_is_empty_and_unsure() -> None:
    reading = decoder_called("date").read(logits_for("1_/_2_/_1_9_9_9_5_"))
    assert (reading.text, reading.confidence) == ("", 0.0)


def test_a_lexicon_holds_its_words(tmp_path: Path) -> None:
    words = tmp_path / "words.txt"
    words.write_text("four\nforty\nfive\n", encoding="utf-8")
    unsure = logits_for("F_o_n_r_ _f_i_v_e_", rivals={4: ("u", 2.0)})
    decoder = open_decoder(f"lexicon:{words}", ALPHABET)
    assert decoder.read(unsure).text == "Four five"


def test_a_lexicon_is_named_by_its_words_not_by_its_place(tmp_path: Path) -> None:
    words = tmp_path / "words.txt"
    identities = []
    for text in ("four five", "five four", "four six"):
        words.write_text(text, encoding="utf-8")
        identities.append(open_decoder(f"lexicon:{words}", ALPHABET).identity)
    assert identities[0] == identities[1] != identities[2]
    assert str(tmp_path) not in identities[0]


def test_identities_name_decoder_and_language_model() -> None:
    assert open_decoder("best-path", ALPHABET).identity == "best-path"
    assert open_decoder("digits", ALPHABET).identity == "beam (digits, width 28, gap 6)"
    stored = load_language_model()
    assert stored.hash in open_decoder("auto", ALPHABET).identity
    assert f"weight {stored.heed.weight:g}" in open_decoder("capitals", ALPHABET).identity


def test_a_beam_can_be_wider() -> None:
    wide = open_decoder("beam:16", ALPHABET)
    assert "width 16" in wide.identity
    assert wide.read(logits_for("t_h_e_")).text == "the"


@pytest.mark.parametrize("width", ["", "0", "-1", "1001", "two", "٣", "9" * 5000])
def test_a_senseless_width_is_refused(width: str) -> None:
    with pytest.raises(DecoderError, match="1 to 100"):
        open_decoder(f"beam:{width}", ALPHABET)


def test_an_unknown_decoder_is_named_with_the_known_ones() -> None:
    with pytest.raises(DecoderError, match=r"'viterbi'.*best-path.*amount"):
        open_decoder("viterbi", ALPHABET)


@pytest.mark.parametrize("flat", [True, False])
def test_a_step_has_no_more_candidates_than_it_may(flat: bool) -> None:
    rng = np.random.default_rng(1)
    logits = np.zeros((40, 145)) if flat else rng.normal(0, 0.1, (40, 145))
    scores = np.log(np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True))
    found = _candidates(scores.astype(np.float32), BeamOptions(most=7))
    assert found.sum(axis=1).tolist() == [7] * 40


def test_the_likeliest_candidates_are_kept() -> None:
    scores = np.log(np.array([[0.1, 0.2, 0.3, 0.35, 0.05]], np.float32))
    assert _candidates(scores, BeamOptions(most=2))[0].tolist() == [False, False, True, True, False]
    assert _candidates(scores, BeamOptions(most=5)).all()
