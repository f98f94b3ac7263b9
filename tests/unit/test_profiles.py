"""Profiles as files: what is taken, what is refused and how it is named."""

import subprocess
import sys
from pathlib import Path

import pytest

from hwr.decoding import fields
from hwr.errors import ProfileError, UnknownProfile
from hwr.profiles import Find, known_profiles, load_profile, open_profile
from hwr.profiles.parsing import MOST_BYTES
from hwr.profiles.profile import FIELDS

FORM = """
review_below = 0.8
[[pages]]
name = "front"
numbers = "odd"
size_mm = [200, 100]
zones = [
    { name = "total", box = [100, 10, 190, 20], find = "box", holds = "amount" },
    { name = "seal", box = [0, 50, 20, 70], holds = "nothing" },
]
[[pages]]
numbers = "2-4"
outside = true
"""


def saved(folder: Path, text: str, name: str = "form.toml") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def refused(path: Path) -> str:
    with pytest.raises(ProfileError) as caught:
        open_profile(str(path))
    return str(caught.value)


def test_the_shipped_profiles_load() -> None:
    assert known_profiles() == ("cheque", "exam", "page")
    zones = [zone.name for zone in load_profile("cheque").page(1).zones]
    assert {"date", "payee", "courtesy amount", "legal amount", "memo", "signature", "micr"} == set(
        zones
    )
    free = load_profile("page").page(7)
    assert (free.zones, free.outside) == ((), True)


def test_a_file_says_what_it_says(tmp_path: Path) -> None:
    profile = open_profile(str(saved(tmp_path, FORM)))
    front = profile.page(3)
    total, seal = front.zones
    assert profile.name == "form"
    assert profile.audit == {"profile": f"form {profile.hash}", "review_below": "0.8"}
    assert (total.find, total.decoder, total.is_read) == (Find.BOX, "amount", True)
    assert (seal.find, seal.decoder, seal.is_read) == (Find.AREA, None, False)
    assert front.shares(total) == pytest.approx((0.5, 0.1, 0.95, 0.2))


@pytest.mark.parametrize(
    ("numbers", "pages"),
    [
        ("all", [1, 2, 3, 4, 5]),
        ("odd", [1, 3, 5]),
        ("even", [2, 4]),
        ("2", [2]),
        ("2-", [2, 3, 4, 5]),
        ("2-4", [2, 3, 4]),
    ],
)
def test_pages_are_chosen_by_number(tmp_path: Path, numbers: str, pages: list[int]) -> None:
    text = f'[[pages]]\nname = "it"\nnumbers = "{numbers}"\n'
    profile = open_profile(str(saved(tmp_path, text)))
    assert [n for n in range(1, 6) if profile.page(n).name == "it"] == pages


def test_pages_that_no_table_covers_are_free_text(tmp_path: Path) -> None:
    last = open_profile(str(saved(tmp_path, FORM))).page(6)
    assert (last.zones, last.outside) == ((), True)


ZONE = '[[pages]]\nzones = [{ name = "a", %s }]\n'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("colour = 1", "colour: there is no such key"),
        (ZONE % "box = [0, 0, 1]", "pages[1].zones[1].box"),
        (ZONE % "box = [0, 0, 1, 2]", "the box of 'a' must be left, top, right, bottom within 0"),
        (ZONE % "box = [0.5, 0, 0.4, 1]", "the box of 'a'"),
        (ZONE % "box = [nan, 0, 1, 1]", "the box of 'a'"),
        (ZONE % 'box = [0, 0, 1, 1], find = "rul"', "'area', 'rule', 'box', 'ruled' or 'boxes'"),
        (ZONE % 'box = [0, 0, 1, 1], holds = "money"', "pages[1].zones[1].holds"),
        (ZONE % 'box = [0, 0, 1, 1], holds = "lexicon:../../etc/passwd"', "lies outside"),
        ('[[pages]]\nnumbers = "5-2"', "pages[1].numbers: 5-2 ends before it begins"),
        ('[[pages]]\ntemplate = "a\\u0000b"', "'a\\x00b' is no name of a file"),
        (ZONE % 'box = [0, 0, 1, 1], holds = "lexicon:words.txt"', "words.txt is no file"),
        ('[[pages]]\nzones = [{ name = "\\u001b[31m", box = [0, 0, 1, 1] }]', "zones[1].name"),
        ('[[pages]]\nnumbers = "first"', "pages[1].numbers"),
        ('[[pages]]\ntemplate = "/dev/zero"', "lies outside"),
        ('[[pages]]\ntemplate = "blank.png"', "blank.png is no file"),
        ("review_below = 2", "review_below"),
        ("pages = 3", "pages"),
        ("[[pages]", "is no TOML"),
        ("x = " + "[" * 5000, "is no TOML"),
        ("#" * (MOST_BYTES + 1), "bytes"),
    ],
)
def test_what_no_profile_holds_is_refused_by_file_and_key(
    tmp_path: Path, text: str, said: str
) -> None:
    path = saved(tmp_path, text)
    message = refused(path)
    assert said in message
    assert path.name in message or "words.txt" in message or "blank.png" in message
    assert str(tmp_path) not in message, "tenants see it"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ('name = "a"', 'name = "a"'),
        ('name = "a 2"', 'name = "a", find = "ruled"'),
        ('name = "a", find = "boxes"', 'name = "a 10", find = "ruled"'),
    ],
)
def test_two_zones_that_may_have_one_name_are_refused(tmp_path: Path, one: str, other: str) -> None:
    text = "[[pages]]\nzones = [{ %s, box = [0, 0, 1, 1] }, { %s, box = [0, 0, 1, 1] }]"
    assert "two zones may be called 'a" in refused(saved(tmp_path, text % (one, other)))


