import fcntl
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from opmq_lib.errors import DataError
from opmq_lib.runs import folders

PUBLISH_AND_DIE = """
import os, signal, sys
from pathlib import Path
from opmq_lib.runs import folders

edition, event_name, number = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
seen = 0

def die(event, arguments):
    global seen
    seen += event == event_name
    if event == event_name and seen == number:
        os.kill(os.getpid(), signal.SIGKILL)

staging = folders.stage(edition, "chimie", "01_emplois")
(staging / "a.csv").write_text("new")
(staging / "b.csv").write_text("new")
sys.addaudithook(die)
folders.publish(staging, edition / "chimie" / "01_emplois")
"""


def contents(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir()} if folder.exists() else {}


def old_result(edition: Path) -> Path:
    folder = edition / "chimie" / "01_emplois"
    folder.mkdir(parents=True)
    (folder / "a.csv").write_text("old")
    (folder / "c.csv").write_text("old")
    return folder


@pytest.mark.parametrize(
    ("event", "number", "killed", "swept"),
    [
        ("os.rename", 1, "old", "old"),
        ("os.rename", 2, "none", "old"),
        ("shutil.rmtree", 1, "new", "new"),
    ],
)
def test_result_is_whole_whenever_its_runner_is_killed(
    tmp_path: Path, event: str, number: int, killed: str, swept: str
) -> None:
    folder = old_result(tmp_path)
    whole = {
        "old": {"a.csv": "old", "c.csv": "old"},
        "new": {"a.csv": "new", "b.csv": "new"},
        "none": {},
    }
    runner = subprocess.run(
        [sys.executable, "-c", PUBLISH_AND_DIE, str(tmp_path), event, str(number)], check=False
    )
    assert runner.returncode == -signal.SIGKILL
    assert contents(folder) == whole[killed]
    folders.sweep(tmp_path)
    assert contents(folder) == whole[swept]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["chimie"]


def test_result_that_cannot_take_its_place_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = old_result(tmp_path)
    staging = folders.stage(tmp_path, "chimie", "01_emplois")
    rename = Path.rename

    def refuse_the_new(path: Path, target: Path) -> Path:
        if path == staging:
            raise OSError(28, "No space left on device")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", refuse_the_new)
    with pytest.raises(OSError, match="No space"):
        folders.publish(staging, folder)
    assert contents(folder) == {"a.csv": "old", "c.csv": "old"}


def test_edition_is_locked_for_others_and_free_afterwards(tmp_path: Path) -> None:
    with folders.locked(tmp_path), pytest.raises(DataError, match="one batch at a time"):
        folders.locked(tmp_path).__enter__()
    with folders.locked(tmp_path):
        assert (tmp_path / ".lock").exists()


def test_lock_dies_with_its_process(tmp_path: Path) -> None:
    hold = (
        "import os, sys; from pathlib import Path; from opmq_lib.runs import folders\n"
        "with folders.locked(Path(sys.argv[1])): os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", hold, str(tmp_path)], check=False)
    with (tmp_path / ".lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_failed_notebook_lies_beside_the_result_and_moves_nothing_else(tmp_path: Path) -> None:
    folder = old_result(tmp_path)
    notebook = tmp_path / "01_emplois.ipynb"
    notebook.write_text("{}")
    folders.keep_failed(notebook, folder)
    assert contents(folder) == {"a.csv": "old", "c.csv": "old"}
    failed = tmp_path / "chimie" / "01_emplois.failed.ipynb"
    assert (failed.read_text(), failed.stat().st_mode & 0o777) == ("{}", 0o600)


@pytest.mark.parametrize(("private", "mode"), [(True, 0o600), (False, 0o644)])
def test_a_file_appears_whole_or_not_at_all_and_through_no_link(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, private: bool, mode: int
) -> None:
    path, other = tmp_path / "folder/release.json", tmp_path / "other"
    folders.write(path, b"before", private=private)
    assert path.stat().st_mode & 0o777 == mode & ~umask()
    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", full)
        with pytest.raises(OSError, match="full"):
            folders.write(path, b"after", private=private)
    assert path.read_bytes() == b"before"
    assert [*path.parent.iterdir()] == [path]
    other.write_bytes(b"kept")
    path.unlink()
    for link in (path, path.with_name(f".{path.name}.{os.getpid()}")):
        link.symlink_to(other)
    folders.write(path, b"after", private=private)
    assert (other.read_bytes(), path.read_bytes()) == (b"kept", b"after")
    assert not path.is_symlink()


def full(path: Path, content: bytes) -> int:
    """Write a part, as on a disk that is full then."""
    with path.open("wb") as file:
        file.write(content[:2])
    raise OSError("full")


def umask() -> int:
    os.umask(before := os.umask(0))
    return before
