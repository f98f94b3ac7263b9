"""Labelled lines from folders of every kind. Pictures and XML are drawn here."""

import errno
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from hwr.errors import TrainingDataError
from hwr.model.alphabet import Alphabet
from hwr.model.config import NetworkConfig
from hwr.model.network import Crnn
from hwr.model.weights import save_model
from hwr.training.command import train
from hwr.training.datasets import read_folder
from hwr.training.datasets.records import VAL_SHARE, val_writers
from hwr.training.recipe import Recipe
from hwr.training.samples import LineSample

#: Height and width of a drawn line.
SHAPE = (40, 200)


def picture(shape: tuple[int, int] = SHAPE) -> bytes:
    image = np.full(shape, 230, np.uint8)
    cv2.putText(image, "line", (8, 30), cv2.FONT_HERSHEY_SIMPLEX, 1.0, 20, 2)
    return cv2.imencode(".png", image)[1].tobytes()


def jpeg() -> bytes:
    image = cv2.imdecode(np.frombuffer(picture(), np.uint8), cv2.IMREAD_GRAYSCALE)
    assert image is not None
    return cv2.imencode(".jpg", image)[1].tobytes()


def put(place: Path, data: bytes | str) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(data if isinstance(data, bytes) else data.encode())


def put_pack(folder: Path, table: str, picture: bytes) -> None:
    """A pack whose one picture is `1.jpg`."""
    put(folder / "drawn.tsv", table)
    with zipfile.ZipFile(folder / "drawn.zip", "w") as archive:
        archive.writestr("1.jpg", picture)


def read_all(data: Path) -> list[LineSample]:
    return read_folder(data, "train") + read_folder(data, "val")


def by_text(samples: list[LineSample]) -> dict[str, LineSample]:
    return {sample.text: sample for sample in samples}


# Splits


def test_writers_validate_by_their_names_alone() -> None:
    writers = [f"w{number}" for number in range(2_000)]
    chosen = val_writers(writers)
    assert abs(len(chosen) / len(writers) - VAL_SHARE) < 0.02
    assert val_writers(reversed(writers)) == chosen
    some = writers[:500]
    assert val_writers(some) == chosen & set(some)


@pytest.mark.parametrize("count", range(2, 9))
def test_few_writers_are_still_split(count: int) -> None:
    writers = {f"hand {number}" for number in range(count)}
    assert 0 < len(val_writers(writers)) < count


def test_a_single_writer_is_trained_on() -> None:
    for name in map(str, range(50)):
        assert val_writers([name]) == set()


def test_no_writer_is_in_both_splits(tmp_path: Path) -> None:
    rows = []
    for number in range(24):
        put(tmp_path / f"{number}.png", picture())
        rows.append(f"{number}.png\ttext {number}\tw{number % 8}")
    put(tmp_path / "lines.tsv", "\n".join(rows))
    train, val = (read_folder(tmp_path, split) for split in ("train", "val"))
    assert len(train) + len(val) == 24
    assert val
    assert not {s.writer for s in train} & {s.writer for s in val}


# Tables


def test_a_table_gives_its_lines(tmp_path: Path) -> None:
    put(tmp_path / "a.png", picture((160, 800)))
    put(tmp_path / "sub" / "b.png", picture())
    put(
        tmp_path / "t.tsv",
        "split\ttext\tpath\nval\tone “two”\ta.png\r\ntrain\t l\u00e4\tsub/b.png\n",
    )
    (one,), (two,) = read_folder(tmp_path, "val"), read_folder(tmp_path, "train")
    assert (one.text, one.name, one.width, one.dataset) == (
        "one “two”",
        "a.png",
        320,
        tmp_path.name,
    )
    assert (two.text, two.writer, two.width) == ("l\u00e4", "sub", 320)
    assert one.load().shape == (80, 400)
    assert two.load().shape == SHAPE
    assert 10 < two.load().min() < 40
    assert abs(int(np.median(two.load())) - 230) < 3


def test_a_zip_with_a_table_is_a_data_set(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "hands.zip", "w") as archive:
        archive.writestr("set/t.tsv", "x/1.png\tone\tanna\ttrain\n2.png\ttwo\tbert\tval\n")
        archive.writestr("set/x/1.png", picture())
        archive.writestr("set/2.png", picture())
    for place in (tmp_path, tmp_path / "hands.zip"):
        found = by_text(read_all(place))
        assert {s.writer for s in found.values()} == {"anna", "bert"}
        assert found["one"].dataset == "hands"
        assert found["one"].load().shape == SHAPE


