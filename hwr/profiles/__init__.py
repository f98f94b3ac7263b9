"""Profiles: what stands where on a kind of document, as data (docs/profiles.md).

Only text is read here, so that the service's interface can check a profile without NumPy.
"""

from hwr.free_text import FREE_TEXT
from hwr.profiles.profile import Box, Find, PageForm, Profile, ZoneForm
from hwr.profiles.shelf import known_profiles, load_profile, open_profile

__all__ = [
    "FREE_TEXT",
    "Box",
    "Find",
    "PageForm",
    "Profile",
    "ZoneForm",
    "known_profiles",
    "load_profile",
    "open_profile",
]
