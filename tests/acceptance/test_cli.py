"""The commands as a user types them: what they print, and what they end with."""

import csv
import json
import os
import shutil
import subprocess
from importlib.metadata import version
from pathlib import Path

import cv2
import numpy as np
import pytest
from api_bench import upgrade_and_close
from running import HWR, Up, hwr

from workers.settings import Settings

ALL_READ, SOME_FAILED, USAGE = 0, 1, 2


@pytest.fixture(scope="module")
def bad(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file that is no document."""
    path = tmp_path_factory.mktemp("bad") / "notes.pdf"
    path.write_bytes(b"just some text")
    return path


def draw_line(path: Path, text: str) -> Path:
    """A line image."""
    image = np.full((60, 40 + 24 * len(text)), 255, np.uint8)
    cv2.putText(image, text, (10, 40), cv2.FONT_HERSHEY_SCRIPT_SIMPLEX, 1, 0, 2, cv2.LINE_AA)
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), image)
    return path


# ---- Without a service


def test_read_prints_the_text_and_names_what_fails(scans: Path, bad: Path, model: Path) -> None:
    done = hwr("read", scans / "page.png", bad, scans / "two-pages.tif", model=model)
    assert done.returncode == SOME_FAILED
    assert "notes.pdf: UnsupportedFormat: " in done.stderr
    said = done.stdout.splitlines()
    headings = ["==> page.png <==", "==> notes.pdf <==", "==> two-pages.tif <=="]
    assert [said[n] for n in (0, 4, 5)] == headings
    assert len(said) == 3 + len(headings) + 2 + 1 + 1  # a blank line between pages


def test_read_saves_json(scans: Path, model: Path, tmp_path: Path) -> None:
    done = hwr(
        "read",
        scans / "two-pages.tif",
        scans / "page.png",
        "--format",
        "json",
        "--out",
        tmp_path / "out",
        model=model,
    )
    assert (done.returncode, done.stdout) == (ALL_READ, "")
    result = json.loads((tmp_path / "out" / "two-pages.tif.json").read_text())
    assert set(result) == {"name", "state", "error", "reader", "pages"}
    assert [page["number"] for page in result["pages"]] == [1, 2]
    assert {"order", "text", "confidence", "polygon", "baseline"} <= set(
        result["pages"][0]["lines"][0]
    )
    assert (tmp_path / "out" / "page.png.json").exists()


def test_read_takes_a_folder_and_leaves_out_what_is_no_document(
    scans: Path, model: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "in"
    (folder / "below").mkdir(parents=True)
    shutil.copy(scans / "two-pages.tif", folder / "b")
    shutil.copy(scans / "page.png", folder / "below" / "c.png")
    (folder / "notes.txt").write_text("to be scanned again")
    done = hwr("read", folder, model=model)
    assert done.returncode == ALL_READ, done.stderr
    headings = [said for said in done.stdout.splitlines() if said.startswith("==>")]
    assert headings == ["==> b <==", "==> below_c.png <=="]
    assert "notes.txt: not a PDF, TIFF, JPEG or PNG, left out.\n" in done.stderr


def test_a_broken_document_of_a_folder_is_missed(bad: Path, model: Path, tmp_path: Path) -> None:
    (tmp_path / "nothing").mkdir()
    assert "No document was found" in hwr("read", tmp_path / "nothing", model=model).stderr
    (tmp_path / "nothing" / "broken-off.pdf").touch()
    for folder in (bad.parent, tmp_path):
        assert hwr("read", folder, model=model).returncode == SOME_FAILED


@pytest.mark.parametrize("named", ["-", "/dev/stdin"])
@pytest.mark.parametrize("limit", ["", "1000"])
def test_read_takes_standard_input(named: str, limit: str, scans: Path, model: Path) -> None:
    variables = {"HWR_MODEL": str(model)} | ({"HWR_MAX_BYTES": limit} if limit else {})
    done = subprocess.run(
        [*HWR, "read", named],
        input=(scans / "page.png").read_bytes(),
        capture_output=True,
        env=os.environ | variables,
        timeout=60,
    )
    assert done.returncode == (SOME_FAILED if limit else ALL_READ), done.stderr
    assert (b"stdin: DocumentTooLarge" in done.stderr) == bool(limit)
    assert bool(done.stdout) != bool(limit)


def test_the_version_is_shown() -> None:
    assert hwr("--version").stdout == f"hwr {version('hwr')}\n"


def test_a_file_where_a_folder_is_meant_is_said_so(
    scans: Path, model: Path, tmp_path: Path
) -> None:
    out = tmp_path / "a.png"
    out.write_bytes(b"x")
    done = hwr("read", scans / "page.png", "--out", out, model=model)
    assert done.returncode == SOME_FAILED
    assert done.stderr.endswith(f"{out} is a file. Name a folder, or remove the file.\n")


def test_lines_reads_a_folder_into_a_table(model: Path, tmp_path: Path) -> None:
    folder = tmp_path / "lines"
    first = draw_line(folder / "a.png", "dear sir")
    second = draw_line(folder / "sub" / "b.jpg", "yours")
    (folder / "b.txt").write_text("the truth of b")
    (folder / "broken.png").write_bytes(first.read_bytes()[:200])
    (folder / "empty.tif").write_bytes(b"")
    done = hwr("lines", folder, "--tsv", tmp_path / "out.tsv", model=model)
    with (tmp_path / "out.tsv").open(newline="") as table:
        rows = list(csv.DictReader(table, delimiter="\t", quoting=csv.QUOTE_NONE))
    assert done.returncode == SOME_FAILED
    paths = [first, folder / "broken.png", folder / "empty.tif", second]
    assert [row["path"] for row in rows] == list(map(str, paths))
    assert [row["text"] for row in rows[1:3]] == ["", ""]
    assert [float(row["confidence"]) for row in rows[1:3]] == [0, 0]
    assert all(0 <= float(rows[n]["confidence"]) <= 1 for n in (0, 3))
    assert all(rows[n]["text"] for n in (0, 3))
    assert f"{folder / 'broken.png'}: Damaged" in done.stderr
    assert f"{folder / 'empty.tif'}: EmptyDocument" in done.stderr


def test_lines_takes_single_files(model: Path, tmp_path: Path) -> None:
    path = draw_line(tmp_path / "tab\there.png", "hello")
    done = hwr("lines", path, "--tsv", "-", model=model)
    header, row = done.stdout.splitlines()
    assert done.returncode == ALL_READ
    assert header.split("\t") == ["path", "text", "confidence"]
    assert row.split("\t")[0] == str(path).replace("\t", " ")


def test_a_missing_model_is_one_line(scans: Path, tmp_path: Path) -> None:
    done = hwr("read", scans / "page.png", model=tmp_path / "absent.safetensors")
    assert done.returncode == SOME_FAILED
    assert done.stderr.startswith("ModelError: ")
    assert "Traceback" not in done.stderr


@pytest.fixture
def odd(tmp_path: Path, scans: Path) -> Path:
    """A good page under a name that is no UTF-8 and steers terminals."""
    path = tmp_path / os.fsdecode(b"b\xffad\x1b[31m.png")
    shutil.copy(scans / "page.png", path)
    return path


def test_odd_names_become_harmless(odd: Path, model: Path, tmp_path: Path) -> None:
    done = hwr("read", odd, "--format", "json", "--out", tmp_path / "out", model=model)
    assert done.returncode == ALL_READ, done.stderr
    [saved] = (tmp_path / "out").iterdir()
    assert saved.name == "bad[31m.png.json"
    assert json.loads(saved.read_text())["name"] == "bad[31m.png"


def test_lines_keeps_odd_names(odd: Path, model: Path) -> None:
    command = [*HWR, "lines", str(odd)]
    environment = os.environ | {"HWR_MODEL": str(model), "PYTHONIOENCODING": "utf-8:strict"}
    done = subprocess.run(command, capture_output=True, env=environment, check=False)
    assert done.returncode == ALL_READ, done.stderr
    assert done.stdout.splitlines()[1].split(b"\t")[0] == os.fsencode(odd)


def test_lines_says_that_a_folder_has_none(model: Path, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no line")
    done = hwr("lines", tmp_path, model=model)
    assert (done.returncode, done.stdout) == (SOME_FAILED, "path\ttext\tconfidence\n")
    assert done.stderr.splitlines()[-1].startswith("No PNG, JPEG or TIFF file was found.")


def test_disks_and_settings_fail_in_one_line(scans: Path, model: Path, tmp_path: Path) -> None:
    taken = tmp_path / "taken"
    taken.write_text("a file, no folder")
    page = scans / "page.png"
    for arguments, variables, said in (
        (["read", page, "--out", taken], {}, "taken is a file. Name a folder"),
        (["lines", page, "--tsv", taken / "table.tsv"], {}, "taken is a file. Name a folder"),
        (["up", "--data", taken], {}, "taken is a file. Name a folder"),
        (["read", page], {"HWR_MAX_SIDE": "wide"}, "HWR_MAX_SIDE: "),
        (["read", page], {"HWR_API_KEYS": "secret"}, "HWR_API_KEYS is not JSON. "),
        (["status", "x"], {"HWR_KEY": "schlüssel"}, "KeyRefused: "),
    ):
        done = hwr(*arguments, model=model, **variables)
        assert (done.returncode, done.stdout) == (SOME_FAILED, ""), arguments
        # Before it may stand what was said of the model.
        assert said in done.stderr.splitlines()[-1]
        assert "Traceback" not in done.stderr


def test_purge_says_where_it_looked(tmp_path: Path) -> None:
    store = {"HWR_STORAGE_URL": f"file:{tmp_path}"}
    missing = hwr("purge", "--older-than", "30", cwd=tmp_path, **store)
    assert (missing.returncode, missing.stdout) == (SOME_FAILED, "")
    assert "There is no database .hwr/hwr.db. " in missing.stderr
    assert list(tmp_path.iterdir()) == []
    upgrade_and_close(Settings(database_url=f"sqlite:///{tmp_path}/.hwr/hwr.db"))
    done = hwr("purge", "--older-than", "30", cwd=tmp_path, **store)
    assert (done.returncode, done.stderr) == (ALL_READ, "")
    where, *counts = done.stdout.splitlines()
    assert where == f"jobs of sqlite:///.hwr/hwr.db and file://{tmp_path}/jobs"
    assert counts == ["0 ended deleted"]
    wrong = hwr("purge", "--older-than", "30", "--abandoned", "--tenant", "bank", **store)
    assert (wrong.returncode, wrong.stdout) == (USAGE, "")


# ---- With a service


def test_submit_and_wait_prints_what_read_prints(up: Up, scans: Path, model: Path) -> None:
    files = [scans / "page.png", scans / "two-pages.tif"]
    submitted = hwr("submit", *files, "--wait", "--url", up.url)
    assert submitted.returncode == ALL_READ, submitted.stderr + up.logs()
    assert submitted.stdout == hwr("read", *files, model=model).stdout
    assert "3/3" in submitted.stderr
    assert "pages/s" in submitted.stderr


def test_submit_status_results(up: Up, scans: Path, bad: Path, tmp_path: Path) -> None:
    submitted = hwr("submit", bad, scans / "page.png", HWR_URL=up.url)
    job = submitted.stdout.strip()
    assert (submitted.returncode, len(job)) == (ALL_READ, 32)
    from workers.client import Client

    with Client(up.url) as client:
        assert [told["state"] for told in client.follow(job)][-1] == "done_with_errors"
    status = hwr("status", job, HWR_URL=up.url)
    assert status.returncode == ALL_READ
    assert f"{job}  done_with_errors  1 of 1 pages, 3 lines" in status.stdout
    assert "UnsupportedFormat: " in status.stdout
    results = hwr("results", job, "--format", "json", HWR_URL=up.url)
    assert results.returncode == SOME_FAILED
    documents = [json.loads(line) for line in results.stdout.splitlines()]
    assert [document["state"] for document in documents] == ["failed", "done"]
    saved = hwr("results", job, "--out", tmp_path / "out", HWR_URL=up.url)
    assert saved.returncode == SOME_FAILED
    assert "notes.pdf: UnsupportedFormat: " in saved.stderr
    assert len((tmp_path / "out" / "page.png.txt").read_text().splitlines()) == 3


def test_the_service_of_the_folder_is_found(up: Up, tmp_path: Path) -> None:
    (tmp_path / ".hwr").symlink_to(up.data)
    done = hwr("status", "no-such-job", cwd=tmp_path)
    assert done.returncode == SOME_FAILED
    assert done.stderr.startswith("JobNotFound: ")


def test_cancel(up: Up, scans: Path) -> None:
    job = hwr("submit", scans / "page.png", "--lane", "low", "--url", up.url).stdout.strip()
    done = hwr("cancel", job, "--url", up.url)
    assert done.returncode == ALL_READ
    assert job in done.stdout


def test_jobs_are_listed_and_deleted(up: Up, scans: Path) -> None:
    job = hwr("submit", scans / "page.png", "--idempotency-key", "to-delete", "--url", up.url)
    made = job.stdout.strip()
    hwr("cancel", made, "--url", up.url)
    [row] = [row for row in told("jobs", up) if made in row]
    assert row.endswith("to-delete")
    [state] = [
        one["state"] for one in map(json.loads, told("jobs --json", up)) if one["id"] == made
    ]
    assert made in "".join(told(f"jobs --state {state}", up))
    assert hwr("delete", made, "--url", up.url).returncode == ALL_READ
    assert made not in "".join(told("jobs", up))
    gone = hwr("delete", made, "--url", up.url)
    assert gone.returncode == SOME_FAILED
    assert gone.stderr.startswith("JobNotFound: ")


def told(command: str, up: Up) -> list[str]:
    """The rows that a command prints."""
    done = hwr(*command.split(), "--url", up.url)
    assert done.returncode == ALL_READ, done.stderr
    return done.stdout.splitlines()


def test_a_service_that_is_not_there() -> None:
    done = hwr("status", "x", "--url", "http://127.0.0.1:1")
    assert done.returncode == SOME_FAILED
    assert done.stderr.startswith("ServiceUnavailable: Nothing answers at http://127.0.0.1:1")
    assert "hwr up" in done.stderr


def test_odd_names_are_submitted(up: Up, odd: Path) -> None:
    done = hwr("submit", odd, odd, "--wait", "--url", up.url)
    assert done.returncode == ALL_READ, done.stderr
    assert done.stdout.count("==> bad[31m.png <==") == 2


def test_a_refused_reference(up: Up) -> None:
    done = hwr("submit", "s3://elsewhere/scan.pdf", "--url", up.url)
    assert done.returncode == SOME_FAILED
    assert done.stderr.startswith("ReferenceRefused: ")


# ---- Mistakes


@pytest.mark.parametrize(
    "arguments",
    [
        ["read"],
        ["read", "absent.pdf"],
        ["read", "--format", "xml", __file__],
        ["lines", "absent"],
        ["submit"],
        ["submit", "absent.pdf"],
        ["up", "--port", "0"],
        ["worker", "nothing"],
        ["nothing"],
    ],
)
def test_mistakes_are_usage_errors(arguments: list[str], tmp_path: Path) -> None:
    done = hwr(*arguments, cwd=tmp_path)
    assert done.returncode == USAGE
    assert "Traceback" not in done.stderr


def test_help_names_every_command() -> None:
    said = hwr("--help").stdout
    commands = "read lines submit status results cancel jobs delete up api worker".split()
    assert [command for command in commands if command not in said] == []


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys, workers.cli\n"
        "heavy = {'torch', 'cv2', 'numpy', 'celery', 'fastapi', 'sqlalchemy', 'pydantic'}\n"
        "sys.exit(', '.join(heavy & set(sys.modules)) or 0)"
    )
    done = subprocess.run([HWR[0], "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