def test_broken_rows_are_named_and_counted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    put(tmp_path / "data" / "good.png", picture())
    put(tmp_path / "data" / "cut.png", picture()[:200])
    put(tmp_path / "data" / "low.png", picture((5, 90)))
    put(tmp_path / "secret.png", picture())
    (tmp_path / "data" / "link.png").symlink_to(tmp_path / "secret.png")
    rows = ["good.png\tgood", "good.png\t ", "good.png", "cut.png\tx", "gone.png\tx", "low.png\tx"]
    rows += ["../secret.png\tx", f"{tmp_path}/secret.png\tx", "link.png\tx", "nul\0.png\tx"]
    table = "split\tpath\ttext\n" + "".join(f"train\t{row}\n" for row in rows)
    put(tmp_path / "data" / "t.tsv", table.encode() + b"train\tgood.png\t\xff\n\n")
    assert [s.text for s in read_folder(tmp_path / "data", "train")] == ["good"]
    for name in ("cut.png", "gone.png", "low.png", "../secret.png", "link.png", "t.tsv, row 12"):
        assert f"{name} left out: " in caplog.text
    assert "data: 1 lines of train, 10 left out" in caplog.text


def test_zip_members_are_read_in_place(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    put(tmp_path / "secret.png", picture())
    rows = ["1.png\tone", "../secret.png\ttwo", "no.png\tthree", "../in.png\tfour"]
    with zipfile.ZipFile(tmp_path / "z.zip", "w") as archive:
        archive.writestr("t.tsv", "\n".join(f"{row}\tanna\ttrain" for row in rows))
        archive.writestr("1.png", picture())
        archive.writestr("../in.png", picture())
    assert [s.text for s in read_folder(tmp_path / "z.zip", "train")] == ["one", "four"]
    assert "../secret.png left out" in caplog.text
    assert "no.png left out" in caplog.text
    assert sorted(path.name for path in tmp_path.iterdir()) == ["secret.png", "z.zip"]


def test_a_huge_picture_is_refused_before_it_is_decoded(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    data = bytearray(picture())
    data[16:24] = (60_000).to_bytes(4) * 2
    data[29:33] = zlib.crc32(data[12:29]).to_bytes(4)
    put(tmp_path / "huge.png", bytes(data))
    put(tmp_path / "t.tsv", "huge.png\tx\n")
    assert read_folder(tmp_path, "train") == []
    assert "huge.png left out: Page 1 is 60,000 × 60,000 pixels" in caplog.text


def test_all_takes_every_line_whatever_its_split_is_called(tmp_path: Path) -> None:
    splits = ("train", "val", "held out", "")
    rows = "".join(f"a.png\t{n}\tw\t{split}\n" for n, split in enumerate(splits))
    put(tmp_path / "t.tsv", "path\ttext\twriter\tsplit\n" + rows)
    put(tmp_path / "a.png", picture())
    assert [s.text for s in read_folder(tmp_path, "all")] == ["0", "1", "2", "3"]
    assert [s.text for s in read_folder(tmp_path, "val")] == ["1"]


@pytest.mark.parametrize("packed", [False, True])
def test_a_split_that_nothing_takes_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, *, packed: bool
) -> None:
    splits = ("train", "val", "test", "validation", "validation", "Train")
    rows = "".join(f"{n}.jpg\t{n}\tw\t{split}\n" for n, split in enumerate(splits))
    put(tmp_path / "t.tsv", "path\ttext\twriter\tsplit\n" + rows)
    for number in range(len(splits)):
        put(tmp_path / f"{number}.jpg", jpeg())
    if packed:
        with zipfile.ZipFile(tmp_path / "t.zip", "w") as archive:
            for place in tmp_path.glob("*.jpg"):
                archive.write(place, place.name)
    assert [s.text for s in read_folder(tmp_path, "val")] == ["1"]
    assert "2 lines are in the split 'validation', which nothing takes" in caplog.text
    assert "1 lines are in the split 'Train'" in caplog.text
    assert "'test'" not in caplog.text


@pytest.mark.parametrize("packed", [False, True])
def test_a_writer_who_trains_and_validates_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, packed: bool
) -> None:
    rows = ("anna\ttrain", "anna\tval", "bert\ttrain", "bert\ttest")
    table = "".join(f"{number}.jpg\tx\t{row}\n" for number, row in enumerate(rows))
    put(tmp_path / "t.tsv", "path\ttext\twriter\tsplit\n" + table)
    with zipfile.ZipFile(tmp_path / "t.zip", "w") as archive:
        for number in range(len(rows)):
            put(tmp_path / f"{number}.jpg", jpeg())
            archive.writestr(f"{number}.jpg", jpeg())
    if not packed:
        (tmp_path / "t.zip").unlink()
    assert len(read_folder(tmp_path, "train")) == 2
    assert "1 writers have lines in train and in val, 'anna' among them" in caplog.text


