"""What several processes of one run share is made by the first of them alone."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from hwr.model.alphabet import DEFAULT_CHARACTERS, Alphabet
from hwr.training import command
from hwr.training.corpora import Corpus
from hwr.training.samples import LineSample
from hwr.training.texts import Prose

ALPHABET = Alphabet(DEFAULT_CHARACTERS)


@pytest.mark.parametrize(
    ("fetch", "ask", "more"),
    [("fetch_fonts", "_fonts", []), ("corpus_texts", "wording", [[], ALPHABET])],
)
def test_fonts_and_text_are_fetched_by_the_first_process_before_the_others(
    fetch: str, ask: str, more: list[object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    events: list[str] = []

    @contextmanager
    def watched() -> Iterator[None]:
        events.append("first")
        yield
        events.append("others")

    def fetched(*_: object) -> list[str]:
        events.append(fetch)
        return []

    monkeypatch.setattr(command, "one_first", watched)
    monkeypatch.setattr(command, fetch, fetched)
    getattr(command, ask)(tmp_path, *more)
    assert (events[0], set(events[1:-1]), events[-1]) == ("first", {fetch}, "others")


def test_drawn_lines_say_what_each_source_says_in_characters_of_the_alphabet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def said(_: Path, corpus: Corpus) -> list[str]:
        return ["aujourd’hui"] if corpus.name == "Vos droits et démarches" else ["“today”"]

    def never() -> NDArray[np.uint8]:
        raise AssertionError("a picture was opened")

    line = LineSample(
        dataset="d", name="n", writer="w", text="sur l’eau – loin", width=90, load=never
    )
    monkeypatch.setattr(command, "corpus_texts", said)
    found = command.wording(tmp_path, [line], ALPHABET)
    assert set(found.english.words) == {'"today"'}
    assert found.french.words == ("aujourd'hui",)
    assert found.transcribed == (Prose(words=("sur", "l'eau", "-", "loin")),)
