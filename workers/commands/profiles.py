"""The option --profile of commands that read here."""

from typing import TYPE_CHECKING, Annotated

import typer

from workers.settings import get_settings

if TYPE_CHECKING:
    from hwr.profiles import Profile

ProfileOption = Annotated[
    str | None,
    typer.Option(
        "--profile",
        help="What kind of document: page, exam, cheque, one of HWR_PROFILES, or a .toml file.",
    ),
]


def profile_of(given: str | None) -> "Profile":
    """The profile that is meant; free text where none was given.

    Raises:
        ProfileError: there is none, or its file cannot be used.
    """
    from hwr.forms import check_templates
    from hwr.profiles import FREE_TEXT, open_profile

    profile = open_profile(given or FREE_TEXT, get_settings().profiles)
    check_templates(profile)
    return profile