def test_a_line_that_comes_twice_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    put(tmp_path / "t.tsv", "a.png\tone\nb.png\ttwo\na.png\tother\n")
    for name in "ab":
        put(tmp_path / f"{name}.png", picture())
    assert len(read_folder(tmp_path, "train")) == 3
    assert "1 lines come more than once, a.png among them" in caplog.text


def test_who_validates_in_one_data_set_trains_in_none(tmp_path: Path) -> None:
    sets = (("anna", "bert"), ("bert", "carl"), ("anna", "carl"), ("anna",), ("bert",), ("carl",))
    for number, writers in enumerate(sets):
        rows = "".join(f"a.png\tx\t{writer}\n" for writer in writers)
        put(tmp_path / f"{number}" / "t.tsv", "path\ttext\twriter\n" + rows)
        put(tmp_path / f"{number}" / "a.png", picture())
    train, val = ({s.writer for s in read_folder(tmp_path, name)} for name in ("train", "val"))
    assert train
    assert val
    assert not train & val


def test_a_tab_in_a_text_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    put(tmp_path / "t.tsv", "path\ttext\twriter\na.png\tone\ttwo\tw\na.png\tgood\tw\t\n")
    put(tmp_path / "a.png", picture())
    assert [(s.text, s.writer) for s in read_folder(tmp_path, "all")] == [("good", "w")]
    assert "t.tsv, row 2 left out: its row has more cells than there are columns" in caplog.text


def test_rows_may_end_as_on_an_old_macintosh(tmp_path: Path) -> None:
    put(tmp_path / "t.tsv", "path\ttext\ra.png\tone\ra.png\ttwo")
    put(tmp_path / "a.png", picture())
    assert [s.text for s in read_folder(tmp_path, "all")] == ["one", "two"]


def test_a_carriage_return_within_a_row_ends_no_text(tmp_path: Path) -> None:
    put(tmp_path / "t.tsv", "path\ttext\na.png\tone\rtwo\n")
    put(tmp_path / "a.png", picture())
    assert [s.text for s in read_folder(tmp_path, "all")] == ["one\rtwo"]


