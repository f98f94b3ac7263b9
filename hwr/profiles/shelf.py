"""Where profiles are found: those shipped with hwr, and the user's own."""

import logging
from functools import cache
from pathlib import Path

from hwr.errors import ProfileError, UnknownProfile
from hwr.profiles.parsing import parse_profile
from hwr.profiles.profile import Profile, is_name

log = logging.getLogger(__name__)

_SHIPPED = Path(__file__).parent
_SUFFIX = ".toml"


def known_profiles(folder: Path | None = None) -> tuple[str, ...]:
    """Names of the shipped profiles and of those in `folder`, sorted."""
    folders = [_SHIPPED, *([folder] if folder else [])]
    names = {path.stem for place in folders for path in place.glob(f"*{_SUFFIX}")}
    return tuple(sorted(name for name in names if is_name(name)))


def load_profile(name: str, folder: Path | None = None) -> Profile:
    """The profile of that name; one in `folder` goes before a shipped one.

    Raises:
        UnknownProfile: there is none; the message lists those that there are.
        ProfileError: its file cannot be used.
    """
    if name not in known_profiles(folder):
        known = ", ".join(known_profiles(folder))
        raise UnknownProfile(
            f"There is no profile {name[:100]!r}. Use one of {known}, or put its file into the"
            " folder that HWR_PROFILES names."
        )
    own = folder and folder / f"{name}{_SUFFIX}"
    return _own(own) if own and own.exists() else _shipped(name)


def open_profile(given: str, folder: Path | None = None) -> Profile:
    """The profile of that name, or in that file where a path to a TOML file is given.

    Raises:
        ProfileError: there is none, or its file cannot be used.
    """
    return parse_profile(Path(given)) if given.endswith(_SUFFIX) else load_profile(given, folder)


def _own(path: Path) -> Profile:
    try:
        return parse_profile(path)
    except ProfileError as error:
        log.warning("profile %s is refused: %s", path.absolute(), error)
        raise


@cache
def _shipped(name: str) -> Profile:
    return parse_profile(_SHIPPED / f"{name}{_SUFFIX}")
