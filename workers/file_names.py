"""Names of files: those that clients send are hostile text, kept only to be shown again."""

import unicodedata
from collections.abc import Iterator
from pathlib import Path

#: Longest name that is kept, in characters.
MAX_NAME = 200

#: What names of pictures in a folder end in, and those of documents.
PICTURES = frozenset({".png", ".jpg", ".jpeg", ".tif", ".tiff"})
DOCUMENTS = PICTURES | {".pdf"}

#: Longest end that counts as a suffix and survives shortening, in characters.
_MAX_SUFFIX = 10


def clean_name(name: str) -> str:
    """The name without folders, without characters that steer a terminal, and not too long.

    Names are never used as paths on the service; this keeps them harmless for those who print
    them or save a result under them.
    """
    name = name.replace("\\", "/").rsplit("/", 1)[-1]
    name = "".join(c for c in name if unicodedata.category(c)[0] != "C").strip(" .")
    if not name:
        return "document"
    if len(name) <= MAX_NAME:
        return name
    suffix = name[name.rfind(".") :] if "." in name[-_MAX_SUFFIX:] else ""
    return name[: MAX_NAME - len(suffix)] + suffix


def files_in(folder: Path) -> Iterator[Path]:
    """The files in and below a folder in order of name; links to folders are not followed."""
    for path in sorted(folder.iterdir()):
        if path.is_dir() and not path.is_symlink():
            yield from files_in(path)
        elif path.is_file():
            yield path