def test_a_table_without_names_may_have_columns_that_are_not_read(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    row = "a.png\tone\tw\ttrain\tfaint\n"
    put(tmp_path / "t.tsv", row + row.replace("one", "t\two"))
    put(tmp_path / "a.png", picture())
    assert [s.text for s in read_folder(tmp_path, "all")] == ["one"]
    assert "t.tsv, row 2 left out" in caplog.text


def test_a_folder_that_may_not_be_looked_into_costs_only_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def iterdir(folder: Path) -> Iterator[Path]:
        if folder.name == "lost+found":
            raise PermissionError(errno.EACCES, "Permission denied", str(folder))
        return usual(folder)

    usual = Path.iterdir
    monkeypatch.setattr(Path, "iterdir", iterdir)
    for place in (tmp_path / "x", tmp_path / "x" / "lost+found", tmp_path / "lost+found"):
        place.mkdir()
    put(tmp_path / "x" / "t.tsv", "path\ttext\na.png\tone\n")
    put(tmp_path / "x" / "a.png", picture())
    assert [s.text for s in read_folder(tmp_path, "all")] == ["one"]
    assert caplog.text.count("lost+found is not looked into") == 2


def test_what_no_model_can_write_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    put(tmp_path / "t.tsv", "a.png\tDługa “Łódź” ł\x9b\n")
    put(tmp_path / "a.png", picture())
    read_folder(tmp_path, "train")
    assert "5 characters are not in the alphabet" in caplog.text
    assert "ł 2×, Ł 1×, ź 1×, U+009B 1×" in caplog.text


def test_a_set_in_the_alphabet_is_not_warned_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    put(tmp_path / "t.tsv", "a.png\t’Œuvre…\u00a0e\u0301 1\u202f000 €\n")
    put(tmp_path / "a.png", picture())
    read_folder(tmp_path, "train")
    assert not caplog.records


# Folders


def test_a_zip_that_cannot_be_opened_is_named_beside_others(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    put(tmp_path / "own" / "a.png", picture())
    put(tmp_path / "own" / "t.tsv", "a.png\tfirst\n")
    put(tmp_path / "broken.zip", b"PK\3\4 but no more")
    assert [s.text for s in read_folder(tmp_path, "train")] == ["first"]
    assert "broken.zip is left out" in caplog.text


def test_a_folder_with_nothing_is_named(tmp_path: Path) -> None:
    put(tmp_path / "deep" / "notes.tsv", "some\tother table\n")
    put(tmp_path / "deep" / "mets.xml", "<mets/>")
    put(tmp_path / "broken.zip", b"PK\3\4 but no more")
    with pytest.raises(TrainingDataError, match="holds no line pack"):
        read_folder(tmp_path, "train")


def test_every_data_set_below_a_folder_is_read(tmp_path: Path) -> None:
    put(tmp_path / "one" / "a.png", picture())
    put(tmp_path / "one" / "t.tsv", "a.png\tfirst\n")
    put(tmp_path / "more" / "two" / "a.png", picture())
    put(tmp_path / "more" / "two" / "t.tsv", "a.png\tsecond\n")
    packs = tmp_path / "lines"
    put(packs / "drawn.tsv", "path\ttext\twriter\tsplit\n1.jpg\tthird\tw\ttrain\n")
    with zipfile.ZipFile(packs / "drawn.zip", "w") as archive:
        archive.writestr("1.jpg", jpeg())
    found = {sample.text: sample.dataset for sample in read_folder(tmp_path, "train")}
    assert found == {"first": "one", "second": "more/two", "third": "drawn"}


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("own/u.tsv", "path\ttext\na.png\tx\n".encode("utf-16")),
        ("other/u.tsv", b'"path"\t"text"\n"a.png"\t"x"\n'),
        ("packs/u.tsv", b"path\ttext\na.png\tx\n"),
        ("own/inner/u.tsv", b"path\ttext\n"),
    ],
)
def test_tables_that_are_not_read_are_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, name: str, data: bytes
) -> None:
    put(tmp_path / "own" / "a.png", picture())
    put(tmp_path / "own" / "t.tsv", "a.png\tone\n")
    put(tmp_path / "packs" / "drawn.tsv", "path\ttext\twriter\tsplit\n1.jpg\ttwo\tw\ttrain\n")
    with zipfile.ZipFile(tmp_path / "packs" / "drawn.zip", "w") as archive:
        archive.writestr("1.jpg", jpeg())
    read_folder(tmp_path, "train")
    assert "not read" not in caplog.text
    put(tmp_path / name, data)
    assert [s.text for s in read_folder(tmp_path, "train")] == ["one", "two"]
    unread = tmp_path / name
    assert f"{unread.parent if 'inner' in name else unread} is not read" in caplog.text


