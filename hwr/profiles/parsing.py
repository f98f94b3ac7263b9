"""A profile's file: read within limits, checked, its neighbours found."""

import hashlib
import tomllib
from pathlib import Path

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from hwr.decoding.names import LEXICON
from hwr.errors import ProfileError
from hwr.profiles.profile import PageForm, Profile, ProfileFile, ZoneForm

#: Largest file in bytes; one of many zones has ten thousand.
MOST_BYTES = 64 * 2**10
#: Largest template or lexicon in bytes.
MOST_NEIGHBOUR_BYTES = 32 * 2**20

_REMEDY = "See docs/profiles.md."


def parse_profile(path: Path) -> Profile:
    """The profile in the TOML file at `path`.

    Raises:
        ProfileError: it cannot be read, or holds what a profile does not; names file and key, and
            no folder: tenants see it.
    """
    data = _read(path, MOST_BYTES)
    content = _checked(path, data)
    digest = hashlib.sha256(data)
    pages = tuple(_found(path, page, digest) for page in content.pages)
    return Profile(
        name=path.stem,
        hash=digest.hexdigest()[:16],
        content=content.model_copy(update={"pages": pages}),
    )


def _read(path: Path, most: int) -> bytes:
    try:
        if not path.is_file():  # opening a pipe would wait for its writer
            raise ProfileError(f"{path.name} is no file. Name a profile's file. {_REMEDY}")
        with path.open("rb") as file:
            data = file.read(most + 1)
    except OSError as error:
        raise ProfileError(
            f"{path.name} cannot be read ({error.strerror}). Check its permissions."
        ) from error
    if len(data) > most:
        raise ProfileError(f"{path.name} has more than {most:,} bytes. Make it smaller. {_REMEDY}")
    return data


def _checked(path: Path, data: bytes) -> ProfileFile:
    try:
        return ProfileFile.model_validate(tomllib.loads(data.decode()))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise ProfileError(f"{path.name}: {_where(first)}{_what(first)}. {_REMEDY}") from error
    except (ValueError, RecursionError) as error:  # no UTF-8, no TOML, or TOML without end
        raise ProfileError(f"{path.name} is no TOML ({error}). {_REMEDY}") from error


def _where(error: ErrorDetails) -> str:
    """The key as one finds it in the file: `pages[1].zones[3].box: `."""
    parts = (f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in error["loc"])
    key = "".join(parts).lstrip(".")
    return f"{key}: " if key else ""


def _what(error: ErrorDetails) -> str:
    if error["type"] == "extra_forbidden":
        return "there is no such key"
    return error["msg"].removeprefix("Value error, ")


def _found(path: Path, page: PageForm, digest: "hashlib._Hash") -> PageForm:
    """The page with absolute paths to the files it names, which are added to the digest."""
    zones = tuple(_found_lexicon(path, zone, digest) for zone in page.zones)
    template = page.template and _neighbour(path, str(page.template), digest)
    return page.model_copy(update={"zones": zones, "template": template})


def _found_lexicon(path: Path, zone: ZoneForm, digest: "hashlib._Hash") -> ZoneForm:
    name = zone.holds.removeprefix(LEXICON)
    if name == zone.holds:
        return zone
    return zone.model_copy(update={"holds": f"{LEXICON}{_neighbour(path, name, digest)}"})


def _neighbour(path: Path, name: str, digest: "hashlib._Hash") -> Path:
    """A file in the profile's folder or below; a profile must not open others."""
    folder = path.parent.resolve()
    try:
        found = (folder / name).resolve()
    except ValueError as error:  # a zero character
        raise ProfileError(f"{path.name}: {name!r} is no name of a file. {_REMEDY}") from error
    if not found.is_relative_to(folder):
        raise ProfileError(
            f"{path.name}: {name} lies outside of its folder. Put it beside the profile."
        )
    digest.update(_read(found, MOST_NEIGHBOUR_BYTES))
    return found
