import hashlib
import os
import time
from pathlib import Path

import pytest

from opmq_lib.runs import hashes as room
from opmq_lib.runs.hashes import Hashes


@pytest.fixture
def old_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let files that have just been written be remembered."""
    monkeypatch.setattr(room, "YOUNG_NS", -(10**12))


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def remembered(tmp_path: Path) -> Hashes:
    return Hashes(tmp_path / ".hashes.json")


@pytest.mark.usefixtures("old_enough")
def test_file_that_has_not_changed_is_not_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "a.csv"
    file.write_text("1")
    first = remembered(tmp_path)
    assert first.sha256(file) == sha256("1")
    first.save()
    monkeypatch.setattr(room, "file_sha256", lambda _: pytest.fail("read again"))
    assert remembered(tmp_path).sha256(file) == sha256("1")


@pytest.mark.usefixtures("old_enough")
def test_change_of_same_size_with_its_date_set_back_is_seen(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("1")
    before = file.stat()
    first = remembered(tmp_path)
    first.sha256(file)
    first.save()
    while file.stat().st_ctime_ns == before.st_ctime_ns:  # until the clock of files has ticked
        file.write_text("2")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert file.stat().st_mtime_ns == before.st_mtime_ns
    assert remembered(tmp_path).sha256(file) == sha256("2")


def test_young_file_and_one_of_the_future_are_not_remembered(tmp_path: Path) -> None:
    young, future = tmp_path / "young.csv", tmp_path / "future.csv"
    for file in (young, future):
        file.write_text("1")
    os.utime(future, (time.time() + 10**6, time.time() + 10**6))
    first = remembered(tmp_path)
    assert first.sha256(young) == first.sha256(future) == sha256("1")
    first.save()
    assert not (tmp_path / ".hashes.json").exists()


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"files": {}}'])
def test_damaged_memory_only_costs_time(tmp_path: Path, text: str) -> None:
    (tmp_path / ".hashes.json").write_text(text)
    (tmp_path / "a.csv").write_text("1")
    assert remembered(tmp_path).sha256(tmp_path / "a.csv") == sha256("1")


def test_missing_file_has_no_hash(tmp_path: Path) -> None:
    assert remembered(tmp_path).sha256(tmp_path / "absent") is None


@pytest.mark.usefixtures("old_enough")
def test_memory_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("1")
    hashes = Hashes(tmp_path / "absent" / ".hashes.json")
    hashes.sha256(tmp_path / "a.csv")
    hashes.save()
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]


@pytest.mark.usefixtures("old_enough")
def test_imports_are_remembered_by_content(tmp_path: Path) -> None:
    file = tmp_path / "a.py"
    file.write_text("import numpy")
    first = remembered(tmp_path)
    assert first.imports(file) == ("numpy",)
    first.save()
    file.write_text("import pandas")
    assert remembered(tmp_path).imports(file) == ("pandas",)
