"""What several processes of one run share is made by the first of them alone."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from hwr.training import command


@pytest.mark.parametrize(
    ("fetch", "ask", "more"),
    [("fetch_fonts", "_fonts", []), ("corpus_texts", "wording", [[]])],
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
