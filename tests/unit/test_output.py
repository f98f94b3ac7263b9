"""How results are written for people and programs."""

import json
from pathlib import Path
from typing import Any

import pytest

from workers.file_names import MAX_NAME
from workers.output import Folder, Format, problems, render

ERROR = {"code": "DamagedPage", "message": "Page 2 is cut off."}


def make_page(number: int, *texts: str, error: dict[str, str] | None = None) -> dict[str, Any]:
    lines = [{"order": n, "text": text, "confidence": 0.5} for n, text in enumerate(texts)]
    return {"number": number, "width": 9, "height": 9, "error": error, "lines": lines}


def make_result(*pages: dict[str, Any], name: str = "scan.pdf", **others: Any) -> dict[str, Any]:
    result: dict[str, Any]
    result = {"name": name, "state": "done", "error": None, "reader": {}, "pages": list(pages)}
    return result | others


def test_text_has_the_lines_and_a_blank_line_between_pages() -> None:
    result = make_result(make_page(1, "dear", "sir"), make_page(2), make_page(3, "yours"))
    assert render(result, Format.TEXT) == "dear\nsir\n\nyours\n"


def test_text_has_a_blank_line_between_the_sheets_of_a_page() -> None:
    page = make_page(1, "ten", "twenty", "thirty")
    for line, sheet in zip(page["lines"], (1, 1, 2), strict=True):
        line["sheet"] = sheet
    assert render(make_result(page), Format.TEXT) == "ten\ntwenty\n\nthirty\n"


def test_text_of_nothing_is_empty() -> None:
    assert render(make_result(), Format.TEXT) == ""


def test_json_is_the_whole_result_on_one_line() -> None:
    result = make_result(make_page(1, "a\nb", "手"))
    text = render(result, Format.JSON)
    assert text.count("\n") == 1
    assert json.loads(text) == result
    assert "手" in text


def test_problems_name_document_page_and_line() -> None:
    page = make_page(2, "x", error=ERROR)
    page["lines"][0]["error"] = ERROR
    assert list(problems(make_result(make_page(1, "y"), page, error=ERROR))) == [
        "scan.pdf: DamagedPage: Page 2 is cut off.",
        "scan.pdf, page 2: DamagedPage: Page 2 is cut off.",
        "scan.pdf, page 2, line 1: DamagedPage: Page 2 is cut off.",
    ]


def test_a_good_result_has_no_problems() -> None:
    assert list(problems(make_result(make_page(1, "y")))) == []


def test_a_result_that_cannot_be_written_leaves_no_file_and_keeps_the_old_one(
    tmp_path: Path,
) -> None:
    folder = Folder(tmp_path)
    (tmp_path / "a.txt").write_text("before")
    unwritable = {"name": "a", "pages": [{"lines": [{"text": "\ud800"}]}]}
    with pytest.raises(UnicodeEncodeError):
        folder.save(unwritable, Format.TEXT)
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]
    assert (tmp_path / "a.txt").read_text() == "before"


def test_documents_of_one_name_do_not_overwrite_each_other(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "new" / "out")
    names = ["a.pdf", "A.pdf", "a.pdf", "b.pdf"]
    saved = [folder.save(make_result(name=name), Format.JSON).name for name in names]
    assert saved == ["a.pdf.json", "A.pdf-2.json", "a.pdf-3.json", "b.pdf.json"]


@pytest.mark.parametrize(
    "name",
    ["手" * 82 + ".pdf", "手" * 200, "ü" * 125 + ".pdf", "🖋" * 99],
    ids=["fits without a number", "three bytes", "two bytes", "four bytes"],
)
def test_a_name_of_many_bytes_is_cut_between_characters(tmp_path: Path, name: str) -> None:
    folder = Folder(tmp_path)
    saved = [folder.save(make_result(name=name), Format.JSON) for _ in range(11)]
    assert len(set(saved)) == 11
    assert [path.name[path.name.rfind("-") :] for path in saved[1:3]] == ["-2.json", "-3.json"]
    for path in saved:
        assert 251 < len(path.name.encode()) <= 255
        assert name.startswith(path.name.removesuffix(".json").rsplit("-", 1)[0])


@pytest.mark.parametrize("name", ["../../evil", "/etc/passwd", "..", "", "a\x1b[2J", "x" * 5000])
def test_names_cannot_leave_the_folder(tmp_path: Path, name: str) -> None:
    path = Folder(tmp_path).save(make_result(name=name), Format.TEXT)
    assert path.parent == tmp_path
    assert path.exists()
    assert len(path.name) <= MAX_NAME + len(".txt")
    assert "\x1b" not in path.name
