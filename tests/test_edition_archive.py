"""An archive appears whole or not at all, never changes, and is the same for the same content."""

import os
import signal
import warnings
import zipfile
from pathlib import Path

import pytest

from opmq_lib.errors import DataError
from opmq_lib.runs import fingerprint
from opmq_lib.runs.editions import archive

MEMBERS = {"b.txt": b"two", "a.txt": b"one"}


def killed_at(path: Path, step: str, members: dict[str, bytes]) -> int:
    """Write an archive in a process that is killed when it comes to a step; return its signal."""

    def stop(name: str) -> None:
        if name == step:
            os.kill(os.getpid(), signal.SIGKILL)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        archive.write(path, members, stop)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


STEPS = ("archive", "a.txt", "b.txt", "sum", "rename sum", "rename archive")


@pytest.mark.parametrize("step", STEPS)
def test_killed_at_any_point_it_leaves_the_previous_edition_and_no_archive(
    tmp_path: Path, step: str
) -> None:
    before = archive.path_of(tmp_path, "2025")
    archive.write(before, {"a.txt": b"before"})
    kept = before.read_bytes()
    path = archive.path_of(tmp_path, "2026")
    assert killed_at(path, step, MEMBERS) == -signal.SIGKILL
    assert archive.frozen(tmp_path) == [before]
    assert before.read_bytes() == kept
    sha256 = archive.write(path, MEMBERS)
    assert archive.recorded_sum(path) == sha256 == fingerprint.file_sha256(path)
    assert not list(path.parent.glob(".*.partial"))


def test_every_step_is_one_that_was_killed(tmp_path: Path) -> None:
    steps: list[str] = []
    archive.write(archive.path_of(tmp_path, "2026"), MEMBERS, steps.append)
    assert tuple(steps) == STEPS


def test_the_same_content_gives_the_same_bytes_in_any_order(tmp_path: Path) -> None:
    first, second = (archive.path_of(tmp_path / name, "2026") for name in ("one", "two"))
    archive.write(first, MEMBERS)
    archive.write(second, dict(reversed(MEMBERS.items())))
    assert first.read_bytes() == second.read_bytes()


def test_a_frozen_edition_never_changes(tmp_path: Path) -> None:
    path = archive.path_of(tmp_path, "2026")
    sha256 = archive.write(path, MEMBERS)
    assert archive.write(path, MEMBERS) == sha256
    with pytest.raises(DataError, match="frozen already, with another content"):
        archive.write(path, MEMBERS | {"a.txt": b"other"})
    assert fingerprint.file_sha256(path) == sha256


@pytest.mark.parametrize("about", ["[1]", "{}", '{"name": "../a", "files": {"ledger.jsonl": ""}}'])
def test_what_is_no_archive_of_an_edition_is_refused(tmp_path: Path, about: str) -> None:
    path = tmp_path / "a.zip"
    archive.write(path, {archive.MANIFEST: about.encode(), archive.LEDGER: b""})
    with pytest.raises(DataError, match="no archive of an edition"):
        archive.manifest(path)


def test_a_member_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    archive.write(path, {"a.txt": b"one" * 99, "b.txt": b"two"})
    content = bytearray(path.read_bytes())
    place = content.index(b"a.txt") + len("a.txt")
    content[place : place + 4] = b"\xff\xff\xff\xff"
    path.write_bytes(content)
    found = dict(archive.sums(path))
    assert found == {"a.txt": "damaged", "b.txt": fingerprint.bytes_sha256(b"two")}


def test_a_member_that_leads_out_of_its_folder_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bad.zip"
    with zipfile.ZipFile(path, "w") as bad:
        bad.writestr("../outside.txt", b"x")
    with pytest.raises(DataError, match="leads out of its folder"):
        archive.extract(path, tmp_path / "here")
    assert not (tmp_path / "outside.txt").exists()
