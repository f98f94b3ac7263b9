"""A profile's file: read within limits, checked, its neighbours found."""

import hashlib
import tomllib
from difflib import get_close_matches
from pathlib import Path

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from hwr.decoding.names import LEXICON, words_of
from hwr.errors import ProfileError
from hwr.profiles.profile import FIELDS, NOTHING, TEXT, PageForm, Profile, ProfileFile, ZoneForm

#: Largest file in bytes; one of many zones has ten thousand.
MOST_BYTES = 64 * 2**10
#: Largest template or lexicon in bytes.
MOST_NEIGHBOUR_BYTES = 32 * 2**20

_REMEDY = "See docs/profiles.md."

#: What is where by the length of its place: `("pages", 0, "zones", 2, "box")` is in a zone.
_SECTIONS: dict[int, type[BaseModel]] = {1: ProfileFile, 3: PageForm, 5: ZoneForm}
_NAME = (
    "must be 1 to 40 letters without accents, digits, spaces and _ . -, the first of them a letter"
    " or a digit"
)
#: What to write where a text is not of a key's pattern.
_PATTERNS = {
    "name": _NAME,
    "same_as": _NAME,
    "holds": f"must be {', '.join((TEXT, NOTHING, *FIELDS))} or {LEXICON}FILE",
    "numbers": 'must be "all", "odd", "even", or numbers of pages such as "1", "2-" and "2-4"',
}
#: What to write where a value is of another type.
_TYPES = {
    "missing": "must be given",
    "string_type": "must be a text, in quotation marks",
    "path_type": "must be a text, in quotation marks",
    "float_type": "must be a number, without quotation marks",
    "bool_type": "must be true or false, without quotation marks",
    "tuple_type": "must be a list, in [ ]; each table of pages begins with [[pages]]",
    "model_type": "must be a table, in { }; each table of pages begins with [[pages]]",
}


def parse_profile(path: Path) -> Profile:
    """The profile in the TOML file at `path`.

    Raises:
        ProfileError: it cannot be read, or holds what a profile does not; names file and key, and
            no folder: tenants see it.
    """
    data = _read(path, path.name, MOST_BYTES)
    content = _checked(path, data)
    digest = hashlib.sha256(data)
    pages = tuple(
        _found(path, f"pages[{number}]", page, digest)
        for number, page in enumerate(content.pages, 1)
    )
    return Profile(
        name=path.stem,
        hash=digest.hexdigest()[:16],
        content=content.model_copy(update={"pages": pages}),
    )


def _read(path: Path, called: str, most: int) -> bytes:
    try:
        if not path.is_file():  # opening a pipe would wait for its writer
            raise ProfileError(f"{called} is no file. Check its name and folder. {_REMEDY}")
        with path.open("rb") as file:
            data = file.read(most + 1)
    except OSError as error:
        raise ProfileError(
            f"{called} cannot be read ({error.strerror}). Check its permissions."
        ) from error
    if len(data) > most:
        raise ProfileError(f"{called} has more than {most:,} bytes. Make it smaller. {_REMEDY}")
    return data


def _checked(path: Path, data: bytes) -> ProfileFile:
    try:
        return ProfileFile.model_validate(tomllib.loads(data.decode("utf-8-sig")))
    except ValidationError as error:
        # A key that is misspelt is missing too; what is wrong is its name.
        first = min(error.errors(), key=lambda one: one["type"] != "extra_forbidden")
        raise ProfileError(f"{path.name}: {_where(first)}{_what(first)}. {_REMEDY}") from error
    except UnicodeDecodeError as error:
        raise ProfileError(
            f"{path.name} is no text in UTF-8 ({error}). Save it as UTF-8."
        ) from error
    except (ValueError, RecursionError) as error:  # no TOML, or TOML without end
        raise ProfileError(f"{path.name} is no TOML ({error!s:.200}). {_REMEDY}") from error


def _where(error: ErrorDetails) -> str:
    """The key as one finds it in the file: `pages[1].zones[3].box: `."""
    parts = (
        f"[{part + 1}]" if isinstance(part, int) else f".{_shown(part)}" for part in error["loc"]
    )
    key = "".join(parts).lstrip(".")
    return f"{key}: " if key else ""


def _shown(key: str) -> str:
    return key[:60] if key.isprintable() else repr(key[:60])


def _what(error: ErrorDetails) -> str:
    place, kind = error["loc"], error["type"]
    if kind == "extra_forbidden":
        return f"there is no such key; {_meant(str(place[-1]), _SECTIONS[len(place)])}"
    if kind == "string_pattern_mismatch":
        return _PATTERNS[str(place[-1])]
    return _TYPES.get(kind) or error["msg"].removeprefix("Value error, ")


def _meant(key: str, section: type[BaseModel]) -> str:
    """What to write in place of a key that its section has not."""
    near = get_close_matches(key[:60].lower(), section.model_fields, n=1)
    return f"{near[0]} may be meant" if near else f"there are {', '.join(section.model_fields)}"


def _found(path: Path, place: str, page: PageForm, digest: "hashlib._Hash") -> PageForm:
    """The page with absolute paths to the files it names, which are added to the digest."""
    zones = tuple(
        _found_lexicon(path, f"{place}.zones[{number}].holds", zone, digest)
        for number, zone in enumerate(page.zones, 1)
    )
    if page.template is None:
        return page.model_copy(update={"zones": zones})
    template, _ = _neighbour(path, f"{place}.template", str(page.template), digest)
    return page.model_copy(update={"zones": zones, "template": template})


def _found_lexicon(path: Path, place: str, zone: ZoneForm, digest: "hashlib._Hash") -> ZoneForm:
    name = zone.holds.removeprefix(LEXICON)
    if name == zone.holds:
        return zone
    found, data = _neighbour(path, place, name, digest)
    try:
        words_of(data)
    except ValueError as error:
        raise ProfileError(f"{path.name}: {place}: {name} is no lexicon: {error}.") from error
    return zone.model_copy(update={"holds": f"{LEXICON}{found}"})


def _neighbour(path: Path, place: str, name: str, digest: "hashlib._Hash") -> tuple[Path, bytes]:
    """A file in the profile's folder or below, and its bytes; a profile must not open others."""
    called = f"{path.name}: {place}: {name}"
    folder = path.parent.resolve()
    try:
        found = (folder / name).resolve()
    except (OSError, RuntimeError) as error:  # a link to itself
        raise ProfileError(f"{called} is a link to itself. Put the file in its place.") from error
    if not found.is_relative_to(folder):
        raise ProfileError(f"{called} lies outside of its folder. Put it beside the profile.")
    data = _read(found, called, MOST_NEIGHBOUR_BYTES)
    if not data:
        raise ProfileError(f"{called} is empty. Put the file there again.")
    digest.update(data)
    return found, data
