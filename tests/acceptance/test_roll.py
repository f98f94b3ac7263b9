"""Models by name: published and put to use from the command line, followed by a running service."""

from pathlib import Path

import pytest
from model_bench import folder_registry, name
from running import Up, hwr, run_up, wait_for

from workers.client import Client
from workers.models.manifest import CARD, LINE
from workers.models.registry import Registry


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return folder_registry(tmp_path / "models")


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, str]:
    """What every command and the service see."""
    return {
        "HWR_MODEL_REGISTRY": f"file:{tmp_path / 'models'}",
        "HWR_MODEL_CACHE": str(tmp_path / "cache"),
        "HWR_MODEL_LOOK_EVERY_S": "0.2",
        "HWR_ENGINE": "onnx",
        "HWR_DECODER": "best-path",
    }


def bundle(folder: Path, model: Path, card: str) -> dict[str, Path]:
    """The files of a version that differs from others by its card."""
    folder.mkdir()
    (folder / "small.safetensors").write_bytes(model.read_bytes())
    (folder / CARD).write_text(card)
    return {LINE: folder / "small.safetensors", CARD: folder / CARD}


def read_with(up: Up, scans: Path) -> dict[str, str]:
    """What a job that is submitted now is read with."""
    with Client(up.url) as client:
        job_id = client.submit([scans / "page.png"])["id"]
        assert list(client.follow(job_id))[-1]["state"] == "done", up.logs()
        [document] = client.results(job_id)["documents"]
    reader: dict[str, str] = document["reader"]
    return reader


def test_a_service_rolls_to_what_is_put_to_use_and_refuses_what_does_not_read(
    tmp_path: Path, model: Path, scans: Path, registry: Registry, settings: dict[str, str]
) -> None:
    first = registry.publish(name("v1"), bundle(tmp_path / "v1", model, "The first."))
    registry.use(first)
    with run_up(tmp_path, Path("cheques@current"), **settings) as up:
        before = read_with(up, scans)
        assert before["model_version"] == first.identity
        workers = set(up.processes())

        second = bundle(tmp_path / "v2", model, "The \x1b[2Jsecond.")[LINE].parent
        done = hwr("models", "publish", second, "--name", "cheques", "--version", "v2", **settings)
        assert done.returncode == 0, done.stderr
        assert read_with(up, scans) == before, "publishing alone changes nothing"
        assert hwr("models", "use", "cheques@v2", **settings).returncode == 0
        wait_for(lambda: "reads in place of cheques@v1" in read_log(up), up.logs)
        after = read_with(up, scans)
        second_identity = done.stdout.strip()
        assert after["model_version"] == second_identity != before["model_version"]
        assert after["model"] == before["model"], "only the card is another"

        third = registry.publish(name("v3"), bundle(tmp_path / "v3", model, "The third."))
        (tmp_path / "models/cheques/versions/v3" / CARD).write_text("Forged ...")
        refused = hwr("models", "use", "cheques@v3", **settings)
        assert refused.returncode == 1
        assert refused.stderr.startswith("DamagedModel: CARD.md of cheques@v3")
        registry.use(third)  # by somebody who did not look
        wait_for(lambda: "cheques@v3 refused: DamagedModel" in read_log(up), up.logs)
        assert read_with(up, scans) == after
        assert set(up.processes()) == workers, "nothing was started again"
    assert f"; model {second_identity}, 1 rolled, " in read_log(up), "its last figures"
    assert "refused (last: DamagedModel)" in read_log(up)

    listed = hwr("models", "list", **settings).stdout.splitlines()
    assert [row[:14] for row in listed] == ["  cheques@v1  ", "  cheques@v2  ", "* cheques@v3  "]
    shown = hwr("models", "show", "cheques@v2", **settings).stdout
    assert [row[:6] for row in shown.splitlines() if row.startswith("move")] == [
        "move 3",
        "move 2",
        "move 1",
    ]
    assert shown.endswith("The [2Jsecond.\n"), "a card steers no terminal"


def test_what_is_no_model_is_named_and_the_others_are_listed(
    tmp_path: Path, model: Path, registry: Registry, settings: dict[str, str]
) -> None:
    registry.publish(name("v1"), bundle(tmp_path / "v1", model, "The first."))
    root = tmp_path / "models"
    (root / "alias").symlink_to(root / "cheques")
    (root / "cheques/versions/v0").symlink_to(root / "cheques/versions/v1")
    (root / "notes.txt").write_text("Ours.")
    done = hwr("models", "list", **settings)
    assert done.returncode == 1
    link, notes = done.stderr.splitlines()
    assert link.startswith("alias is no model: UnsafeObject: ")
    assert notes.startswith("notes.txt is no model: it has no versions")
    broken, whole = done.stdout.splitlines()
    assert broken.startswith("  cheques@v0  UnsafeObject: ")
    assert whole.startswith("  cheques@v1  ")


def read_log(up: Up) -> str:
    return (up.data / "read.log").read_text()
