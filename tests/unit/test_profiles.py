"""Profiles as files: what is taken, what is refused and how it is named."""

import subprocess
import sys
from pathlib import Path

import pytest

from hwr.decoding import fields
from hwr.decoding.names import MOST_LEXICON_BYTES, words_of
from hwr.errors import ProfileError, UnknownProfile
from hwr.profiles import Find, known_profiles, load_profile, open_profile
from hwr.profiles.parsing import MOST_BYTES
from hwr.profiles.profile import FIELDS, IN_COMBS, PageForm

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
        ("colour = 1", "colour: there is no such key; there are description, review_below, pages"),
        ("reveiw_below = 1", "reveiw_below: there is no such key; review_below may be meant"),
        ("[[pages]]\nzone = []", "pages[1].zone: there is no such key; zones may be meant"),
        (ZONE % "Box = [0, 0, 1, 1]", "zones[1].Box: there is no such key; box may be meant"),
        ('"\\u001b\\n" = 1', r"'\x1b\n': there is no such key"),
        ("k" * 3000 + " = 1", f"form.toml: {'k' * 60}: there is no such key"),
        ('review_below = "0.5"', "review_below: must be a number, without quotation marks"),
        ('[[pages]]\noutside = "yes"', "pages[1].outside: must be true or false"),
        ("[[pages]]\npatterned = 1", "pages[1].patterned: must be true or false"),
        ("[[pages]]\nseveral_sheets = 1", "pages[1].several_sheets: must be true or false"),
        ("[[pages]]\nwherever_found = true", "wherever_found needs a template, or 4 zones or more"),
        ("[[pages]]\nseveral_sheets = true", "several_sheets needs size_mm, 4 zones or more"),
        ("[[pages]]\nnumbers = 1", "pages[1].numbers: must be a text, in quotation marks"),
        ("[pages]", "pages: must be a list, in [ ]; each table of pages begins with [[pages]]"),
        (ZONE % "box = [false, false, true, true]", "zones[1].box[1]: must be a number"),
        (ZONE % "box = [9, 9, 99, 99]", "within 0 to 1; for mm, give size_mm"),
        ("[[pages]]\n[[pages]]", "number 2 is for all and never counts"),
        ("[[pages]]\ntemplate = 'loop.png'", "pages[1].template: loop.png is "),
        ("[[pages]]\ntemplate = ''", "pages[1].template: . is no file"),
        (f"[[pages]]\ntemplate = '{'a' * 5000}'", "aaa is no name of a file"),
        ("[[pages]]\ntemplate = 'empty'", "pages[1].template: empty is empty"),
        (ZONE % "box = [0, 0, 1, 1], holds = 'lexicon:empty'", "zones[1].holds: empty is empty"),
        (ZONE % "box = [0, 0, 1, 1], holds = 'lexicon:blank'", "blank is no lexicon: it needs"),
        (ZONE % "box = [0, 0, 1, 1], holds = 'lexicon:binary'", "binary is no lexicon: 'utf-8'"),
        (ZONE % "box = [0, 0, 1]", "pages[1].zones[1].box"),
        (ZONE % "box = [0, 0, 1, 2]", "the box of 'a' must be left, top, right, bottom within 0"),
        (ZONE % "box = [0.5, 0, 0.4, 1]", "the box of 'a'"),
        (ZONE % "box = [nan, 0, 1, 1]", "the box of 'a'"),
        (
            ZONE % 'box = [0, 0, 1, 1], find = "rul"',
            "'area', 'rule', 'box', 'ruled', 'boxes' or 'comb'",
        ),
        (ZONE % 'box = [0, 0, 1, 1], holds = "money"', "holds: must be text, nothing, digits"),
        (ZONE % 'box = [0, 0, 1, 1], holds = "lexicon:../../etc/passwd"', "lies outside"),
        ('[[pages]]\nnumbers = "5-2"', "pages[1].numbers: 5-2 ends before it begins"),
        ('[[pages]]\ntemplate = "a\\u0000b"', "'a\\x00b' is no name of a file"),
        (ZONE % 'box = [0, 0, 1, 1], holds = "lexicon:words.txt"', "words.txt is no file"),
        (
            '[[pages]]\nzones = [{ name = "\\u001b[31m", box = [0, 0, 1, 1] }]',
            "zones[1].name: must be 1 to",
        ),
        ('[[pages]]\nnumbers = "first"', 'pages[1].numbers: must be "all"'),
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
    (tmp_path / "loop.png").symlink_to("loop.png")
    (tmp_path / "empty").touch()
    (tmp_path / "blank").write_text(" \n")
    (tmp_path / "binary").write_bytes(b"\xff\x00")
    path = saved(tmp_path, text)
    message = refused(path)
    assert said in message
    assert message.startswith("form.toml")
    assert message.isprintable()
    assert len(message) < 400
    assert str(tmp_path) not in message, "tenants see it"