def test_a_zip_without_a_table_is_named(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    put(tmp_path / "own" / "a.png", picture())
    put(tmp_path / "own" / "t.tsv", "a.png\tone\n")
    with zipfile.ZipFile(tmp_path / "pages.zip", "w") as archive:
        archive.writestr("p.xml", "<PcGts/>")
    assert [s.text for s in read_folder(tmp_path, "train")] == ["one"]
    assert "pages.zip is not read" in caplog.text


def test_links_to_other_data_sets_are_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for place in (tmp_path / "data" / "own", tmp_path / "other"):
        put(place / "a.png", picture())
        put(place / "t.tsv", f"a.png\t{place.name}\n")
    (tmp_path / "data" / "link").symlink_to(tmp_path / "other")
    assert [s.text for s in read_folder(tmp_path / "data", "train")] == ["own"]
    assert "data/link is a link and not followed" in caplog.text


def test_nothing_to_train_on_is_told(tmp_path: Path) -> None:
    put(tmp_path / "t.tsv", "path\ttext\ngone.png\tx\n")
    with pytest.raises(TrainingDataError, match="no line to train on"):
        train(tmp_path, tmp_path / "run", Recipe(fonts=0.0), tmp_path / "fonts", tmp_path / "texts")


def test_a_run_that_nothing_validates_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    put(tmp_path / "t.tsv", "a.png\tline\n")
    put(tmp_path / "a.png", picture())
    recipe = Recipe(steps=1, columns=512, pool=1, fonts=0.0)
    train(tmp_path, tmp_path / "run", recipe, tmp_path / "fonts", tmp_path / "texts")
    assert "No line validates" in caplog.text


@pytest.mark.parametrize("after", [None, "model.safetensors"])
def test_a_run_starts_only_from_weights_that_fit(tmp_path: Path, after: str | None) -> None:
    recipe, start = Recipe(fonts=0.0, frozen=True), tmp_path / after if after else None
    if start:
        save_model(start, Crnn(NetworkConfig(classes=3, channels=(2, 2, 2))), Alphabet("ab"))
    with pytest.raises(TrainingDataError, match="another alphabet" if after else "--after"):
        train(tmp_path, tmp_path / "run", recipe, tmp_path / "f", tmp_path / "t", start)


def test_a_pack_without_a_column_is_named(tmp_path: Path) -> None:
    put_pack(tmp_path, "path\ttext\twriter\n1.jpg\tone\tw\n", picture())
    with pytest.raises(TrainingDataError, match=r"drawn\.tsv has no column split"):
        read_folder(tmp_path, "train")


def test_broken_members_of_a_pack_are_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    names = ("fla\x1bt", "cut", "wrong", "empty", "huge", "low", "tab")
    rows = [f"{name}.jpg\tx\tw\ttrain\n" for name in names[:-1]] + ["tab.jpg\tx\ty\tw\ttrain\n"]
    put(tmp_path / "drawn.tsv", "path\ttext\twriter\tsplit\n" + "".join(rows))
    frame = b"\xff\xd8\xff\xc0\x00\x11\x08"
    with zipfile.ZipFile(tmp_path / "drawn.zip", "w") as archive:
        archive.writestr("fla\x1bt.jpg", frame + bytes(20))
        archive.writestr("cut.jpg", frame + bytes(3))
        archive.writestr("wrong.jpg", b"WRONG" * 20)
        archive.writestr("empty.jpg", _sized(40, 200)[:300])
        archive.writestr("huge.jpg", _sized(60_000, 60_000))
        archive.writestr("low.jpg", _sized(1, 200))
        archive.writestr("tab.jpg", jpeg())
    data = (tmp_path / "drawn.zip").read_bytes()
    put(tmp_path / "drawn.zip", data.replace(b"WRONG", b"right"))
    assert read_folder(tmp_path, "train") == []
    assert "\x1b" not in caplog.text
    for name in ("flat", *names[1:]):
        assert f"drawn: {name}.jpg left out" in caplog.text
    assert "drawn: 0 lines of train, 7 left out" in caplog.text


def _sized(height: int, width: int) -> bytes:
    """A picture whose header says that it is so large."""
    data = jpeg()
    sides = data.index(b"\xff\xc0") + 5
    return data[:sides] + height.to_bytes(2) + width.to_bytes(2) + data[sides + 4 :]


def test_a_line_that_comes_twice_in_a_pack_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    rows = "1.jpg\tone\tv\ttrain\n1.jpg\tone\tw\tval\n"
    put_pack(tmp_path, "path\ttext\twriter\tsplit\n" + rows, jpeg())
    assert len(read_folder(tmp_path, "train")) == 1
    assert "1 lines come more than once, 1.jpg among them" in caplog.text


def test_a_pack_may_begin_with_a_mark_and_its_empty_texts_are_left_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    rows = "1.jpg\tone\tw\ttrain\n1.jpg\t \tw\ttrain\n1.jpg\n"
    put_pack(tmp_path, "\ufeffpath\ttext\twriter\tsplit\n" + rows, jpeg())
    assert [s.text for s in read_folder(tmp_path, "all")] == ["one"]
    assert "drawn: 1.jpg left out: it has no text" in caplog.text
    assert "drawn: 1 lines of all, 2 left out" in caplog.text


@pytest.mark.parametrize(
    ("table", "archive"),
    [
        (b"1.jpg\tone\tw\ttrain\n", b"no zip"),
        (b"1.jpg\t\xff\tw\ttrain\n", None),
        (b"1.jpg\t" + b"a" * 200_000 + b"\tw\ttrain\n", None),
    ],
)
def test_what_is_no_pack_is_named(tmp_path: Path, table: bytes, archive: bytes | None) -> None:
    put(tmp_path / "drawn.tsv", b"path\ttext\twriter\tsplit\n" + table)
    with zipfile.ZipFile(tmp_path / "drawn.zip", "w") as whole:
        whole.writestr("1.jpg", picture())
    if archive:
        put(tmp_path / "drawn.zip", archive)
    with pytest.raises(TrainingDataError, match="drawn is no pack"):
        read_folder(tmp_path, "train")


def test_a_member_that_would_fill_the_memory_is_left_packed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hwr.training.datasets.packs._MOST_BYTES", 2**20)
    put(tmp_path / "drawn.tsv", "path\ttext\twriter\tsplit\n1.jpg\tone\tw\ttrain\n")
    with zipfile.ZipFile(tmp_path / "drawn.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("1.jpg", picture() + bytes(2**20))
    assert read_folder(tmp_path, "train") == []
    assert "drawn: 1.jpg left out: it has more than 1 MiB" in caplog.text


# IAM

LINES = """#--- lines.txt ----#
# comments
a01-000u-00 ok 154 19 408 746 1661 89 A|MOVE|to|stop|Mr.|Gaitskell|from
a01-000u-01 err 156 19 395 932 1850 105 nominating|any|more
b02-013-00 ok 170 10 1 2 3 4 unused|form
b02-017-00 ok 170 10 1 2 3 4 has|no|picture
../../x-00 ok 170 10 1 2 3 4 outside
c03-000a-00 what 170 10 1 2 3 4 flag
c03-000a-01 ok 170 10
"""


@pytest.fixture
def iam(tmp_path: Path) -> Path:
    put(tmp_path / "ascii" / "lines.txt", LINES)
    put(tmp_path / "ascii" / "forms.txt", "# forms\na01-000u 000 2 prt 7 5 52 36\n")
    put(tmp_path / "lines" / "a01" / "a01-000u" / "a01-000u-00.png", picture())
    put(tmp_path / "lines" / "a01" / "a01-000u" / "a01-000u-01.png", picture())
    put(tmp_path / "lines" / "b02-013-00.png", picture())
    return tmp_path


def test_iam_gives_its_lines(iam: Path, caplog: pytest.LogCaptureFixture) -> None:
    found = by_text(read_all(iam))
    assert set(found) == {
        "A MOVE to stop Mr. Gaitskell from",
        "nominating any more",
        "unused form",
    }
    assert found["nominating any more"].writer == "000"
    assert found["unused form"].writer == "b02-013"
    for name in ("b02-017-00", "../../x-00", "c03-000a-00", "c03-000a-01"):
        assert f"{name} left out" in caplog.text


def test_iam_follows_its_standard_split(iam: Path) -> None:
    put(iam / "task" / "trainset.txt", "a01-000u-00\n")
    put(iam / "task" / "validationset2.txt", "a01-000u-01\n")
    put(iam / "task" / "testset.txt", "b02-017-00\n")
    assert [s.name for s in read_folder(iam, "train")] == ["a01-000u-00"]
    assert [s.name for s in read_folder(iam, "val")] == ["a01-000u-01"]
    assert read_folder(iam, "test") == []


def test_iam_words_are_read_where_there_are_no_lines(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    rows = "a01-000u-00-00 ok 154 408 768 27 51 AT A\na01-000u-00-01 err 1 5 7 2 4 NN bad\n"
    put(tmp_path / "words.txt", rows)
    put(tmp_path / "words" / "a01" / "a01-000u" / "a01-000u-00-00.png", picture())
    assert [s.text for s in read_folder(tmp_path, "train")] == ["A"]
    assert "a01-000u-00-01 left out" in caplog.text
