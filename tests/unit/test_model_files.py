"""Files of a model: the same content is the same bytes, and any reader of the format takes them."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open

from hwr.model import files
from hwr.model.files import replacing, write_tensors

_TENSORS: dict[str, np.ndarray] = {
    "b": np.arange(6, dtype=np.float16).reshape(2, 3),
    "a": np.array([7], np.int64),
}
#: So many that chance does not order them twice alike.
_METADATA = {f"{n}": f"é {n}" for n in range(30)}


def test_the_same_content_is_the_same_bytes(tmp_path: Path) -> None:
    write_tensors(tmp_path / "one", _TENSORS, _METADATA)
    backwards = dict(reversed(_METADATA.items()))
    write_tensors(tmp_path / "two", dict(reversed(_TENSORS.items())), backwards)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_what_was_written_is_read_by_safetensors(tmp_path: Path) -> None:
    write_tensors(tmp_path / "one", _TENSORS, _METADATA)
    with safe_open(tmp_path / "one", "np") as file:
        assert file.metadata() == _METADATA
        for name, tensor in _TENSORS.items():
            assert np.array_equal(file.get_tensor(name), tensor)


def test_a_file_that_is_broken_off_is_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "table"
    path.write_text("whole")

    def break_off() -> None:
        with replacing(path) as temporary:
            temporary.write_text("ha")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        break_off()
    assert path.read_text() == "whole"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_only_its_owner_may_read_stays_so(tmp_path: Path) -> None:
    path = tmp_path / "table"
    path.touch(mode=0o600)
    with replacing(path) as temporary:
        temporary.write_text("whole")
    assert path.stat().st_mode & 0o777 == 0o600


def test_names_may_be_as_long_as_the_system_has_them(tmp_path: Path) -> None:
    path = tmp_path / ("é" * 127)
    with replacing(path) as temporary:
        temporary.write_text("whole")
    assert path.read_text() == "whole"


def test_links_keep_their_place_and_devices_are_written_as_they_are(tmp_path: Path) -> None:
    path, link = tmp_path / "table", tmp_path / "link"
    link.symlink_to(path)
    with replacing(link) as temporary:
        temporary.write_text("whole")
    assert link.is_symlink()
    assert path.read_text() == "whole"
    device = Path("/dev/null")
    with replacing(device) as temporary:
        assert temporary == device


def test_a_file_that_is_a_mount_point_is_written_as_it_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, mounts = tmp_path / "of a container", tmp_path / "mountinfo"
    path.write_text("before, and longer")
    escaped = str(path).replace(" ", r"\040")
    mounts.write_text(
        f"36 35 98:0 / / rw - ext4 disk rw\n37 36 98:0 /x {escaped} rw - ext4 disk rw\n"
    )
    monkeypatch.setattr(files, "_MOUNTS", mounts)
    before = path.stat().st_ino
    with pytest.raises(ZeroDivisionError), replacing(path):
        raise ZeroDivisionError
    assert path.read_text() == "before, and longer"
    with replacing(path) as temporary:
        temporary.write_text("after")
    assert (path.read_text(), path.stat().st_ino) == ("after", before)
    assert sorted(tmp_path.iterdir()) == sorted([mounts, path])


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="no names of open files here")
def test_what_is_open_already_is_written_behind_what_it_has(tmp_path: Path) -> None:
    code = (
        "from pathlib import Path; from hwr.model.files import replacing\n"
        "print('table')\n"
        "with replacing(Path('/dev/stdout')) as temporary: temporary.write_text('json\\n')\n"
        "print('end')"
    )
    path = tmp_path / "out"
    path.write_text("earlier\n")
    with path.open("a") as output:
        subprocess.run([sys.executable, "-c", code], stdout=output, check=True)
        print("later", file=output)
    assert path.read_text() == "earlier\ntable\njson\nend\nlater\n"
