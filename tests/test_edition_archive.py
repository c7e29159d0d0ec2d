"""An archive appears whole or not at all, never changes, and is the same for the same content."""

import itertools
import signal
import zipfile
from pathlib import Path

import pytest
from killed import changes, forked, nth

from opmq_lib.errors import DataError
from opmq_lib.runs import fingerprint
from opmq_lib.runs.editions import archive, frozen
from opmq_lib.sources import ledger

MEMBERS = {"b.txt": b"two", "a.txt": b"one"}


def test_killed_before_any_change_it_leaves_the_previous_edition_and_no_partial_one(
    tmp_path: Path,
) -> None:
    before, path = (archive.path_of(tmp_path, name) for name in ("2025", "2026"))
    archive.write(before, {"a.txt": b"before"})
    kept = before.read_bytes()
    made = changes(lambda: archive.write(path, MEMBERS))
    told = ["open .2026.zip.partial", "os.rename 2026.zip.sha256", "os.rename 2026.zip"]
    assert [each for each in made if each in told] == told
    for number in itertools.count():
        path.unlink(missing_ok=True)
        status = forked(lambda: archive.write(path, MEMBERS), nth(number))
        assert before.read_bytes() == kept
        assert archive.frozen(tmp_path) in ([before], [before, path])
        if path.exists():
            assert archive.recorded_sum(path) == fingerprint.file_sha256(path)
        if status == 0:
            break
        assert status == -signal.SIGKILL
    assert number >= len(made)
    assert not list(path.parent.glob(".*.partial"))


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


@pytest.mark.parametrize("origin", ["own", "public"])
def test_results_of_the_edition_before_enter_as_the_run_that_left_them_says(
    tmp_path: Path, origin: str
) -> None:
    """A later run that failed, without the own table, has left the results of the one before."""
    name = "outputs/2025/chimie/01_emplois/emplois.csv"
    path = tmp_path / name
    path.parent.mkdir(parents=True)
    path.write_text("424242")
    run = {"branch_code": "chimie", "notebook": "01_emplois", "status": "ok", "outputs": {}}
    lines = tmp_path / "outputs/2025" / ledger.LEDGER
    ledger.append(lines, run | {"origin": origin})
    ledger.append(lines, run | {"origin": "public", "status": "failed"})
    record = {"inputs": {name: fingerprint.file_sha256(path)}}
    inside, private = frozen._inputs(tmp_path, tmp_path / "outputs/2026", [record])
    assert (name in inside, name in private) == (origin == "public", origin == "own")
