"""What becomes of the files of a submission that is refused."""

from pathlib import Path

import pytest

from hwr.errors import StorageUnavailable
from workers.api.submission import Received, discard
from workers.jobs import NewDocument
from workers.storage import FolderStorage


class Hanging(FolderStorage):
    """Answers nothing from some call on, as a server that hangs."""

    def __init__(self, root: Path, *, answers: int) -> None:
        super().__init__(root)
        self.answers = answers
        self.asked: list[str] = []

    def delete(self, key: str) -> None:
        self.asked.append(key)
        if len(self.asked) > self.answers:
            raise StorageUnavailable


def received(*keys: str) -> Received:
    documents = [NewDocument(name="scan.pdf", key=key, digest="0") for key in keys]
    return Received(documents=documents)


def test_a_storage_that_hangs_is_waited_for_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    storage = Hanging(tmp_path, answers=1)
    discard(storage, received("a", "b", "c", "d"))
    assert storage.asked == ["a", "b"]
    behind = [text for text in caplog.messages if text.endswith("was left behind")]
    assert behind == [f"{storage.url(key)} was left behind" for key in "bcd"]