def test_a_lexicon_that_no_line_could_be_read_by_is_refused(tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_bytes(b"word\n" * (MOST_LEXICON_BYTES // 5 + 1))
    path = saved(tmp_path, ZONE % "box = [0, 0, 1, 1], holds = 'lexicon:words.txt'")
    assert "words.txt is no lexicon: it has more than 16 MiB" in refused(path)


@pytest.mark.parametrize("encoding", ["utf-16", "latin-1"])
def test_a_file_in_another_encoding_is_told_to_be_saved_as_utf_8(
    tmp_path: Path, encoding: str
) -> None:
    path = tmp_path / "form.toml"
    path.write_bytes('description = "reçu"'.encode(encoding))
    assert "Save it as UTF-8" in refused(path)


def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_text("word", encoding="utf-8-sig")
    path = tmp_path / "form.toml"
    text = ZONE % "box = [0, 0, 1, 1], holds = 'lexicon:words.txt'"
    path.write_text(text, encoding="utf-8-sig")
    assert [zone.name for zone in open_profile(str(path)).page(1).zones] == ["a"]
    assert words_of((tmp_path / "words.txt").read_bytes()) == ["word"]


@pytest.mark.parametrize(
    ("numbers", "never"),
    [
        (("odd", "even", "7"), 3),
        (("1-3", "4-", "2-9"), 3),
        (("2-", "odd", "1"), 3),
        (("odd", "1"), 2),
        (("1", "odd", "2-4", "even"), None),
        (("2-", "odd"), None),
        (("7", "all"), None),
        (("1-6", "8-", "odd"), None),
    ],
)
def test_pages_that_never_count_are_refused(
    tmp_path: Path, numbers: tuple[str, ...], never: int | None
) -> None:
    path = saved(tmp_path, "".join(f'[[pages]]\nnumbers = "{each}"\n' for each in numbers))
    if never is None:
        assert len(open_profile(str(path)).content.pages) == len(numbers)
    else:
        assert f"number {never} is for {numbers[never - 1]} and never counts" in refused(path)


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
    assert "is no text in UTF-8" in refused(tmp_path / "bytes.toml")


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
    assert {f"comb:{held}" for held in IN_COMBS if held != "nothing"} == set(fields.COMB_FIELDS)


@pytest.mark.parametrize("holds", ["text", "amount", "lexicon:words.txt"])
def test_a_comb_holds_what_is_written_one_character_to_a_box(holds: str) -> None:
    with pytest.raises(ValueError, match="must hold digits, date, capitals, nothing"):
        PageForm.model_validate(
            {"zones": [{"name": "x", "box": (0, 0, 1, 1), "find": "comb", "holds": holds}]}
        )


def test_profiles_are_read_without_numpy() -> None:
    code = (
        "import sys; from hwr.profiles import load_profile; load_profile('cheque')\n"
        "sys.exit(', '.join({'numpy', 'cv2', 'torch', 'hwr.model'} & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