SAME = """[[pages]]
zones = [
    { name = "figures", holds = "%s", box = [0, 0, 1, 1]%s },
    { name = "words", holds = "amount-in-words", same_as = "%s", box = [0, 0, 1, 1] },
]"""


def test_a_zone_that_says_the_same_amount_is_named(tmp_path: Path) -> None:
    page = open_profile(str(saved(tmp_path, SAME % ("amount", "", "figures")))).page(1)
    assert [zone.same_as for zone in page.zones] == [None, "figures"]


@pytest.mark.parametrize(
    ("holds", "more", "same_as", "said"),
    [
        ("amount", "", "figure", "'words' is the same as 'figure', but not both are zones"),
        ("amount", "", "words", "'words' has a same_as too"),
        ("amount", ', same_as = "words"', "figures", "'words' has a same_as too"),
        ("digits", "", "figures", "that hold amount or amount-in-words"),
        ("amount", ', find = "boxes"', "figures", "only one amount each"),
    ],
)
def test_zones_that_cannot_say_the_same_are_refused(
    tmp_path: Path, holds: str, more: str, same_as: str, said: str
) -> None:
    assert said in refused(saved(tmp_path, SAME % (holds, more, same_as)))


def test_only_two_zones_say_the_same(tmp_path: Path) -> None:
    more = '{ name = "more", holds = "amount", same_as = "figures", box = [0, 0, 1, 1] },'
    three = SAME.replace("\n]", f"\n    {more}\n]")
    said = refused(saved(tmp_path, three % ("amount", "", "figures")))
    assert "'figures' has a same_as too, or two zones name it" in said


def test_names_that_only_look_alike_are_taken(tmp_path: Path) -> None:
    box = "box = [0, 0, 1, 1]"
    zones = (
        'name = "a", find = "ruled"',
        'name = "a b"',
        'name = "a1"',
        'name = "b"',
        'name = "b 1"',
    )
    told = ", ".join(f"{{ {zone}, {box} }}" for zone in zones)
    found = open_profile(str(saved(tmp_path, f"[[pages]]\nzones = [{told}]"))).page(1)
    assert [zone.name for zone in found.zones] == ["a", "a b", "a1", "b", "b 1"]


def test_where_a_broken_profile_lies_is_in_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = saved(tmp_path, "colour = 1", "order.toml")
    with pytest.raises(ProfileError, match=r"^order.toml: colour"):
        load_profile("order", tmp_path)
    assert str(path) in caplog.text


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    assert "is no file" in refused(tmp_path / "absent.toml")
    (tmp_path / "folder.toml").mkdir()
    assert "is no file" in refused(tmp_path / "folder.toml")
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe\x00")
    assert "is no TOML" in refused(tmp_path / "bytes.toml")


def test_the_hash_is_that_of_everything_the_profile_names(tmp_path: Path) -> None:
    path = saved(tmp_path, ZONE % 'box = [0, 0, 1, 1], holds = "lexicon:words.txt"')
    (tmp_path / "words.txt").write_text("red\n")
    red = open_profile(str(path))
    (tmp_path / "words.txt").write_text("green\n")
    green = open_profile(str(path))
    assert red.hash != green.hash
    assert red.page(1).zones[0].decoder == f"lexicon:{tmp_path.resolve() / 'words.txt'}"


def test_own_profiles_go_before_shipped_ones(tmp_path: Path) -> None:
    saved(tmp_path, 'description = "mine"', "cheque.toml")
    saved(tmp_path, 'description = "order"', "order.toml")
    saved(tmp_path, "", "no name.toml")
    assert known_profiles(tmp_path) == ("cheque", "exam", "order", "page")
    assert load_profile("cheque", tmp_path).content.description == "mine"
    assert load_profile("exam", tmp_path) == load_profile("exam")


@pytest.mark.parametrize("name", ["", "check", "../cheque", "cheque.toml", "\x00", "x" * 5000])
def test_an_unknown_profile_is_told_the_known_ones(name: str, tmp_path: Path) -> None:
    with pytest.raises(UnknownProfile, match="cheque, exam, page"):
        load_profile(name, tmp_path)


def test_the_fields_are_those_of_the_decoders() -> None:
    assert set(FIELDS) == set(fields.FIELDS)


def test_profiles_are_read_without_numpy() -> None:
    code = (
        "import sys; from hwr.profiles import load_profile; load_profile('cheque')\n"
        "sys.exit(', '.join({'numpy', 'cv2', 'torch', 'hwr.model'} & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
