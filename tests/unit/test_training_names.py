"""Names of people, by how many bear them."""

from collections import Counter
from random import Random

import pytest

from hwr.training.names import NameList, countries


def test_names_come_by_their_shares() -> None:
    listed = NameList.of({"rare": 1.0, "common": 9.0})
    assert dict(listed.shares()) == pytest.approx({"common": 0.9, "rare": 0.1})
    assert listed.names == ("common", "rare")
    rng = Random(1)
    drawn = Counter(listed.draw(rng) for _ in range(1_000))
    assert 850 < drawn["common"] < 950


def test_lists_of_two_countries_are_there() -> None:
    french, american = countries()
    assert french.family.names[:3] == ("Martin", "Bernard", "Thomas")
    assert american.family.names[:3] == ("Smith", "Johnson", "Williams")
    # A name of both sexes is there once.
    assert french.given.names.count("Camille") == 1
    for listed in (french.given, french.family, american.given, american.family):
        assert listed.cumulative[-1] == pytest.approx(1)
        assert len(set(listed.names)) == len(listed.names)
        assert all(name == name.strip() and name for name in listed.names)


def test_a_field_holds_one_name_or_two() -> None:
    rng = Random(1)
    drawn = [countries()[0].draw(rng) for _ in range(300)]
    assert any(" " in name for name in drawn)
    assert any(" " not in name for name in drawn)
